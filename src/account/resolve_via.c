/* Recipients that are not simply mailboxes: users of the system with a .forward or under mailbox_command, and
 * commands and files of alias_maps. Who they are is said here; what is run, the role `command` looks up. */
#include "account/resolve_impl.h"

#include "conf/conf.h"
#include "fmt/via.h"

static enum rc put_via(struct resolver *r, const struct via *v, str *ret)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(VIA_MAX);
    struct via back;
    via_put(&text, v);
    if (text.overflow || via_parse(buf_str(&text), &back) != RC_OK)
        return RC_GONE; /* a name of an alias that is too long, or has control characters */
    *ret = arena_str(r->a, buf_str(&text));
    return RC_OK;
}

/* A tag with a slash would lead to a file somewhere else. */
static str safe_tag(str tag)
{
    return str_chr(tag, '/') < 0 ? tag : STR_NONE;
}

enum rc resolve_user_via(struct resolver *r, str user, uid_t uid, str tag, str *ret, struct err *e)
{
    const struct conf *c = r->l->conf;
    bool asks = c->mailbox_command[0] || c->mailbox_command_maps[0] || c->mailbox_transport_maps[0];
    enum rc rc = asks ? RC_OK : RC_GONE;
    tag = safe_tag(tag);
    if (rc == RC_GONE && c->forward_path[0] && r->l->has_forward)
        rc = r->l->has_forward(r->l->system_ctx, user, tag, e);
    if (rc == RC_GONE)
        return RC_OK;
    if (rc != RC_OK)
        return e ? e->rc = RC_TEMP : RC_TEMP;
    const struct via v = {.kind = VIA_USER, .uid = uid, .name = user, .tag = tag};
    if (put_via(r, &v, ret) == RC_OK)
        return RC_OK;
    const struct via untagged = {.kind = VIA_USER, .uid = uid, .name = user};
    return put_via(r, &untagged, ret) == RC_OK ? RC_OK : resolve_too_many(e);
}

static bool is_allowed(const struct conf_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->v[i], S("alias")))
            return true;
    return false;
}

enum rc resolve_program(struct resolver *r, const struct step *s, const struct alias_target *t, unsigned n,
                        struct err *e)
{
    const struct conf *c = r->l->conf;
    const struct via v = {.kind = VIA_ALIAS, .n = n, .hash = via_hash(t), .name = r->alias};
    struct account_target to = {.uid = (uid_t)-1, .address = s->address};
    str here = STR_NONE;
    if (r->alias.n == 0 ||
        !is_allowed(t->kind == ALIAS_COMMAND ? &c->allow_mail_to_commands : &c->allow_mail_to_files) ||
        put_via(r, &v, &to.via) != RC_OK)
        return RC_GONE;
    /* who may write to a database is not thereby somebody who may run commands here */
    if (table_list_find_here(r->l->aliases, r->alias, r->a, &here, e) != RC_OK ||
        !str_eq(here, r->alias_text))
        return RC_GONE;
    return resolve_add(r, to, e);
}
