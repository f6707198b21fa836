/* canonical(5), and what virtual(5) and relocated(5) have in common with it; masquerade_domains. */
#include "account/resolve_impl.h"

#include "conf/conf.h"

static bool is_hostname(void *ctx, str domain)
{
    const struct conf *c = ctx;
    return str_ieq(domain, str_c(c->hostname));
}

struct maps_rules resolve_rules(const struct conf *c)
{
    return (struct maps_rules){
        .delimiters = c->recipient_delimiter, .is_ours = is_hostname, .ctx = (void *)(uintptr_t)c};
}

str resolve_complete(str to, str address, str extension, struct arena *a)
{
    ptrdiff_t at = str_rchr(to, '@');
    size_t local = at < 0 ? to.n : (size_t)at;
    if (local == 0 || extension.n == 0)
        return maps_complete(to, address, a);
    return arena_printf(a, STR_FMT STR_FMT STR_FMT, STR_ARG(str_sub(to, 0, local)), STR_ARG(extension),
                        STR_ARG(str_from(to, local)));
}

static enum rc broken(str key, struct err *e)
{
    err_set(e, RC_TEMP, 451, "4.3.5", "Server configuration error");
    err_note(e, "canonical maps give no address for " STR_FMT, STR_ARG(key));
    return RC_TEMP;
}

enum rc resolve_canonical(const struct conf *c, struct table_list *maps, str *address, struct arena *a,
                          struct err *e)
{
    const struct maps_rules rules = resolve_rules(c);
    struct maps_found found;
    struct address_key key;
    if (!maps)
        return RC_OK;
    enum rc rc = maps_find_address(maps, *address, &rules, a, &found, e);
    if (rc == RC_GONE)
        return RC_OK;
    if (rc != RC_OK)
        return e->rc = RC_TEMP;
    bool tagged = conf_list_has(&c->propagate_unmatched_extensions, S("canonical"));
    str to = resolve_complete(found.value, *address, tagged ? found.extension : STR_NONE, a);
    if (str_chr(to, '@') < 0)
        to = arena_printf(a, STR_FMT "@%s", STR_ARG(to), c->hostname);
    if (arena_exhausted(a) || address_parse(to, &key) != RC_OK || address_local(&key).n == 0)
        return broken(found.key, e);
    *address = to;
    return RC_OK;
}

static bool covers(const struct conf_list *classes, enum account_class class)
{
    static const char *const names[] = {"envelope_sender", "envelope_recipient", "header_sender",
                                        "header_recipient"};
    for (size_t i = 0; i < classes->n; i++)
        if (str_eq(classes->v[i], str_c(names[class])))
            return true;
    return false;
}

/* Whether the domain is the parent, or below it. */
static bool is_below(str domain, str parent)
{
    return parent.n > 0 && str_iends(domain, parent) &&
           (domain.n == parent.n || domain.p[domain.n - parent.n - 1] == '.');
}

/* The address without its host, as the first of masquerade_domains says that fits. */
static str masquerade(const struct conf *c, str address, struct arena *a)
{
    ptrdiff_t at = str_rchr(address, '@');
    str local = str_sub(address, 0, at < 0 ? address.n : (size_t)at),
        domain = at < 0 ? STR_NONE : str_from(address, (size_t)at + 1);
    for (size_t i = 0; i < c->masquerade_exceptions.n; i++)
        if (str_ieq(c->masquerade_exceptions.v[i], local))
            return address;
    for (size_t i = 0; i < c->masquerade_domains.n; i++) {
        str parent = c->masquerade_domains.v[i];
        bool strips = true;
        for (; str_starts(parent, S("!")); parent = str_from(parent, 1))
            strips = !strips;
        if (is_below(domain, parent))
            return strips && domain.n > parent.n
                       ? arena_printf(a, STR_FMT "@" STR_FMT, STR_ARG(local),
                                      STR_ARG(str_from(domain, domain.n - parent.n)))
                       : address;
    }
    return address;
}

enum rc account_canonical(const struct account_lookup *l, enum account_class class, str address,
                          struct arena *a, str *ret, struct err *e)
{
    const struct conf *c = l->conf;
    bool sender = class == ACCOUNT_ENVELOPE_SENDER || class == ACCOUNT_HEADER_SENDER;
    enum rc rc = RC_OK;
    *ret = address;
    if (covers(sender ? &c->sender_canonical_classes : &c->recipient_canonical_classes, class))
        rc = resolve_canonical(c, sender ? l->sender_canonical : l->recipient_canonical, ret, a, e);
    if (rc == RC_OK && covers(&c->canonical_classes, class))
        rc = resolve_canonical(c, l->canonical, ret, a, e);
    if (rc == RC_OK && covers(&c->masquerade_classes, class))
        *ret = masquerade(c, *ret, a);
    return rc == RC_OK && !ret->p ? err_set(e, RC_TEMP, 451, "4.3.0", "Insufficient system resources") : rc;
}
