/* What is wrong with shared_prefix: owners have dots in their names, so that only a slash parts them from
 * their mailboxes. */
#include "conf/build.h"

static bool is_prefix(str s)
{
    if (s.n < 2 || s.p[0] == '/' || !str_ends(s, S("/")) || str_find(s, S("//")) >= 0 ||
        str_istarts(s, S("INBOX/")))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("%*\"\\&.", s.p[i]))
            return false;
    return true;
}

void conf_check_shared(struct conf_build *b)
{
    const struct conf *c = b->conf;
    const struct conf_origin *o = &c->origin[CONF_shared_prefix];
    const char *why = NULL;
    if (!c->shared_prefix[0])
        return;
    if (!is_prefix(str_c(c->shared_prefix)))
        why = "is no beginning of names such as shared/";
    else if (c->hierarchy_separator[0] != '/')
        why = "needs hierarchy_separator = /";
    if (why)
        conf_error(b->report, o->file ? o->file : b->file, o->line, "shared_prefix: \"%s\" %s",
                   c->shared_prefix, why);
}
