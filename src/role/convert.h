/* convert: queued content for whoever takes less than was sent: 7bit for a server without 8BITMIME or
 * BINARYMIME (RFC 6152 §3, RFC 3030 §3), lines for mailboxes. */
#ifndef ROLE_CONVERT_H
#define ROLE_CONVERT_H

#include "base/buf.h"

enum { CONVERTED_MAX = 256 << 20 };

struct convert_source {
    str header;    /* goes in front, LF ends its lines; may be empty */
    str content;   /* in LF form, or binary; or: */
    int fd;        /* a file with it, else -1 */
    uint64_t size; /* of the content */
    uint64_t skip; /* bytes at its beginning that are left out */
    bool binary;   /* its line ends are CRLF, all else is data */
};

/* Header and content with their lines broken where they are longer than limit (fmt/long_lines.h), into the
 * empty *ret of CONVERTED_MAX. RC_GONE: none is; RC_TEMP as below. */
MUST_USE enum rc convert_long_lines(const struct convert_source *from, size_t limit, struct buf *ret);
/* Header and content in 7bit, LF form, into the empty *ret of CONVERTED_MAX. A header with bytes beyond ASCII
 * is passed on only with keep_header. RC_PERM: impossible; RC_TEMP: it cannot be read, or is too large. */
MUST_USE enum rc convert_to_7bit(const struct convert_source *from, bool keep_header, struct buf *ret);

#endif
