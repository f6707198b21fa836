/* Orders of look-up. Every search goes through one `try`, which asks the whole key first and parts
 * afterwards. */
#include "table/maps.h"

/* An address taken apart; the views are of the address. */
struct parts {
    str whole, local, base, extension, domain; /* local = base extension; extension with its delimiter */
    bool has_at;
};

struct search {
    struct table_list *list;
    const struct maps_rules *rules;
    struct arena *a;
    struct maps_found *ret;
    struct err *e;
    enum table_key kind; /* of the next key */
    str extension;       /* that the next key lacks */
};

/* Names whose "-" is their own: with "-" among the delimiters they have no extension (postconf(5),
 * owner_request_special). */
static bool keeps_dash(str local)
{
    return str_ieq(local, S("mailer-daemon")) || str_ieq(local, S("double-bounce")) ||
           str_istarts(local, S("owner-")) || str_iends(local, S("-request"));
}

/* From the first delimiter on; a local part that begins with one has no extension, because nothing would
 * remain. */
static str find_extension(str local, const char *delimiters)
{
    size_t n = 0;
    if (!delimiters || (strchr(delimiters, '-') && keeps_dash(local)))
        return STR_NONE;
    while (n < local.n && !strchr(delimiters, local.p[n]))
        n++;
    return n == 0 ? STR_NONE : str_from(local, n);
}

static struct parts split(str address, const struct maps_rules *rules)
{
    ptrdiff_t at = str_rchr(address, '@');
    struct parts p = {.whole = address, .local = address, .has_at = at >= 0};
    if (at >= 0) {
        p.local = str_sub(address, 0, (size_t)at);
        p.domain = str_from(address, (size_t)at + 1);
    }
    p.extension = find_extension(p.local, rules ? rules->delimiters : NULL);
    p.base = str_sub(p.local, 0, p.local.n - p.extension.n);
    return p;
}

static enum rc try(struct search *s, str key)
{
    str value;
    if (key.n == 0)
        return RC_GONE;
    enum rc rc = table_list_find(s->list, s->kind, key, s->a, &value, s->e);
    s->kind = TABLE_PARTIAL_KEY;
    if (rc == RC_OK)
        *s->ret = (struct maps_found){value, key, s->extension};
    return rc;
}

static enum rc try_joined(struct search *s, str a, const char *between, str b)
{
    str key = arena_printf(s->a, STR_FMT "%s" STR_FMT, STR_ARG(a), between, STR_ARG(b));
    if (arena_exhausted(s->a))
        return err_set(s->e, RC_LIMIT, 451, "4.3.0", "Temporary lookup failure");
    return try(s, key);
}

/* The whole address, and without its extension. */
static enum rc try_address(struct search *s, const struct parts *p)
{
    enum rc rc = try(s, p->whole);
    if (rc == RC_GONE && p->extension.n > 0) {
        s->extension = p->extension;
        rc = p->has_at ? try_joined(s, p->base, "@", p->domain) : try(s, p->base);
    }
    return rc;
}

/* The name, then ".parent" of each parent, or the parents themselves. */
static enum rc try_domain(struct search *s, str domain)
{
    enum rc rc = try(s, domain);
    bool parents_match = s->rules && s->rules->parents_match;
    while (rc == RC_GONE) {
        ptrdiff_t dot = str_chr(str_from(domain, 1), '.');
        if (dot < 0)
            break;
        domain = str_from(domain, (size_t)dot + 1);
        rc = try(s, parents_match ? str_from(domain, 1) : domain);
    }
    return rc;
}

static struct search begin(struct table_list *l, const struct maps_rules *rules, struct arena *a,
                           struct maps_found *ret, struct err *e)
{
    return (struct search){.list = l, .rules = rules, .a = a, .ret = ret, .e = e};
}

enum rc maps_find_address(struct table_list *l, str address, const struct maps_rules *rules, struct arena *a,
                          struct maps_found *ret, struct err *e)
{
    struct search s = begin(l, rules, a, ret, e);
    struct parts p = split(address, rules);
    enum rc rc = try_address(&s, &p);
    if (rc != RC_GONE || !p.has_at)
        return rc;
    if (rules && rules->is_ours && rules->is_ours(rules->ctx, p.domain)) {
        s.extension = STR_NONE;
        rc = try(&s, p.local);
        s.extension = p.extension;
        if (rc == RC_GONE && p.extension.n > 0)
            rc = try(&s, p.base);
    }
    s.extension = p.extension;
    return rc == RC_GONE ? try_joined(&s, STR_NONE, "@", p.domain) : rc;
}

enum rc maps_find_transport(struct table_list *l, str address, const struct maps_rules *rules,
                            struct arena *a, struct maps_found *ret, struct err *e)
{
    struct search s = begin(l, rules, a, ret, e);
    struct parts p = split(address, rules);
    enum rc rc = try_address(&s, &p);
    s.extension = STR_NONE;
    if (rc == RC_GONE && p.has_at)
        rc = try_domain(&s, p.domain);
    return rc == RC_GONE ? try(&s, S("*")) : rc;
}

enum rc maps_find_domain(struct table_list *l, str domain, const struct maps_rules *rules, struct arena *a,
                         struct maps_found *ret, struct err *e)
{
    struct search s = begin(l, rules, a, ret, e);
    return try_domain(&s, domain);
}

enum rc maps_find_access(struct table_list *l, str address, const struct maps_rules *rules, struct arena *a,
                         struct maps_found *ret, struct err *e)
{
    struct search s = begin(l, rules, a, ret, e);
    struct parts p = split(address, rules);
    enum rc rc = try_address(&s, &p);
    s.extension = STR_NONE;
    if (rc == RC_GONE && p.has_at)
        rc = try_domain(&s, p.domain);
    if (rc == RC_GONE && p.has_at)
        rc = try_joined(&s, p.local, "@", STR_NONE);
    if (rc == RC_GONE && p.has_at && p.extension.n > 0)
        rc = try_joined(&s, p.base, "@", STR_NONE);
    return rc;
}

enum rc maps_find_host(struct table_list *l, str name, str address, const struct maps_rules *rules,
                       struct arena *a, struct maps_found *ret, struct err *e)
{
    struct search s = begin(l, rules, a, ret, e);
    enum rc rc = try_domain(&s, name);
    char delimiter = str_chr(address, ':') >= 0 ? ':' : '.';
    s.kind = TABLE_WHOLE_KEY;
    while (rc == RC_GONE && address.n > 0) {
        rc = try(&s, address);
        ptrdiff_t cut = str_rchr(address, delimiter);
        address = cut < 0 ? STR_NONE : str_sub(address, 0, (size_t)cut);
    }
    return rc;
}

str maps_complete(str value, str address, struct arena *a)
{
    ptrdiff_t at = str_rchr(address, '@');
    str local = at < 0 ? address : str_sub(address, 0, (size_t)at);
    if (!str_starts(value, S("@")))
        return value;
    str full = arena_printf(a, STR_FMT STR_FMT, STR_ARG(local), STR_ARG(value));
    return arena_exhausted(a) ? STR_NONE : full;
}
