/* long_lines: lines that are longer than a limit are broken by a line end and a space, as Postfix does it
 * (smtp_line_length_limit): what it does to a header and to base64 does little harm. In LF form, in any
 * pieces. Pure. */
#ifndef FMT_LONG_LINES_H
#define FMT_LONG_LINES_H

#include "base/buf.h"

enum { LONG_LINES_MIN = 64 };

struct long_lines {
    size_t limit; /* bytes without the line end, LONG_LINES_MIN at least */
    size_t column;
    bool any; /* long_lines_scan: some line is longer */
};

/* Looks at the next piece. */
void long_lines_scan(struct long_lines *l, str piece);
/* Appends it, with its lines broken. */
void long_lines_put(struct long_lines *l, str piece, struct buf *out);

#endif
