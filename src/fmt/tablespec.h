/* tablespec: the names of tables as main.cf has them, "type:name", and the lists and pairs in their braces:
 * inline:{a=b, {c = d e}}, unionmap:{static:x, regexp:{{/a/ b}}}. */
#ifndef FMT_TABLESPEC_H
#define FMT_TABLESPEC_H

#include "base/str.h"

/* Takes the next item off *list: items are separated by commas and white space that are not in braces.
 * RC_GONE: no more; RC_INVALID: a brace is not closed, or one is closed that was not opened. */
MUST_USE enum rc tablespec_take(str *list, str *ret);
/* The type and the name of "type:name". RC_INVALID: no ":", or one of both is empty. */
MUST_USE enum rc tablespec_split(str spec, str *ret_type, str *ret_name);
/* What is between the braces of "{...}", without white space at its ends. RC_INVALID: not in one pair of
 * braces. */
MUST_USE enum rc tablespec_braced(str s, str *ret);
/* name = value, or {name = value} in braces. RC_INVALID: no "=", or no name. */
MUST_USE enum rc tablespec_pair(str item, str *ret_name, str *ret_value);

#endif
