/* What dsn.c and dsn_text.c share. */
#ifndef FMT_DSN_IMPL_H
#define FMT_DSN_IMPL_H

#include "fmt/bounce_template.h"
#include "fmt/dsn.h"

/* The recipient's status when it is one, else the general one of its action. */
str dsn_status(const struct dsn_rcpt *r);
/* Appends s on one line: control characters become spaces, what is not UTF-8 (without utf8: not ASCII) "?".
 */
void dsn_put_clean(struct buf *out, str s, bool utf8);
/* Appends the words of s, cleaned, in lines of at most 76 bytes where words allow it and 900 in any case.
 * column: where the line under way is; indent begins each further one. */
void dsn_put_wrapped(struct buf *out, str s, size_t column, str indent, bool utf8);
/* d->words, or malle's own for what it is about. */
const struct bounce_template *dsn_words(const struct dsn *d);
/* The text for people, with its last line end. */
void dsn_put_text(struct buf *out, const struct dsn *d);

#endif
