/* references: the message ids that a message answers to, for threading (RFC 5256 §3, REFERENCES step 1). */
#ifndef FMT_REFERENCES_H
#define FMT_REFERENCES_H

#include "base/buf.h"

/* Appends the ids of the References field in their order, or else the first of In-Reply-To, with angle
 * brackets, separated by spaces. Only whole ids count: "<" 1*printable ">". */
void references_put(struct buf *out, str header_block);

/* The next id of a text, without its brackets, taken off *text; STR_NONE at the end. */
str references_take(str *text);

#endif
