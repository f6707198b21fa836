/* pcre: Perl's regular expressions; the one wrapper of PCRE2. Pure. A match is bounded in steps, depth and
 * memory, so that neither pattern nor subject can hold a thread for long. */
#ifndef FMT_PCRE_H
#define FMT_PCRE_H

#include "base/str.h"

struct pcre;

enum pcre_flag { /* the letters of pcre_table(5) */
                 PCRE_CASELESS = 1,
                 PCRE_MULTILINE = 2,
                 PCRE_DOTALL = 4,
                 PCRE_EXTENDED = 8,
                 PCRE_ANCHORED = 16,
                 PCRE_DOLLAR_ENDONLY = 32,
                 PCRE_UNGREEDY = 64
};

/* The text is UTF-8; subjects may have other bytes, which match nothing. RC_INVALID with e filled: no
 * pattern. */
MUST_USE enum rc pcre_new(str pattern, unsigned flags, struct pcre **ret, struct err *e);
struct pcre *pcre_free(struct pcre *p);     /* accepts NULL, returns NULL */
unsigned pcre_groups(const struct pcre *p); /* in the pattern, without the whole */

/* groups[0] becomes what the whole pattern matched, groups[n] what its n-th group did; those that took no
 * part are STR_NONE, up to count. RC_GONE: no match; RC_LIMIT: not decided within the limits. Thread-safe. */
MUST_USE enum rc pcre_match(const struct pcre *p, str subject, str *groups, size_t count);

#endif
