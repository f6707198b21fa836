/* crlf: the one place that knows about line ends. Messages lie on disk with LF, sometimes CRLF, sometimes
 * both; the protocols send and count CRLF. A CRLF form has one CR more for each LF that no CR precedes; a CR
 * alone stays. All functions take raw bytes in any form and are linear. */
#ifndef FMT_CRLF_H
#define FMT_CRLF_H

#include "base/buf.h"

/* State between two chunks of one stream; zero it first. */
struct crlf_state {
    bool last_cr; /* the last byte so far was CR; the decoder holds it back */
};

/* LF to CRLF: appends at most twice the size of in, for which out must have room. */
void crlf_encode(struct crlf_state *s, struct buf *out, str in);
/* The same, and a dot that begins a line is doubled. *within_line: the last byte was no LF, kept between
 * calls, false at first; NULL: dots stay as they are. */
void crlf_encode_dots(struct crlf_state *s, bool *within_line, struct buf *out, str in);
/* CRLF to LF. A CR at the end of a chunk is held back until the next byte is known; _finish puts it. */
void crlf_decode(struct crlf_state *s, struct buf *out, str in);
void crlf_decode_finish(struct crlf_state *s, struct buf *out);

/* Number of LFs. */
size_t crlf_lines(str raw);
/* Number of LFs that no CR precedes; before is the byte in front of raw (any but CR at the start of a
 * message). */
size_t crlf_bare(str raw, char before);
/* Length of the CRLF form (the "virtual size"). */
static inline size_t crlf_size(str raw)
{
    return raw.n + crlf_bare(raw, '\0');
}

/* A place in raw bytes and its offset in the CRLF form; zero is the start. Kept between calls it makes a
 * client that reads one part in many slices cost one pass. */
struct crlf_cursor {
    size_t raw, offset;
};

/* Appends the bytes [offset, offset + len) of raw's CRLF form, clipped to its end. cursor may be NULL; it is
 * used when it does not lie behind offset, and left where the slice ended. */
void crlf_put_range(struct buf *out, str raw, size_t offset, size_t len, struct crlf_cursor *cursor);

#endif
