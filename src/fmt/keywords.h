/* keywords: the file dovecot-keywords, which names the letters a to z in a Maildir's file names.
 *
 *   line = number SP name LF      ; 0 is the letter a */
#ifndef FMT_KEYWORDS_H
#define FMT_KEYWORDS_H

#include "fmt/maildir_name.h"

/* Names whose number has no line are STR_NONE; views point into text. Bad lines are skipped, as Dovecot does.
 */
void keywords_parse(str text, str ret_names[MAILDIR_KEYWORDS]);
void keywords_format(struct buf *out, const str names[MAILDIR_KEYWORDS]);

/* May this be a keyword (RFC 9051 §9, flag-keyword: an atom; and at most 100 bytes)? */
bool keyword_valid(str name);

#endif
