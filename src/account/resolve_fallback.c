/* What local(8) of Postfix does with names that nobody has: their mail goes by another transport, or to
 * another address. */
#include "account/resolve_impl.h"

#include "conf/conf.h"
#include "fmt/macro.h"
#include "fmt/mailaddr.h"
#include "fmt/via.h"

struct name { /* the parts of an address */
    str whole, local, user, extension, domain;
    const struct conf *conf;
};

static struct name split(const struct resolver *r, const struct step *s)
{
    struct name n = {.whole = address_text(s->key),
                     .local = address_local(s->key),
                     .user = address_local(s->key),
                     .extension = S(""),
                     .domain = address_domain(s->key),
                     .conf = r->l->conf};
    if (!mailaddr_split_detail(n.local, str_c(n.conf->recipient_delimiter), &n.user, &n.extension))
        n.extension = S("");
    return n;
}

static bool is_ours(void *ctx, str domain)
{
    return conf_has_domain(ctx, domain);
}

/* RC_GONE: these settings are not for the address. */
static enum rc is_wanted(struct resolver *r, const struct name *n, struct err *e)
{
    const struct conf *c = n->conf;
    const struct maps_rules rules = {
        .delimiters = c->recipient_delimiter, .is_ours = is_ours, .ctx = (void *)(uintptr_t)c};
    struct maps_found found;
    if (!r->l->fallback_transports && !c->fallback_transport[0] && !c->luser_relay[0])
        return RC_GONE;
    if (c->local_domains.n > 0 && n->domain.n > 0 && !conf_list_has_domain(&c->local_domains, n->domain))
        return RC_GONE;
    enum rc rc = r->l->local_recipients
                     ? maps_find_address(r->l->local_recipients, n->whole, &rules, r->a, &found, e)
                     : RC_OK;
    return rc == RC_OK || rc == RC_GONE ? rc : e ? (e->rc = RC_TEMP) : RC_TEMP;
}

static enum rc find_transport(struct resolver *r, const struct name *n, str *ret, struct err *e)
{
    enum rc rc = r->l->fallback_transports
                     ? table_list_find(r->l->fallback_transports, TABLE_WHOLE_KEY, n->user, r->a, ret, e)
                     : RC_GONE;
    if (rc == RC_GONE)
        *ret = str_c(n->conf->fallback_transport);
    else if (rc != RC_OK)
        return e ? (e->rc = RC_TEMP) : RC_TEMP;
    *ret = str_trim(*ret);
    return ret->n > 0 ? RC_OK : RC_GONE;
}

static enum rc add_transport(struct resolver *r, const struct step *s, str transport, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(VIA_MAX);
    const struct via v = {.kind = VIA_TRANSPORT, .name = transport};
    struct via back;
    via_put(&text, &v);
    if (text.overflow || via_parse(buf_str(&text), &back) != RC_OK) {
        (void)err_set(e, RC_TEMP, 451, "4.3.5", "Server configuration error");
        err_note(e, "fallback_transport: \"" STR_FMT "\" is no transport",
                 STR_ARG(str_sub(transport, 0, 100)));
        return RC_TEMP;
    }
    return resolve_add(
        r, (struct account_target){.uid = (uid_t)-1, .address = s->address, .via = buf_str(&text)}, e);
}

static bool find_part(void *ctx, str name, str *ret)
{
    const struct name *n = ctx;
    const struct {
        const char *name;
        str value;
    } parts[] = {{"recipient", n->whole}, {"local", n->local},
                 {"user", n->user},       {"extension", n->extension},
                 {"domain", n->domain},   {"recipient_delimiter", str_c(n->conf->recipient_delimiter)}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (str_eq(name, str_c(parts[i].name))) {
            *ret = parts[i].value;
            return true;
        }
    return false;
}

static enum rc follow_luser(struct resolver *r, const struct step *s, struct name *n, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(MAILADDR_LOCAL_MAX + MAILADDR_DOMAIN_MAX + 1);
    const struct macro_env env = {.find = find_part, .ctx = n};
    if (macro_expand(str_c(n->conf->luser_relay), &env, &text, NULL) != RC_OK || text.n == 0)
        return RC_GONE;
    if (str_chr(buf_str(&text), '@') < 0)
        buf_printf(&text, "@" STR_FMT, STR_ARG(n->conf->myorigin[0] ? str_c(n->conf->myorigin) : n->domain));
    str to = arena_str(r->a, buf_str(&text));
    if (text.overflow || !to.p)
        return resolve_too_many(e);
    return str_ieq(to, n->whole) ? RC_GONE : resolve_configured(r, s, to.p, e);
}

enum rc resolve_fallback(struct resolver *r, const struct step *s, struct err *e)
{
    struct name n = split(r, s);
    str transport;
    enum rc rc = is_wanted(r, &n, e);
    if (rc != RC_OK)
        return rc;
    rc = find_transport(r, &n, &transport, e);
    if (rc == RC_OK)
        return add_transport(r, s, transport, e);
    return rc == RC_GONE ? follow_luser(r, s, &n, e) : rc;
}
