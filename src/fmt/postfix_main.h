/* postfix_main: the text of Postfix's main.cf, as postconf(5) describes it.
 *
 *   entry = name *white "=" *white value
 *
 * Lines that begin with white space continue the one before; empty lines and comments ("#") do not count,
 * between the lines of an entry neither (fmt/tabletext). White space around names and values is dropped, that
 * in front of a continuation stays, as Postfix keeps it. The later of two entries of one name counts.
 * Postfix refuses to start with most of what is reported here as a fault; here the other lines are read all
 * the same. Values are not expanded: fmt/postfix_expand. Pure. */
#ifndef FMT_POSTFIX_MAIN_H
#define FMT_POSTFIX_MAIN_H

#include "base/buf.h"
#include "fmt/postfix_fault.h"

enum { POSTFIX_PARAMS_MAX = 10000 };

struct postfix_param {
    str name, value;
    int line;          /* the first physical line, from 1 */
    int overridden_by; /* the line of the entry that counts instead; 0: this one counts */
};

struct postfix_main {
    struct postfix_param *params; /* in the order of the file */
    size_t n;
    struct postfix_faults faults;
    const struct postfix_param **by_name; /* those that count, sorted */
    size_t n_by_name;
};

/* All that the result points to lies in the arena, or is a view of the text. RC_LIMIT: too many entries or
 * faults, or more than the arena takes; *ret is untouched then. */
MUST_USE enum rc postfix_main_parse(str text, struct arena *a, struct postfix_main *ret);
/* The entry of this name that counts, NULL when there is none. */
const struct postfix_param *postfix_main_find(const struct postfix_main *m, str name);
/* Appends "name = value" and a line feed: what postfix_main_parse reads back as the same. */
void postfix_main_format(const struct postfix_param *p, struct buf *out);

#endif
