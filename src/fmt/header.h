/* header: the fields of a header block (RFC 5322 §2.2), as views into the raw bytes.
 * Lines may end in LF or CRLF, mixed. A line without a colon is a field with an empty name, so that the
 * fields always tile the block; the block ends behind the first empty line, or at the end of the input.
 * Walking is linear and allocates nothing. */
#ifndef FMT_HEADER_H
#define FMT_HEADER_H

#include "base/arena.h"
#include "base/buf.h"

struct header_field {
    str name;          /* without the colon and the white space before it; empty for a malformed line */
    str value;         /* raw, from behind the colon up to the last line end, with its folding */
    size_t start, end; /* the whole field in the block, with its last line end */
};

struct header_iter {
    str block;
    size_t pos;
};

/* Length of the header block at the start of raw, with the empty line that ends it. */
size_t header_size(str raw);

static inline struct header_iter header_iter(str block)
{
    return (struct header_iter){block, 0};
}
/* The next field; false at the empty line or the end of the block. */
bool header_next(struct header_iter *it, struct header_field *ret);

/* The n-th (from 0) field of that name, whatever its case; false when there are fewer. */
bool header_find(str block, str name, size_t n, struct header_field *ret);
bool header_find_last(str block, str name, struct header_field *ret);

/* The fields of a block that have another name, as they are, without the empty line that ends it. */
void header_put_others(struct buf *out, str block, str name);

/* The value on one line: without CR, LF and leading white space (RFC 5322 §2.2.3). A view when nothing has to
 * go, else from the arena; STR_NONE when that is exhausted. */
str header_unfold(struct arena *a, str value);

#endif
