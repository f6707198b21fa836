#include "smtp/check_edit.h"

#include "base/log.h"

/* Postfix goes on without what it cannot do. */
static bool is_faulty(const struct check_edit *c, const struct check_stream_unit *u,
                      const struct check_result *r, str value)
{
    const char *needs = check_result_fault(r, u->kind != CHECK_STREAM_BODY);
    if (needs)
        log_warn("bad entry in %s map: \"" STR_FMT "\"; need %s", c->ops->setting(c->ctx, u->kind),
                 STR_ARG(str_sub(value, 0, 100)), needs);
    return needs != NULL;
}

/* The text that takes the unit's place; p NULL: none does. */
static str apply(const struct check_edit *c, const struct check_stream_unit *u, str value)
{
    struct check_result r;
    check_result_parse(value, &r);
    if (r.action == CHECK_DUNNO || is_faulty(c, u, &r, value))
        return u->text;
    switch (r.action) {
    case CHECK_IGNORE:
        return STR_NONE;
    case CHECK_STRIP:
        c->ops->log(c->ctx, "strip", u, r.text);
        return STR_NONE;
    case CHECK_REPLACE:
        c->ops->log(c->ctx, "replace", u, r.text);
        return r.text;
    case CHECK_PREPEND:
        c->ops->log(c->ctx, "prepend", u, r.text);
        c->ops->put(c->ctx, r.text, true);
        return u->text;
    case CHECK_INFO:
    case CHECK_WARN:
        c->ops->log(c->ctx, r.action == CHECK_INFO ? "info" : "warning", u, r.text);
        return u->text;
    default:
        c->ops->decide(c->ctx, u, &r);
        return u->text;
    }
}

void check_edit_take(void *ctx, const struct check_stream_unit *u)
{
    struct check_edit *c = ctx;
    struct check_stream_unit whole = *u;
    str value;
    if (u->is_rest) {
        if (!c->dropping)
            c->ops->put(c->ctx, u->text, u->ends_line);
        return;
    }
    whole.text = u->text.p ? u->text : S(""); /* STR_NONE is for what was dropped */
    str text = c->ops->find(c->ctx, &whole, &value) == RC_OK ? apply(c, &whole, value) : whole.text;
    c->dropping = text.p != whole.text.p;
    if (text.p)
        c->ops->put(c->ctx, text, u->ends_line || (c->dropping && u->kind != CHECK_STREAM_BODY));
}
