/* tabletext: the text of Postfix's table files, which texthash, postmap's sources, pattern tables and the .cf
 * files of databases share.
 *
 * A logical line begins with text in its first column; lines that begin with white space continue it. Empty
 * lines and lines whose first text is "#" do not count, between the lines of a logical line neither. */
#ifndef FMT_TABLETEXT_H
#define FMT_TABLETEXT_H

#include "base/buf.h"

enum { TABLETEXT_LINE_MAX = 1 << 20 }; /* bytes of a logical line */

struct tabletext {
    str rest;
    int line; /* physical lines taken so far */
};

static inline struct tabletext tabletext_of(str file)
{
    return (struct tabletext){file, 0};
}

/* The next logical line without its line ends and without white space behind it; it may begin with white
 * space only where nothing is before it that it could continue. A view of the file or of *joined, valid until
 * the next call. ret_number: its first physical line, from 1. RC_GONE: no more; RC_LIMIT: longer than joined
 * takes, or than TABLETEXT_LINE_MAX; RC_INVALID: it has a NUL. The line is skipped then. */
MUST_USE enum rc tabletext_next(struct tabletext *t, struct buf *joined, str *ret, int *ret_number);

/* entry = key 1*white value (postmap(1)); white space in double quotes and behind a backslash belongs to the
 * key, which keeps its quotes and backslashes. NULL, or what is wrong with the line. */
const char *tabletext_entry(str line, str *ret_key, str *ret_value);

/* setting = name *white "=" *white value (the .cf files of ldap_table(5) and others). NULL, or what is wrong.
 */
const char *tabletext_setting(str line, str *ret_name, str *ret_value);

static inline bool tabletext_is_white(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
/* Without white space at both ends; also form feeds and vertical tabs, as Postfix has it. */
str tabletext_trim(str s);

#endif
