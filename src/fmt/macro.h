/* macro: the $-expansions of Postfix's settings, as of forward_path and of pipe(8)'s argv.
 *
 *   text  = *( byte / "$$" / macro )
 *   macro = "$" name / "${" name "}" / "$(" name ")"
 *         / "${" name ("?" / ":") text "}"              ; with "?" when name has a value, with ":" when not
 *         / "${" name "?{" text "}" [ ":{" text "}" ] "}"
 *   name  = 1*( ALPHA / DIGIT / "_" )
 *
 * White space around the braced texts is dropped. Pure. */
#ifndef FMT_MACRO_H
#define FMT_MACRO_H

#include "base/buf.h"

enum { MACRO_DEPTH_MAX = 10 };

struct macro_env {
    /* The value of a name; false: it has none, and expands to nothing. */
    bool (*find)(void *ctx, str name, str *ret);
    void *ctx;
    const char *safe; /* bytes that a value may have, others become "_"; NULL: all */
};

/* Appends the expansion. *ret_undefined (may be NULL): a name without condition had no value, or an empty
 * one. RC_INVALID: not the grammar; RC_LIMIT: larger than out, or nested too deep. */
MUST_USE enum rc macro_expand(str text, const struct macro_env *env, struct buf *out, bool *ret_undefined);
/* Appends the value, each byte that is not safe as "_". */
void macro_put_safe(struct buf *out, str value, const char *safe);
/* The bytes of "{...}" or "(...)" that begins at s[0], to the byte that closes it, with both; 0 when there is
 * none. As in Postfix only the kind that it began with counts. */
size_t macro_braced_size(str s);

#endif
