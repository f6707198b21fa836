/* What downgrade.c and downgrade_body.c share. */
#ifndef FMT_DOWNGRADE_IMPL_H
#define FMT_DOWNGRADE_IMPL_H

#include "fmt/downgrade.h"

enum { KEEP, LABEL, TO_QP, TO_BASE64, MEND_QP, MEND_BASE64 }; /* what becomes of a part */
enum { LINE_MAX_7BIT = 998 };                                 /* bytes of a line, RFC 5322 §2.1.1 */

/* Whether these bytes, which hold no line end, have some that are not 7bit (RFC 2045 §2.7). */
bool downgrade_is_dirty(str bytes);

/* The body of a leaf: its text in any pieces, its line ends, its end. */
void downgrade_body_begin(struct downgrade *d);
void downgrade_body_text(struct downgrade *d, char plan, str bytes);
void downgrade_body_eol(struct downgrade *d, char plan, str eol);
void downgrade_body_end(struct downgrade *d, char plan);

#endif
