/* What restrictions ask of the DNS: lists of clients and domains, and the servers of a domain. */
#include "smtp/restrict_impl.h"

#include "base/log.h"
#include "fmt/dns_name.h"
#include "fmt/dnsbl.h"
#include "fmt/macro.h"
#include "table/settings.h"

#include <arpa/inet.h>

enum { REPLY_MAX = 1500, REASON_MAX = 500, SERVERS_MAX = 20, ADDRESSES_MAX = 50 };

enum rc restrict_dns(struct smtp_session *s, str name, enum dns_type type, struct restrict_records *ret)
{
    *ret = (struct restrict_records){NULL, 0};
    if (!dns_name_is_valid(name))
        return RC_GONE;
    if (clock_mono() > s->restrict_.dns_end)
        return RC_TEMP;
    return s->env->dns(s->p->env_ctx, name, (int)type, s->restrict_.arena, &ret->v, &ret->n);
}

str restrict_dns_name(struct smtp_session *s, str rdata, enum dns_type type)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(DNS_NAME_TEXT_MAX);
    if (dns_name_from_wire(type == DNS_MX ? str_from(rdata, 2) : rdata, &name) != RC_OK)
        return STR_NONE;
    return arena_str(s->restrict_.arena, buf_str(&name));
}

/* --- lists --- */

/* An entry that was found. */
struct listing {
    const struct dnsbl *list;
    str asked;         /* the name in the DNS */
    str what;          /* what is listed */
    const char *class; /* and what that is */
};

/* RC_OK: listed; RC_GONE: not. */
static enum rc look_up(struct smtp_session *s, const struct listing *l)
{
    struct restrict_records records;
    enum rc rc = restrict_dns(s, l->asked, DNS_A, &records);
    for (size_t i = 0; i < records.n; i++)
        if (dnsbl_counts(l->list, records.v[i]))
            return RC_OK;
    if (rc == RC_TEMP)
        log_warn(STR_FMT ": RBL lookup error: the DNS does not answer", STR_ARG(l->asked));
    return rc == RC_OK ? RC_GONE : rc;
}

/* The strings of TXT records (RFC 1035 §3.3.14). */
static str reason_of(struct smtp_session *s, const struct listing *l)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(REASON_MAX);
    struct restrict_records records;
    if (restrict_dns(s, l->asked, DNS_TXT, &records) != RC_OK)
        return S("");
    for (size_t i = 0; i < records.n && !text.overflow; i++) {
        str rest = records.v[i];
        if (i > 0)
            buf_puts(&text, S(" / "));
        while (rest.n > 0) {
            size_t n = (unsigned char)rest.p[0];
            buf_puts(&text, str_sub(rest, 1, n));
            rest = str_from(rest, n + 1);
        }
    }
    return arena_str(s->restrict_.arena, buf_str(&text));
}

struct reply_names {
    struct smtp_session *s;
    const struct listing *l;
    str reason;
};

static str part_of(str address, bool domain)
{
    ptrdiff_t at = str_rchr(address, '@');
    if (domain)
        return at < 0 ? S("") : str_from(address, (size_t)at + 1);
    return address.n == 0 ? S("<>") : at < 0 ? address : str_sub(address, 0, (size_t)at);
}

static bool find_name(void *ctx, str name, str *ret)
{
    const struct reply_names *n = ctx;
    struct smtp_session *s = n->s;
    const struct smtp_restrict *x = &s->restrict_;
    str sender = x->has_sender ? x->sender : S(""), recipient = x->has_recipient ? s->rcpt.address : S("");
    const struct {
        const char *name;
        str value;
    } names[] = {
        {"rbl_code", arena_printf(x->arena, "%d", s->conf->maps_rbl_reject_code)},
        {"rbl_domain", n->l->list->domain},
        {"rbl_reason", n->reason},
        {"rbl_txt", n->reason},
        {"rbl_what", n->l->what},
        {"rbl_class", str_c(n->l->class)},
        {"client", arena_printf(x->arena, SMTP_CLIENT_FMT, SMTP_CLIENT_ARG(s))},
        {"client_address", s->p->client_address},
        {"client_name", s->p->client_name},
        {"reverse_client_name", s->p->client_reverse_name},
        {"helo_name", s->helo},
        {"sender", sender.n ? sender : S("<>")},
        {"sender_domain", part_of(sender, true)},
        {"sender_name", part_of(sender, false)},
        {"recipient", recipient.n ? recipient : S("<>")},
        {"recipient_domain", part_of(recipient, true)},
        {"recipient_name", part_of(recipient, false)},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(name, str_c(names[i].name))) {
            *ret = names[i].value;
            return true;
        }
    return false;
}

static str template_of(struct smtp_session *s, str domain)
{
    struct table_list *replies = smtp_tables(s, TABLES_RBL_REPLY);
    struct err e = {0};
    str value;
    if (!replies)
        return str_c(s->conf->default_rbl_reply);
    enum rc rc = table_list_find(replies, TABLE_WHOLE_KEY, domain, s->restrict_.arena, &value, &e);
    if (rc != RC_OK && rc != RC_GONE)
        log_warn("rbl_reply_maps: %s", err_text(&e));
    return rc == RC_OK ? value : str_c(s->conf->default_rbl_reply);
}

static enum verdict refuse_listed(struct smtp_session *s, const struct listing *l)
{
    AUTO(buf_deinit) struct buf reply = BUF_INIT(REPLY_MAX);
    struct reply_names names = {s, l, reason_of(s, l)};
    const struct macro_env env = {.find = find_name, .ctx = &names};
    struct access_result a;
    enum rc rc = macro_expand(template_of(s, l->list->domain), &env, &reply, NULL);
    if (rc == RC_OK)
        access_result_parse(buf_str(&reply), &a);
    if (rc != RC_OK || a.action != ACCESS_CODE) {
        log_warn("rbl response code configuration error for " STR_FMT, STR_ARG(l->list->domain));
        return restrict_refuse(s, BY_POLICY, 450, "4.7.1", "Service unavailable");
    }
    return restrict_refuse(s, BY_POLICY, a.code, a.enhanced[0] ? a.enhanced : "4.7.1", STR_FMT,
                           STR_ARG(a.text.n ? a.text : S("Service unavailable")));
}

/* What is asked of a list of domains: names that end in a number are addresses, which such lists refuse. */
static bool asks_for_domain(str domain)
{
    ptrdiff_t dot = str_rchr(domain, '.');
    str last = str_from(domain, (size_t)(dot + 1));
    bool number = true;
    for (size_t i = 0; i < last.n; i++)
        number = number && ascii_digit(last.p[i]);
    return domain.n > 0 && domain.p[0] != '[' && !number;
}

/* False: there is nothing to ask. */
static bool find_listing(struct smtp_session *s, const struct restriction *r, struct listing *ret)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(2 * DNS_NAME_TEXT_MAX);
    const struct smtp_restrict *x = &s->restrict_;
    if (r->kind == RESTRICTION_RBL || r->kind == RESTRICTION_DNSWL) {
        if (!s->has_address)
            return false;
        dnsbl_put_address(&name, ret->list, &s->address);
        ret->what = s->p->client_address;
        ret->class = CLASS_CLIENT;
        ret->asked = arena_str(x->arena, buf_str(&name));
        return true;
    }
    ret->what = r->subject == RESTRICTION_OF_CLIENT           ? s->p->client_name
                : r->subject == RESTRICTION_OF_REVERSE_CLIENT ? s->p->client_reverse_name
                : r->subject == RESTRICTION_OF_HELO           ? s->helo
                : r->subject == RESTRICTION_OF_SENDER         ? (x->has_sender ? x->sender : STR_NONE)
                                                      : (x->has_recipient ? s->rcpt.address : STR_NONE);
    ret->class = r->subject == RESTRICTION_OF_CLIENT           ? CLASS_CLIENT
                 : r->subject == RESTRICTION_OF_REVERSE_CLIENT ? CLASS_REVERSE
                 : r->subject == RESTRICTION_OF_HELO           ? CLASS_HELO
                 : r->subject == RESTRICTION_OF_SENDER         ? CLASS_SENDER
                                                               : CLASS_RECIPIENT;
    bool host = r->subject == RESTRICTION_OF_CLIENT || r->subject == RESTRICTION_OF_REVERSE_CLIENT;
    str domain = restrict_domain(ret->what);
    if (!asks_for_domain(domain) || (host && str_eq(domain, S("unknown"))))
        return false;
    ret->asked = arena_printf(x->arena, STR_FMT "." STR_FMT, STR_ARG(domain), STR_ARG(ret->list->domain));
    return true;
}

/* A list of good clients does not let them relay. */
static enum verdict permit_listed(struct smtp_session *s, const struct listing *l)
{
    if (!s->restrict_.has_recipient || restrict_destination(s) != RC_OK)
        return DUNNO;
    enum rc rc = look_up(s, l);
    if (rc == RC_OK)
        return PERMITTED;
    if (rc == RC_GONE)
        return DUNNO;
    return restrict_if_reject(s, 450, "4.7.1", "<" STR_FMT ">: %s rejected: Service unavailable",
                              STR_ARG(l->what), l->class);
}

enum verdict restrict_dnsbl(struct smtp_session *s, const struct restriction *r)
{
    struct dnsbl list;
    struct listing l = {.list = &list};
    if (dnsbl_parse(r->argument, &list) != RC_OK)
        return restrict_misconfigured(s, "\"" STR_FMT "\" is no DNS list",
                                      STR_ARG(str_sub(r->argument, 0, 100)));
    if (!find_listing(s, r, &l))
        return DUNNO;
    if (r->kind == RESTRICTION_DNSWL || r->kind == RESTRICTION_RHSWL)
        return permit_listed(s, &l);
    return look_up(s, &l) == RC_OK ? refuse_listed(s, &l) : DUNNO;
}

/* --- the servers of a domain --- */

/* Those of the domain itself or, for name servers, of the nearest parent that has any. */
static enum rc find_servers(struct smtp_session *s, enum restriction_servers which, str domain, str *names,
                            size_t *ret_n)
{
    enum dns_type type = which == RESTRICTION_ITS_NS ? DNS_NS : DNS_MX;
    struct restrict_records records = {NULL, 0};
    enum rc rc = which == RESTRICTION_ITS_A ? RC_GONE : restrict_dns(s, domain, type, &records);
    while (rc == RC_GONE && type == DNS_NS && which != RESTRICTION_ITS_A) {
        ptrdiff_t dot = str_chr(domain, '.');
        domain = dot < 0 ? STR_NONE : str_from(domain, (size_t)dot + 1);
        if (str_chr(domain, '.') < 0)
            return RC_GONE;
        rc = restrict_dns(s, domain, type, &records);
    }
    if (rc == RC_GONE) { /* an implicit MX, or the domain's own address */
        names[0] = domain;
        *ret_n = 1;
        return RC_OK;
    }
    for (size_t i = 0; i < records.n && *ret_n < SERVERS_MAX; i++) {
        str name = restrict_dns_name(s, records.v[i], type);
        if (name.n > 0 && !str_eq(name, S(".")))
            names[(*ret_n)++] = name;
    }
    return rc;
}

static enum verdict check_addresses(struct smtp_session *s, struct table_list *table, str server,
                                    const struct about *about, bool *ret_found)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    struct restrict_records records;
    for (size_t t = 0; t < 2; t++) {
        enum rc rc = restrict_dns(s, server, types[t], &records);
        if (rc == RC_TEMP)
            log_warn("Unable to look up %s host " STR_FMT " for %s " STR_FMT,
                     types[t] == DNS_A ? "A" : "AAAA", STR_ARG(server), about->class, STR_ARG(about->name));
        for (size_t i = 0; i < records.n && i < ADDRESSES_MAX; i++) {
            char text[INET6_ADDRSTRLEN];
            bool v4 = types[t] == DNS_A;
            if (records.v[i].n != (v4 ? 4 : 16))
                continue;
            must(inet_ntop(v4 ? AF_INET : AF_INET6, records.v[i].p, text, sizeof text));
            enum verdict v = restrict_find_host(s, table, STR_NONE, str_c(text), about, ret_found);
            if (*ret_found)
                return v;
        }
    }
    return DUNNO;
}

enum verdict restrict_servers(struct smtp_session *s, const struct restriction *r, struct table_list *table,
                              str name, const struct about *about)
{
    str servers[SERVERS_MAX];
    size_t n = 0;
    bool found = false;
    if (name.n > 2 && name.p[0] == '[') {
        bool v6 = str_istarts(name, S("[IPv6:"));
        str address = str_sub(name, v6 ? 6 : 1, name.n - (v6 ? 7 : 2));
        return restrict_find_host(s, table, STR_NONE, address, about, &found);
    }
    if (name.n > 0 && name.p[name.n - 1] == '.')
        name = str_sub(name, 0, name.n - 1);
    enum rc rc = find_servers(s, r->servers, name, servers, &n);
    if (rc == RC_TEMP)
        log_warn("Unable to look up %s host for " STR_FMT, r->servers == RESTRICTION_ITS_NS ? "NS" : "MX",
                 STR_ARG(name));
    for (size_t i = 0; i < n; i++) {
        enum verdict v = restrict_find_host(s, table, servers[i], STR_NONE, about, &found);
        if (found)
            return v;
        v = check_addresses(s, table, servers[i], about, &found);
        if (found)
            return v;
    }
    return DUNNO;
}
