/* netstring: a length in decimal digits, ":", that many bytes, "," (https://cr.yp.to/proto/netstrings.txt),
 * as socketmap_table(5) and QMQP have it. */
#ifndef FMT_NETSTRING_H
#define FMT_NETSTRING_H

#include "base/buf.h"

void netstring_put(struct buf *out, str payload);
/* Reads one netstring from the front of `in`; ret_used: its bytes. RC_TEMP: more bytes are needed;
 * RC_INVALID: not the grammar (a leading 0 included); RC_LIMIT: the payload is longer than max. */
MUST_USE enum rc netstring_parse(str in, size_t max, str *ret_payload, size_t *ret_used);

#endif
