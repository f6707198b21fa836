/* maildirsize: the file of that name in a Maildir++, in which the programs that put mail there and take it
 * away keep count (https://www.inter7.com/courierimap/README.maildirquota.html), as Dovecot's plugin quota
 * reads and writes it, too.
 *
 *   file   = limits LF *(change LF)
 *   limits = [limit *("," limit)]         ; for other programs: the configuration is what counts
 *   limit  = 1*DIGIT ("S" / "C")          ; bytes, messages
 *   change = *SP ["-"] 1*DIGIT 1*SP ["-"] 1*DIGIT *SP   ; bytes, messages; the sum of all is what is there
 */
#ifndef FMT_MAILDIRSIZE_H
#define FMT_MAILDIRSIZE_H

#include "fmt/quota_rule.h"

enum {
    MAILDIRSIZE_BYTES_MAX = 5120, /* a longer one is to be written anew */
    MAILDIRSIZE_TOTAL_BYTES = 128 /* the length of what maildirsize_put_total writes */
};

struct maildirsize {
    struct quota_limits limits;
    int64_t bytes, messages;
};

/* RC_INVALID: it is none, does not end with a line's end, or its numbers leave their range. */
MUST_USE enum rc maildirsize_parse(str text, struct maildirsize *ret);
void maildirsize_put_limits(struct buf *out, const struct quota_limits *l);
void maildirsize_put_change(struct buf *out, int64_t bytes, int64_t messages);
/* Limits and one change that is all there is, always of the same length: a file that is written over in place
 * while others read it. */
void maildirsize_put_total(struct buf *out, const struct quota_limits *l, int64_t bytes, int64_t messages);

#endif
