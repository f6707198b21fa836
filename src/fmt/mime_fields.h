/* mime_fields: reads the Content-* fields of one part's header (RFC 2045 §5 to §8, RFC 2183, RFC 3282). Used
 * by mime.c. */
#ifndef FMT_MIME_FIELDS_H
#define FMT_MIME_FIELDS_H

#include "base/buf.h"
#include "fmt/mime.h"

/* Fills the strings of *part from its header block; the first field of a name counts. scratch is a buffer
 * whose maximum cuts the values. */
void mime_fields_parse(struct mime_part *part, str block, struct arena *a, struct buf *scratch);

#endif
