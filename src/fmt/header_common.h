/* header_common: the fields of a message's header that mail programs list and search for: so few bytes of it
 * that the index keeps them, and no file is read for them. */
#ifndef FMT_HEADER_COMMON_H
#define FMT_HEADER_COMMON_H

#include "base/buf.h"

/* Whether a field of that name, whatever its case, is one of them. */
bool header_common_has(str name);

/* Puts all such fields at the start of raw (fmt/header.h) as they are and in their order, without the empty
 * line: a header block of which the same can be asked. */
void header_common_put(struct buf *out, str raw);

#endif
