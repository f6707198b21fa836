#include "role/smtp_policy.h"

#include "table/maps.h"

static const struct {
    const char *word;
    enum smtp_policy_level level;
    bool sts;
} levels[] = {
    {"none", SMTP_POLICY_NONE, false},           {"may", SMTP_POLICY_MAY, false},
    {"encrypt", SMTP_POLICY_ENCRYPT, false},     {"dane", SMTP_POLICY_DANE, false},
    {"dane-only", SMTP_POLICY_DANE_ONLY, false}, {"verify", SMTP_POLICY_VERIFY, false},
    {"secure", SMTP_POLICY_SECURE, false},       {"sts", SMTP_POLICY_DANE, true},
};

/* --- reading --- */

static str take_any(str *rest, const char *separators)
{
    size_t n = 0;
    while (rest->n > 0 && strchr(separators, rest->p[0]))
        *rest = str_from(*rest, 1);
    while (n < rest->n && !strchr(separators, rest->p[n]))
        n++;
    str word = str_sub(*rest, 0, n);
    *rest = str_from(*rest, n);
    return word;
}

static enum rc parse_level(str word, struct smtp_policy *ret, struct err *e)
{
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (str_ieq(word, str_c(levels[i].word))) {
            ret->level = levels[i].level;
            ret->sts = levels[i].sts;
            return RC_OK;
        }
    }
    return err_set(e, RC_INVALID, 451, "4.7.5", "TLS policy: there is no level \"" STR_FMT "\"",
                   STR_ARG(word));
}

static enum rc parse_match(str value, struct smtp_policy *ret, struct err *e)
{
    for (str name = take_any(&value, ":"); name.n > 0; name = take_any(&value, ":")) {
        if (ret->n_match == SMTP_POLICY_NAMES_MAX)
            return err_set(e, RC_INVALID, 451, "4.7.5",
                           "TLS policy: more than %d names in match=", SMTP_POLICY_NAMES_MAX);
        ret->match[ret->n_match++] = name;
    }
    return RC_OK;
}

/* A list of versions: ">=TLSv1.3", "!TLSv1.2", "TLSv1.3". Nothing older than TLS 1.2 is ever spoken; whether
 * 1.2 is left is what counts. */
static enum rc parse_protocols(str value, struct smtp_policy *ret, struct err *e)
{
    bool only_1_3 = false, named_1_2 = false, any_1_2 = false;
    for (str word = take_any(&value, ":, "); word.n > 0; word = take_any(&value, ":, ")) {
        if (str_ieq(word, S("!TLSv1.3")) || str_starts(word, S("<")))
            return err_set(e, RC_INVALID, 451, "4.7.5", "TLS policy: TLS 1.3 cannot be left out");
        any_1_2 |= str_ieq(word, S("!TLSv1.2")) || str_ieq(word, S(">=TLSv1.3"));
        only_1_3 |= str_ieq(word, S("TLSv1.3"));
        named_1_2 |= str_ieq(word, S("TLSv1.2"));
    }
    ret->tls_1_3 = any_1_2 || (only_1_3 && !named_1_2);
    return RC_OK;
}

static enum rc parse_attribute(str word, struct smtp_policy *ret, struct err *e)
{
    str value = word, name = str_take(&value, '=');
    if (str_eq(name, S("match")))
        return parse_match(value, ret, e);
    if (str_eq(name, S("protocols")))
        return parse_protocols(value, ret, e);
    if (str_eq(name, S("servername")))
        ret->server_name = value;
    else if (!str_eq(name, S("ciphers")) || !value.n)
        return err_set(e, RC_INVALID, 451, "4.7.5", "TLS policy: unknown attribute \"" STR_FMT "\"",
                       STR_ARG(str_sub(word, 0, 60)));
    return RC_OK;
}

enum rc smtp_policy_parse(str text, struct smtp_policy *ret, struct err *e)
{
    struct smtp_policy p = {0};
    enum rc rc = parse_level(take_any(&text, " \t"), &p, e);
    for (str word = take_any(&text, " \t"); rc == RC_OK && word.n > 0; word = take_any(&text, " \t"))
        rc = parse_attribute(word, &p, e);
    if (rc == RC_OK)
        *ret = p;
    return rc;
}

/* --- looking up --- */

/* The next hop as it is written; one that names a domain stands for what its parents say, too. */
static enum rc look_up(struct table_list *l, str hop, struct arena *a, str *ret, struct err *e)
{
    struct maps_found found;
    if (str_starts(hop, S("[")) || str_chr(hop, ':') >= 0)
        return table_list_find(l, TABLE_WHOLE_KEY, hop, a, ret, e);
    enum rc rc = maps_find_domain(l, hop, NULL, a, &found, e);
    if (rc == RC_OK)
        *ret = found.value;
    return rc;
}

static enum smtp_policy_level default_level(const struct conf *c, const struct site_name *site)
{
    int level = site->transport == SITE_LMTP ? c->lmtp_tls_security_level : c->smtp_tls_security_level;
    switch ((enum conf_tls_level)level) {
    case CONF_TLS_LEVEL_NONE:
        return SMTP_POLICY_NONE;
    case CONF_TLS_LEVEL_MAY:
        return SMTP_POLICY_MAY;
    case CONF_TLS_LEVEL_DANE:
        return SMTP_POLICY_DANE;
    case CONF_TLS_LEVEL_DANE_ONLY:
        return SMTP_POLICY_DANE_ONLY;
    case CONF_TLS_LEVEL_ENCRYPT:
        return SMTP_POLICY_ENCRYPT;
    case CONF_TLS_LEVEL_VERIFY:
        return SMTP_POLICY_VERIFY;
    case CONF_TLS_LEVEL_SECURE:
        break;
    }
    return SMTP_POLICY_SECURE;
}

static bool is_strict(enum smtp_policy_level level)
{
    return level == SMTP_POLICY_NONE || level == SMTP_POLICY_DANE_ONLY || level == SMTP_POLICY_VERIFY ||
           level == SMTP_POLICY_SECURE;
}

/* What the settings have where a table says nothing. */
static void set_names(const struct conf *c, struct smtp_policy *p)
{
    const struct conf_list *match = p->level == SMTP_POLICY_SECURE   ? &c->smtp_tls_secure_cert_match
                                    : p->level == SMTP_POLICY_VERIFY ? &c->smtp_tls_verify_cert_match
                                                                     : NULL;
    if (p->server_name.n == 0)
        p->server_name = str_c(c->smtp_tls_servername);
    if (p->n_match > 0 || !match)
        return;
    must(match->n <= SMTP_POLICY_NAMES_MAX); /* options.def */
    while (p->n_match < match->n) {
        p->match[p->n_match] = match->v[p->n_match];
        p->n_match++;
    }
}

enum rc smtp_policy_find(const struct conf *c, const struct table_settings *t, const struct site_name *site,
                         struct arena *a, struct smtp_policy *ret, struct err *e)
{
    struct table_list *l = table_settings_of(t, c, TABLES_TLS_POLICY);
    struct smtp_policy p = {.level = default_level(c, site)};
    str text;
    p.sts = c->smtp_mta_sts && site->transport == SITE_SMTP && !is_strict(p.level);
    enum rc rc = l ? look_up(l, site->next, a, &text, e) : RC_GONE;
    if (rc == RC_OK)
        rc = smtp_policy_parse(text, &p, e);
    if (rc != RC_OK && rc != RC_GONE)
        return e->rc = RC_TEMP;
    set_names(c, &p);
    p.implicit = c->smtp_tls_wrappermode && site->transport == SITE_SMTP;
    *ret = p;
    return RC_OK;
}

/* --- applying --- */

static str expand(str name, str nexthop, str host, struct arena *a)
{
    if (str_ieq(name, S("hostname")))
        return host;
    if (str_ieq(name, S("nexthop")))
        return nexthop;
    if (str_ieq(name, S("dot-nexthop")))
        return arena_printf(a, "." STR_FMT, STR_ARG(nexthop));
    return name;
}

static enum rc put_names(const struct smtp_policy *p, str nexthop, str host, struct arena *a,
                         struct tls_client_params *ret)
{
    size_t n = p->n_match ? p->n_match : 1;
    str *names = arena_array(a, n, sizeof *names);
    for (size_t i = 0; i < n && names; i++)
        names[i] = p->n_match ? expand(p->match[i], nexthop, host, a) : host;
    ret->names = names;
    ret->n_names = n;
    return arena_exhausted(a) ? RC_LIMIT : RC_OK;
}

void smtp_policy_demand(struct smtp_policy *p, enum smtp_tls_demand demand)
{
    bool verifies =
        p->level == SMTP_POLICY_DANE_ONLY || p->level == SMTP_POLICY_VERIFY || p->level == SMTP_POLICY_SECURE;
    if (demand == SMTP_TLS_OPTIONAL && p->level != SMTP_POLICY_NONE) {
        p->level = SMTP_POLICY_MAY;
        p->sts = false;
    } else if (demand == SMTP_TLS_REQUIRED && !verifies) {
        p->level = SMTP_POLICY_REQUIRETLS;
        p->n_match = 0;
    }
}

bool smtp_policy_wants_dane(const struct smtp_policy *p)
{
    return p->level == SMTP_POLICY_DANE || p->level == SMTP_POLICY_DANE_ONLY ||
           p->level == SMTP_POLICY_REQUIRETLS;
}

/* RFC 7672 §2.2: records make TLS mandatory, usable ones make the server prove who it is. */
static void apply_dane(const struct dane *dane, struct smtp_client_params *ret)
{
    if (!dane->any)
        return;
    ret->tls_level = SMTP_TLS_ENCRYPT;
    if (dane->n_usable == 0)
        return;
    ret->tls_params.verify = TLS_VERIFY_DANE;
    ret->tls_params.tlsa = dane->usable;
    ret->tls_params.n_tlsa = dane->n_usable;
}

/* RFC 8461 §5: a policy in force makes TLS mandatory, with a certificate of a CA for the host; one in testing
 * only has that looked at. TLSA records prove who the host is in a better way (RFC 8461 §2), and then stay in
 * charge of it. */
static enum rc apply_sts(const struct mta_sts_policy *sts, str host, struct arena *a,
                         struct tls_client_params *params, enum smtp_client_tls *level, struct err *e)
{
    bool enforce = sts->mode == MTA_STS_ENFORCE;
    if (enforce && !mta_sts_has_mx(sts, host))
        return err_set(e, RC_TEMP, 451, "4.7.5",
                       "MTA-STS: the domain's policy does not name the host " STR_FMT, STR_ARG(host));
    if (enforce)
        *level = SMTP_TLS_ENCRYPT;
    if (sts->mode == MTA_STS_NONE || params->verify == TLS_VERIFY_DANE)
        return RC_OK;
    str *names = arena_make(a, str);
    if (!names)
        return err_set(e, RC_TEMP, 451, "4.3.0", "Insufficient system resources");
    *names = host;
    params->names = names;
    params->n_names = 1;
    params->verify = TLS_VERIFY_CA;
    params->required = enforce;
    return RC_OK;
}

enum rc smtp_policy_apply(const struct smtp_policy *p, const struct dane *dane,
                          const struct mta_sts_policy *sts, str nexthop, str host, struct arena *a,
                          struct smtp_client_params *ret, struct err *e)
{
    bool verifies = p->level == SMTP_POLICY_VERIFY || p->level == SMTP_POLICY_SECURE ||
                    p->level == SMTP_POLICY_REQUIRETLS;
    bool may = p->level == SMTP_POLICY_MAY || p->level == SMTP_POLICY_DANE;
    if (p->level == SMTP_POLICY_DANE_ONLY && dane->n_usable == 0)
        return err_set(e, RC_TEMP, 451, "4.7.5", "TLS policy: " STR_FMT " has no usable TLSA records",
                       STR_ARG(host));
    ret->tls_level = p->implicit                    ? SMTP_TLS_ENCRYPT
                     : p->level == SMTP_POLICY_NONE ? SMTP_TLS_NONE
                     : may                          ? SMTP_TLS_MAY
                                                    : SMTP_TLS_ENCRYPT;
    ret->tls_implicit = p->implicit;
    ret->tls_params.server_name = p->server_name.n ? expand(p->server_name, nexthop, host, a) : host;
    ret->tls_params.verify = verifies ? TLS_VERIFY_CA : TLS_VERIFY_NONE;
    ret->tls_params.required = true;
    if (put_names(p, nexthop, host, a, &ret->tls_params) != RC_OK)
        return err_set(e, RC_TEMP, 451, "4.3.0", "Insufficient system resources");
    if (smtp_policy_wants_dane(p))
        apply_dane(dane, ret);
    return sts ? apply_sts(sts, host, a, &ret->tls_params, &ret->tls_level, e) : RC_OK;
}
