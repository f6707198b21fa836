/* postfix_expand: the $-expansions of main.cf, as postconf(5) describes them. Other than with fmt/macro, the
 * value of a name is expanded in its turn.
 *
 *   text       = *( byte / "$$" / "$" name / "${" reference "}" / "$(" reference ")" )
 *   reference  = subject [ "?" result [ ":" result ] / ":" result ]
 *   subject    = *white ( name / comparison ) *white
 *   comparison = "{" text "}" *white operator *white "{" text "}"
 *   operator   = ( "==" / "!=" / "<" / "<=" / ">=" / ">" ) [ "level" ]
 *   result     = *white "{" text "}" *white / text     ; the latter runs to the end, and only it
 *   name       = 1*( ALPHA / DIGIT / "_" )
 *
 * With "?" the result is taken when the name's value, before it is expanded, is not empty or the comparison
 * is true, with ":" when not. White space within braces belongs to the text. A name that is not known is
 * empty; a comparison alone is "true" or empty. Two sides of digits are compared as numbers, others by bytes;
 * with "level" as compatibility levels, "major[.minor[.patch]]". Results that are not taken may hold errors.
 * Pure. */
#ifndef FMT_POSTFIX_EXPAND_H
#define FMT_POSTFIX_EXPAND_H

#include "base/buf.h"

enum {
    POSTFIX_EXPAND_DEPTH_MAX = 100,     /* references within values and results, as Postfix has it */
    POSTFIX_EXPAND_WORK_MAX = 4 << 20,  /* bytes of text read for one expansion */
    POSTFIX_EXPAND_SIDE_MAX = 256 << 10 /* bytes of a side of a comparison */
};

struct postfix_expand_env {
    /* The value of a name, which stays as it is until the expansion is done; false: it is not known. */
    bool (*find)(void *ctx, str name, str *ret);
    void *ctx;
};

/* Appends the expansion to out. Else e has a text for the administrator, and out holds a part of it:
 * RC_INVALID: not the grammar, or names that refer to themselves; RC_LIMIT: larger than out, too deep, or too
 * much work. */
MUST_USE enum rc postfix_expand(str text, const struct postfix_expand_env *env, struct buf *out,
                                struct err *e);

#endif
