/* tablewire: what is said to look-up servers: one line each way with tcp_table(5), one netstring each way
 * with socketmap_table(5). */
#ifndef FMT_TABLEWIRE_H
#define FMT_TABLEWIRE_H

#include "base/buf.h"

enum {
    TABLEWIRE_TCP_REPLY_MAX = 4096,        /* bytes of a line with its line end */
    TABLEWIRE_SOCKETMAP_REPLY_MAX = 100000 /* bytes of a payload */
};

/* "get KEY\n"; white space, control bytes, bytes above 126 and "%" of the key as %XX. */
void tablewire_put_tcp(struct buf *out, str key);
/* The payload "NAME KEY" of a socketmap request. */
void tablewire_put_socketmap(struct buf *out, str name, str key);

/* Both append the value to out, or the server's reason. RC_OK: found; RC_GONE: not there; RC_TEMP: not now;
 * RC_PERM: the server says that it never will be; RC_INVALID: not the protocol; RC_LIMIT: out is full. */
MUST_USE enum rc tablewire_parse_tcp(str line, struct buf *out);
MUST_USE enum rc tablewire_parse_socketmap(str payload, struct buf *out);

#endif
