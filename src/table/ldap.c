/* ldap:/path.cf, ldap_table(5). Distinguished names in special_result_attribute are followed, LDAP
 * URLs are not. */
#include "table/pool.h"

#include "fmt/tablequery.h"
#include "fmt/tablespec.h"
#include "fmt/tabletext.h"
#include "table/ldap_session.h"
#include "table/lookup.h"

#include <strings.h>

enum { ATTRIBUTES_MAX = 64, SEARCHES_MAX = 1000, RECURSION_MAX = 1000 };

/* What an attribute of an entry is to the table. */
enum meaning { IS_RESULT, IS_SPECIAL, IS_TERMINAL, IS_LEAF, MEANINGS };
static const char *const meaning_names[MEANINGS] = {"result_attribute", "special_result_attribute",
                                                    "terminal_result_attribute", "leaf_result_attribute"};

struct ldap_table {
    struct ldap_session session;
    struct lookup *lookup;
    char *uris;
    const char *base, *filter; /* templates */
    int scope;
    uint32_t size_limit, recursion_limit;
    char *attributes[ATTRIBUTES_MAX + 1]; /* what is asked for; NULL behind the last */
    enum meaning meanings[ATTRIBUTES_MAX];
    size_t attribute_count;
};

struct connection {
    const struct libldap *lib;
    LDAP *ld;
};

/* --- connecting --- */

static void disconnect_ldap(void *connection)
{
    struct connection *c = connection;
    c->lib->ldap_unbind_ext_s(c->ld, NULL, NULL);
    free(c);
}

static enum rc connect_ldap(struct table *t, msec deadline, void **ret, struct err *e)
{
    const struct ldap_table *s = t->state;
    struct connection *c = calloc(1, sizeof *c);
    must(c);
    c->lib = &s->session.lib;
    enum rc rc = ldap_session_open(t, &s->session, &c->ld, e);
    if (rc == RC_OK)
        *ret = c;
    else
        free(c);
    return rc;
}

/* --- asking --- */

struct search {
    struct table *t;
    struct connection *c;
    str key;
    msec deadline;
    struct buf *out;
    struct err *e;
    uint32_t values, searches;
};

static enum rc search(struct search *q, const char *base, int scope, const char *filter, uint32_t deep);

/* The meaning of an attribute of an entry; options behind ";" do not count. */
static enum meaning meaning_of(const struct ldap_table *s, const char *attribute)
{
    size_t n = strcspn(attribute, ";");
    for (size_t i = 0; i < s->attribute_count; i++) {
        if (strcasecmp(s->attributes[i], attribute) == 0 ||
            (strlen(s->attributes[i]) == n && strncasecmp(s->attributes[i], attribute, n) == 0))
            return s->meanings[i];
    }
    return MEANINGS;
}

static enum rc take_values(struct search *q, struct berval **values, enum meaning meaning, uint32_t deep)
{
    struct ldap_table *s = q->t->state;
    enum rc rc = RC_OK;
    for (size_t i = 0; values && values[i] && rc == RC_OK; i++) {
        str value = str_mem(values[i]->bv_val, values[i]->bv_len);
        if (meaning != IS_SPECIAL) {
            rc = lookup_put_value(q->t, s->lookup, q->key, value, q->out, &q->values, q->e);
            continue;
        }
        if (str_istarts(value, S("ldap:")) || str_istarts(value, S("ldaps:")) ||
            str_istarts(value, S("ldapi:")))
            return table_fail(q->t, q->e, RC_PERM,
                              "special_result_attribute has an LDAP URL, which is not followed");
        AUTO(str_freep) char *dn = str_dup(value);
        rc = search(q, dn, LDAP_SCOPE_BASE, "(objectClass=*)", deep + 1);
    }
    return rc;
}

typedef enum rc attribute_fn(struct search *q, LDAPMessage *entry, const char *name, enum meaning meaning,
                             void *ctx);

static enum rc each_attribute(struct search *q, LDAPMessage *entry, attribute_fn *fn, void *ctx)
{
    const struct libldap *lib = q->c->lib;
    BerElement *cursor = NULL;
    enum rc rc = RC_OK;
    char *name = lib->ldap_first_attribute(q->c->ld, entry, &cursor);
    while (name) {
        if (rc == RC_OK)
            rc = fn(q, entry, name, meaning_of(q->t->state, name), ctx);
        lib->ldap_memfree(name);
        name = lib->ldap_next_attribute(q->c->ld, entry, cursor);
    }
    lib->ber_free(cursor, 0);
    return rc;
}

static enum rc note_meaning(struct search *q, LDAPMessage *entry, const char *name, enum meaning meaning,
                            void *ctx)
{
    bool *there = ctx;
    if (meaning < MEANINGS)
        there[meaning] = true;
    return RC_OK;
}

struct taking {
    bool there[MEANINGS]; /* in the entry */
    uint32_t deep;
};

/* Terminal attributes push all others aside; leaf attributes count in entries that lead nowhere else. */
static enum rc take_attribute(struct search *q, LDAPMessage *entry, const char *name, enum meaning meaning,
                              void *ctx)
{
    struct taking *taking = ctx;
    const struct libldap *lib = q->c->lib;
    bool other = taking->there[IS_TERMINAL] && meaning != IS_TERMINAL;
    if (meaning == MEANINGS || other || (meaning == IS_LEAF && taking->there[IS_SPECIAL]))
        return RC_OK;
    struct berval **values = lib->ldap_get_values_len(q->c->ld, entry, name);
    enum rc rc = take_values(q, values, meaning, taking->deep);
    if (values)
        lib->ldap_value_free_len(values);
    return rc;
}

static enum rc take_entries(struct search *q, LDAPMessage *result, uint32_t deep)
{
    const struct libldap *lib = q->c->lib;
    enum rc rc = RC_OK;
    LDAPMessage *entry = lib->ldap_first_entry(q->c->ld, result);
    for (; entry && rc == RC_OK; entry = lib->ldap_next_entry(q->c->ld, entry)) {
        struct taking taking = {.deep = deep};
        rc = each_attribute(q, entry, note_meaning, taking.there);
        if (rc == RC_OK)
            rc = each_attribute(q, entry, take_attribute, &taking);
    }
    return rc;
}

/* A base that is not there has no entries. */
static enum rc search(struct search *q, const char *base, int scope, const char *filter, uint32_t deep)
{
    struct ldap_table *s = q->t->state;
    LDAPMessage *result = NULL;
    msec left = q->deadline - clock_mono();
    if (deep > s->recursion_limit || ++q->searches > SEARCHES_MAX)
        return table_fail(q->t, q->e, RC_TEMP, "entries lead to each other too deep, or too many");
    if (left <= 0)
        return table_fail(q->t, q->e, RC_INVALID, "no answer within %d ms", q->t->env.timeout_ms);
    struct timeval tv = {left / 1000, left % 1000 * 1000};
    int code = s->session.lib.ldap_search_ext_s(q->c->ld, base, scope, filter, s->attributes, 0, NULL, NULL,
                                                &tv, (int)s->size_limit, &result);
    enum rc rc = RC_OK;
    if (code == LDAP_SUCCESS)
        rc = take_entries(q, result, deep);
    else if (code == LDAP_SIZELIMIT_EXCEEDED)
        rc = table_fail(q->t, q->e, RC_TEMP, "more than size_limit = %u entries", s->size_limit);
    else if (code == LDAP_FILTER_ERROR)
        rc = ldap_session_fail(q->t, &s->session, q->e, RC_PERM, "query_filter", code);
    else if (code != LDAP_NO_SUCH_OBJECT)
        rc = ldap_session_fail(q->t, &s->session, q->e, RC_INVALID, "search", code);
    if (result)
        s->session.lib.ldap_msgfree(result);
    return rc;
}

static enum rc ask_ldap(struct table *t, void *connection, str key, msec deadline, struct buf *out,
                        struct err *e)
{
    AUTO(buf_deinit) struct buf base = BUF_INIT(TABLETEXT_LINE_MAX), filter = BUF_INIT(TABLETEXT_LINE_MAX);
    struct ldap_table *s = t->state;
    struct search q = {t, connection, key, deadline, out, e, 0, 0};
    enum rc rc = tablequery_put(&base, str_c(s->base), key, tablequery_quote_dn, NULL);
    if (rc == RC_OK)
        rc = tablequery_put(&filter, str_c(s->filter), key, tablequery_quote_filter, NULL);
    if (rc == RC_LIMIT)
        return table_fail(t, e, RC_TEMP, "the query is too long");
    if (rc == RC_OK)
        rc = search(&q, buf_cstr(&base), s->scope, buf_cstr(&filter), 0);
    return rc == RC_OK && q.values == 0 ? RC_GONE : rc;
}

static const struct pool_type connections = {connect_ldap, disconnect_ldap, ask_ldap};

/* --- the table --- */

/* server_host: hosts with or without a port, or URLs. */
static enum rc make_uris(struct table *t, struct err *e)
{
    AUTO(buf_deinit) struct buf uris = BUF_INIT(8192);
    struct ldap_table *s = t->state;
    str list = str_c(lookup_get(s->lookup, "server_host", "localhost")), host;
    uint32_t port = 389;
    enum rc rc = lookup_get_number(t, s->lookup, "server_port", 389, 65535, &port, e);
    while (rc == RC_OK && (rc = tablespec_take(&list, &host)) == RC_OK) {
        buf_puts(&uris, uris.n > 0 ? S(" ") : STR_NONE);
        if (str_find(host, S("://")) >= 0)
            buf_puts(&uris, host);
        else
            buf_printf(&uris, str_chr(host, ':') < 0 ? "ldap://" STR_FMT ":%u" : "ldap://" STR_FMT,
                       STR_ARG(host), port);
    }
    if (rc != RC_GONE || uris.n == 0 || uris.overflow)
        return rc == RC_PERM ? rc : table_fail(t, e, RC_PERM, "server_host needs hosts or URLs");
    s->session.uris = s->uris = str_dup(buf_str(&uris));
    ldap_session_warn(t, &s->session, "yes");
    return RC_OK;
}

static enum rc add_attributes(struct table *t, enum meaning meaning, struct err *e)
{
    struct ldap_table *s = t->state;
    const char *otherwise = meaning == IS_RESULT ? "maildrop" : "";
    str list = str_c(lookup_get(s->lookup, meaning_names[meaning], otherwise)), name;
    while (tablespec_take(&list, &name) == RC_OK) {
        if (s->attribute_count == ATTRIBUTES_MAX)
            return table_fail(t, e, RC_PERM, "more than %d attributes", ATTRIBUTES_MAX);
        s->meanings[s->attribute_count] = meaning;
        s->attributes[s->attribute_count++] = str_dup(name);
    }
    return RC_OK;
}

static enum rc take_bind(struct table *t, struct err *e)
{
    struct ldap_table *s = t->state;
    str bind = str_c(lookup_get(s->lookup, "bind", "yes"));
    s->session.bind = str_ieq(bind, S("yes")) || str_ieq(bind, S("simple"));
    if (!s->session.bind && !str_ieq(bind, S("no")) && !str_ieq(bind, S("none")))
        return table_fail(t, e, RC_PERM, "bind = " STR_FMT " is not possible here; simple and none are",
                          STR_ARG(str_sub(bind, 0, 20)));
    return RC_OK;
}

static enum rc take_scope(struct table *t, struct err *e)
{
    struct ldap_table *s = t->state;
    str scope = str_c(lookup_get(s->lookup, "scope", "sub"));
    s->scope = str_eq(scope, S("sub"))    ? LDAP_SCOPE_SUBTREE
               : str_eq(scope, S("one"))  ? LDAP_SCOPE_ONELEVEL
               : str_eq(scope, S("base")) ? LDAP_SCOPE_BASE
                                          : LDAP_SCOPE_DEFAULT;
    return s->scope != LDAP_SCOPE_DEFAULT ? RC_OK : table_fail(t, e, RC_PERM, "scope is sub, one or base");
}

static enum rc take_numbers(struct table *t, struct err *e)
{
    struct ldap_table *s = t->state;
    uint32_t timeout = 0, dereference = 0, expansion = 0;
    enum rc rc =
        lookup_get_number(t, s->lookup, "timeout", (uint32_t)t->env.timeout_ms / 1000, 3600, &timeout, e);
    if (rc == RC_OK)
        rc = lookup_get_number(t, s->lookup, "dereference", LDAP_DEREF_NEVER, LDAP_DEREF_ALWAYS, &dereference,
                               e);
    if (rc == RC_OK)
        rc = lookup_get_number(t, s->lookup, "expansion_limit", 0, INT32_MAX, &expansion, e);
    if (rc == RC_OK)
        rc = lookup_get_number(t, s->lookup, "size_limit", expansion, INT32_MAX, &s->size_limit, e);
    if (rc == RC_OK)
        rc = lookup_get_number(t, s->lookup, "recursion_limit", RECURSION_MAX, RECURSION_MAX,
                               &s->recursion_limit, e);
    if (lookup_get(s->lookup, "timeout", NULL) && timeout > 0)
        t->env.timeout_ms = (int)timeout * 1000;
    s->session.dereference = (int)dereference;
    return rc;
}

static enum rc take_templates(struct table *t, struct err *e)
{
    struct ldap_table *s = t->state;
    s->base = lookup_get(s->lookup, "search_base", "");
    s->filter = lookup_get(s->lookup, "query_filter", "(mailacceptinggeneralid=%s)");
    s->session.start_tls = lookup_get_bool(s->lookup, "start_tls");
    s->session.require_cert = lookup_get_bool(s->lookup, "tls_require_cert");
    s->session.referrals = lookup_get_bool(s->lookup, "chase_referrals");
    s->session.dn = lookup_get(s->lookup, "bind_dn", "");
    s->session.password = lookup_get(s->lookup, "bind_pw", "");
    s->session.ca_file = lookup_get(s->lookup, "tls_ca_cert_file", NULL);
    s->session.ca_dir = lookup_get(s->lookup, "tls_ca_cert_dir", NULL);
    s->session.cert = lookup_get(s->lookup, "tls_cert", NULL);
    s->session.key = lookup_get(s->lookup, "tls_key", NULL);
    s->session.ciphers = lookup_get(s->lookup, "tls_cipher_suite", NULL);
    const char *problem = tablequery_check(str_c(s->base));
    if (!problem)
        problem = tablequery_check(str_c(s->filter));
    return problem ? table_fail(t, e, RC_PERM, "search_base, query_filter: %s", problem) : RC_OK;
}

static enum rc take_settings(struct table *t, struct err *e)
{
    enum rc (*const takers[])(struct table *, struct err *) = {take_templates, take_bind, take_scope,
                                                               take_numbers, make_uris};
    enum rc rc = RC_OK;
    for (size_t i = 0; i < sizeof takers / sizeof *takers && rc == RC_OK; i++)
        rc = takers[i](t, e);
    for (enum meaning m = IS_RESULT; m < MEANINGS && rc == RC_OK; m++)
        rc = add_attributes(t, m, e);
    return rc;
}

static enum rc open_ldap(struct table *t, str name, struct err *e)
{
    static const char *const names[] = {"server_host",
                                        "server_port",
                                        "timeout",
                                        "search_base",
                                        "query_filter",
                                        "result_filter",
                                        "result_attribute",
                                        "special_result_attribute",
                                        "scope",
                                        "bind",
                                        "terminal_result_attribute",
                                        "leaf_result_attribute",
                                        "bind_dn",
                                        "bind_pw",
                                        "recursion_limit",
                                        "size_limit",
                                        "dereference",
                                        "chase_referrals",
                                        "version",
                                        "start_tls",
                                        "tls_ca_cert_file",
                                        "tls_ca_cert_dir",
                                        "tls_cert",
                                        "tls_key",
                                        "tls_require_cert",
                                        "tls_cipher_suite",
                                        NULL};
    struct ldap_table *s = calloc(1, sizeof *s);
    must(s);
    t->state = s;
    enum rc rc = lookup_open(t, name, names, &s->lookup, e);
    if (rc == RC_OK)
        rc = take_settings(t, e);
    if (rc != RC_OK || t->env.unasked)
        return rc;
    ldap_session_note_files(t, &s->session);
    rc = ldap_session_load(t, &s->session, e);
    if (rc == RC_OK)
        t->pool = pool_new(&connections, t->env.connections);
    return rc;
}

static enum rc find_ldap(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    struct ldap_table *s = t->state;
    enum rc rc = lookup_check_key(s->lookup, key, e);
    return rc == RC_OK ? pool_find(t->pool, t, key, a, ret, e) : rc;
}

static void close_ldap(struct table *t)
{
    struct ldap_table *s = t->state;
    if (!s)
        return;
    lookup_free(s->lookup);
    for (size_t i = 0; i < s->attribute_count; i++)
        free(s->attributes[i]);
    free(s->uris);
    free(s);
}

const struct table_type table_ldap = {
    .name = "ldap", .folds = true, .asks = true, .open = open_ldap, .find = find_ldap, .close = close_ldap};
