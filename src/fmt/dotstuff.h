/* dotstuff: stored message bytes out to a protocol that ends them with a dot: POP3 (RFC 1939 §3), SMTP (RFC
 * 5321 §4.5.2). LF becomes CRLF (fmt/crlf.h), a dot that begins a line is doubled, and the end is ".":
 * resumable at every byte. */
#ifndef FMT_DOTSTUFF_H
#define FMT_DOTSTUFF_H

#include "fmt/crlf.h"

struct dotstuff {
    struct crlf_state crlf;
    bool within_line; /* the last byte put was no LF */
};

/* Appends the wire form of in; at most twice its size, for which out must have room. Zero the state first. */
void dotstuff_put(struct dotstuff *d, struct buf *out, str in);
/* Ends an unfinished line and appends ".\r\n". */
void dotstuff_finish(struct dotstuff *d, struct buf *out);

#endif
