/* dovecot-ldap:/path.conf.ext: a file of Dovecot's for LDAP. Passwords are told (pass_attrs), or verified by
 * a bind of the user's own (auth_bind), on a connection that is closed afterwards. */
#include "table/ldap_session.h"
#include "table/pool.h"
#include "table/users.h"

#include "fmt/tablequery.h"
#include "fmt/tablespec.h"

#include <strings.h>

enum { ATTRIBUTES_MAX = 64, TEMPLATE_MAX = 64 << 10, QUESTION_ARENA = 256 << 10, LIST_MAX = 100000 };

/* attribute=field, attribute=field=template, =field=template */
struct mapping {
    str attribute, field, template;
};

struct mappings {
    struct mapping v[ATTRIBUTES_MAX];
    size_t n;
    char *wanted[2 * ATTRIBUTES_MAX + 1]; /* NULL behind the last */
    size_t n_wanted;
};

struct ldap_users {
    struct ldap_session session;
    struct table_texts *settings;
    char *uris;
    bool auth_bind;
    int scope;
    struct mappings of[USERS_LIST + 1];
};

struct connection {
    const struct ldap_session *session;
    LDAP *ld;
};

static str get(const struct ldap_users *u, const char *name, const char *otherwise)
{
    return users_get(u->settings, name, otherwise);
}

/* --- connecting --- */

static enum rc connect_users(struct table *t, msec deadline, void **ret, struct err *e)
{
    struct ldap_users *u = t->state;
    struct connection *c = calloc(1, sizeof *c);
    must(c);
    c->session = &u->session;
    enum rc rc = ldap_session_open(t, &u->session, &c->ld, e);
    if (rc == RC_OK)
        *ret = c;
    else
        free(c);
    return rc;
}

static void disconnect_users(void *connection)
{
    struct connection *c = connection;
    c->session->lib.ldap_unbind_ext_s(c->ld, NULL, NULL);
    free(c);
}

/* --- an entry --- */

struct asking {
    struct table *t;
    struct ldap_users *u;
    const struct connection *c;
    struct users_question q;
    bool exists; /* whether there is one is all that is asked */
    msec deadline;
    struct arena *a;
    struct err *e;
};

/* The first value of an attribute; p NULL: there is none. */
static str first_value(const struct asking *x, LDAPMessage *entry, str attribute)
{
    const struct libldap *lib = &x->u->session.lib;
    AUTO(str_freep) char *name = str_dup(attribute);
    struct berval **values = lib->ldap_get_values_len(x->c->ld, entry, name);
    str value = STR_NONE;
    if (values && values[0] && !memchr(values[0]->bv_val, '\0', values[0]->bv_len))
        value = arena_str(x->a, str_mem(values[0]->bv_val, values[0]->bv_len));
    if (values)
        lib->ldap_value_free_len(values);
    return value;
}

/* Up to the next "%$" or "%{ldap:NAME}" of a template. */
static str before_value(str text)
{
    ptrdiff_t self = str_find(text, S("%$")), named = str_find(text, S("%{ldap:"));
    if (self < 0 || (named >= 0 && named < self))
        self = named;
    return self < 0 ? text : str_sub(text, 0, (size_t)self);
}

static enum rc fill(const struct asking *x, LDAPMessage *entry, const struct mapping *m, str own,
                    struct buf *out)
{
    str rest = m->template;
    while (rest.n > 0) {
        str plain = before_value(rest);
        enum rc rc = users_expand(x->t, "a template", plain, &x->q, NULL, NULL, out, x->e);
        if (rc != RC_OK)
            return rc;
        rest = str_from(rest, plain.n);
        if (str_starts(rest, S("%$"))) {
            buf_puts(out, own);
            rest = str_from(rest, 2);
        } else if (rest.n > 0) {
            (void)str_take(&rest, ':');
            buf_puts(out, first_value(x, entry, str_take(&rest, '}')));
        }
    }
    return out->overflow ? table_fail(x->t, x->e, RC_TEMP, "a value is too long") : RC_OK;
}

static enum rc take_entry(const struct asking *x, LDAPMessage *entry, struct authdb_fields *f)
{
    const struct mappings *all = &x->u->of[x->q.ask];
    for (size_t i = 0; i < all->n; i++) {
        const struct mapping *m = &all->v[i];
        AUTO(buf_wipe) struct buf text = BUF_INIT(TEMPLATE_MAX);
        str own = m->attribute.n > 0 ? first_value(x, entry, m->attribute) : S("");
        if (!own.p)
            continue;
        enum rc rc = RC_OK;
        if (m->template.p)
            rc = fill(x, entry, m, own, &text);
        else
            buf_puts(&text, own);
        if (rc == RC_OK && authdb_fields_set(f, m->field, arena_str(x->a, buf_str(&text))) != RC_OK)
            rc = table_fail(x->t, x->e, RC_TEMP, "an entry has too many attributes");
        if (rc != RC_OK)
            return rc;
    }
    return arena_exhausted(x->a) ? table_fail(x->t, x->e, RC_TEMP, "an entry is too large") : RC_OK;
}

/* --- searching --- */

static enum rc search(const struct asking *x, const char *filter_name, const char *otherwise,
                      LDAPMessage **ret)
{
    AUTO(buf_deinit) struct buf base = BUF_INIT(TEMPLATE_MAX), filter = BUF_INIT(TEMPLATE_MAX);
    struct ldap_users *u = x->u;
    msec left = x->deadline - clock_mono();
    struct timeval tv = {left / 1000, left % 1000 * 1000};
    enum rc rc =
        users_expand(x->t, "base", get(u, "base", ""), &x->q, tablequery_quote_dn, NULL, &base, x->e);
    if (rc == RC_OK)
        rc = users_expand(x->t, filter_name, get(u, filter_name, otherwise), &x->q, tablequery_quote_filter,
                          NULL, &filter, x->e);
    if (rc != RC_OK)
        return rc;
    if (left <= 0)
        return table_fail(x->t, x->e, RC_INVALID, "no answer within %d ms", x->t->env.timeout_ms);
    int code = u->session.lib.ldap_search_ext_s(x->c->ld, buf_cstr(&base), u->scope, buf_cstr(&filter),
                                                u->of[x->q.ask].wanted, 0, NULL, NULL, &tv,
                                                x->q.ask == USERS_LIST ? LIST_MAX : 2, ret);
    if (code == LDAP_SUCCESS || code == LDAP_NO_SUCH_OBJECT)
        return RC_OK;
    if (code == LDAP_SIZELIMIT_EXCEEDED) /* who the others are is not known */
        return table_fail(x->t, x->e, RC_TEMP, "a search gives more entries than it may");
    return ldap_session_fail(x->t, &u->session, x->e, code == LDAP_FILTER_ERROR ? RC_PERM : RC_INVALID,
                             "search", code);
}

/* The one entry, and its name. RC_GONE: there is none. */
static enum rc find_one(const struct asking *x, struct authdb_fields *f, char **ret_dn)
{
    const struct libldap *lib = &x->u->session.lib;
    LDAPMessage *result = NULL;
    bool pass = x->q.ask == USERS_PASSWORD;
    enum rc rc =
        search(x, pass ? "pass_filter" : "user_filter", "(&(objectClass=posixAccount)(uid=%u))", &result);
    LDAPMessage *entry = rc == RC_OK && result ? lib->ldap_first_entry(x->c->ld, result) : NULL;
    if (rc == RC_OK && !entry)
        rc = RC_GONE;
    else if (rc == RC_OK && lib->ldap_next_entry(x->c->ld, entry))
        rc = table_fail(x->t, x->e, RC_TEMP, "a search gives more than one entry");
    else if (rc == RC_OK)
        rc = take_entry(x, entry, f);
    if (rc == RC_OK && ret_dn) {
        char *dn = lib->ldap_get_dn(x->c->ld, entry);
        *ret_dn = str_dup(str_c(dn));
        lib->ldap_memfree(dn);
    }
    if (result)
        lib->ldap_msgfree(result);
    return rc;
}

/* --- passwords --- */

/* Whether the password is that of the entry: RC_OK, RC_GONE: it is not, or an error. An empty one would be a
 * bind of nobody, which servers take. */
static enum rc try_bind(const struct asking *x, const char *dn)
{
    LDAP *ld = NULL;
    if (x->q.vars.password.n == 0 || dn[0] == '\0')
        return RC_GONE;
    enum rc rc = ldap_session_connect(x->t, &x->u->session, &ld, x->e);
    if (rc != RC_OK)
        return rc;
    int code = ldap_session_bind(&x->u->session, ld, dn, x->q.vars.password);
    x->u->session.lib.ldap_unbind_ext_s(ld, NULL, NULL);
    if (code == LDAP_SUCCESS)
        return RC_OK;
    if (code == LDAP_INVALID_CREDENTIALS || code == LDAP_INAPPROPRIATE_AUTH || code == LDAP_NO_SUCH_OBJECT ||
        code == LDAP_INVALID_DN_SYNTAX)
        return RC_GONE;
    return ldap_session_fail(x->t, &x->u->session, x->e, RC_TEMP, "bind of a user", code);
}

/* What was verified here has no password any more, and nopassword; what is wrong, neither of both. */
static enum rc verify(const struct asking *x, struct authdb_fields *f)
{
    AUTO(str_freep) char *dn = NULL;
    str template = get(x->u, "auth_bind_userdn", "");
    enum rc rc = RC_OK;
    if (template.n > 0) {
        AUTO(buf_deinit) struct buf text = BUF_INIT(TEMPLATE_MAX);
        rc = users_expand(x->t, "auth_bind_userdn", template, &x->q, tablequery_quote_dn, NULL, &text, x->e);
        dn = str_dup(buf_str(&text));
    } else {
        rc = find_one(x, f, &dn);
    }
    authdb_fields_del(f, S("password"));
    authdb_fields_del(f, S("nopassword"));
    if (rc != RC_OK)
        return rc;
    rc = x->exists ? RC_OK : try_bind(x, dn);
    if (rc == RC_OK)
        return authdb_fields_set(f, S("nopassword"), S("yes"));
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc answer_list(const struct asking *x, struct buf *out)
{
    const struct libldap *lib = &x->u->session.lib;
    LDAPMessage *result = NULL;
    enum rc rc = search(x, "iterate_filter", "(objectClass=posixAccount)", &result);
    LDAPMessage *entry = rc == RC_OK && result ? lib->ldap_first_entry(x->c->ld, result) : NULL;
    for (; entry && rc == RC_OK; entry = lib->ldap_next_entry(x->c->ld, entry)) {
        struct authdb_fields f = {.n = 0};
        rc = take_entry(x, entry, &f);
        if (rc == RC_OK && f.n > 0)
            authdb_fields_put(out, &f);
        arena_reset(x->a);
    }
    if (result)
        lib->ldap_msgfree(result);
    return rc;
}

static enum rc answer(const struct asking *x, struct buf *out)
{
    struct authdb_fields f = {.n = 0};
    enum rc rc;
    if (x->q.ask == USERS_LIST)
        return answer_list(x, out);
    bool binds = x->q.ask == USERS_PASSWORD && x->u->auth_bind;
    if (binds && !x->q.vars.password.p && (!x->exists || get(x->u, "auth_bind_userdn", "").n > 0)) {
        users_ask_password(out);
        return RC_OK;
    }
    rc = binds ? verify(x, &f) : find_one(x, &f, NULL);
    if (rc == RC_OK && x->q.ask == USERS_PASSWORD && !binds && !authdb_fields_find(&f, S("scheme")))
        rc = authdb_fields_set(&f, S("scheme"), get(x->u, "default_pass_scheme", "CRYPT"));
    if (rc == RC_OK && f.n == 0) /* an entry of which nothing is wanted is there all the same */
        rc = authdb_fields_set(&f, S("found"), S("yes"));
    if (rc == RC_OK)
        authdb_fields_put(out, &f);
    return rc == RC_LIMIT || out->overflow ? table_fail(x->t, x->e, RC_TEMP, "an entry is too large") : rc;
}

static enum rc ask_users(struct table *t, void *connection, str key, msec deadline, struct buf *out,
                         struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(QUESTION_ARENA), *question = arena_new(QUESTION_ARENA);
    struct asking x = {.t = t, .u = t->state, .c = connection, .deadline = deadline, .a = a, .e = e};
    enum rc rc = users_question_get(t, key, question, &x.q, e);
    x.exists = str_starts(key, S("\task=exists"));
    return rc == RC_OK ? answer(&x, out) : rc;
}

/* --- the table --- */

static const struct pool_type connections = {connect_users, disconnect_users, ask_users};

/* hosts: names with or without a port; uris: URLs. */
static enum rc make_uris(struct table *t, struct ldap_users *u, struct err *e)
{
    AUTO(buf_deinit) struct buf uris = BUF_INIT(8192);
    str list = get(u, "hosts", ""), host;
    buf_puts(&uris, get(u, "uris", ""));
    while (tablespec_take(&list, &host) == RC_OK)
        buf_printf(&uris, "%sldap://" STR_FMT, uris.n > 0 ? " " : "", STR_ARG(host));
    if (uris.n == 0 || uris.overflow)
        return table_fail(t, e, RC_PERM, "hosts or uris is missing");
    u->session.uris = u->uris = str_dup(buf_str(&uris));
    return RC_OK;
}

static enum rc want(struct table *t, struct mappings *all, str attribute, struct err *e)
{
    if (all->n_wanted == 2 * ATTRIBUTES_MAX)
        return table_fail(t, e, RC_PERM, "more than %d attributes", 2 * ATTRIBUTES_MAX);
    all->wanted[all->n_wanted++] = str_dup(attribute);
    return RC_OK;
}

static enum rc take_mapping(struct table *t, struct mappings *all, str item, struct err *e)
{
    struct mapping m = {.attribute = str_trim(str_take(&item, '='))};
    m.field = item.p ? str_trim(str_take(&item, '=')) : m.attribute;
    m.template = item;
    enum rc rc = m.attribute.n > 0 ? want(t, all, m.attribute, e) : RC_OK;
    for (str rest = m.template; rc == RC_OK && str_find(rest, S("%{ldap:")) >= 0;) {
        rest = str_from(rest, (size_t)str_find(rest, S("%{ldap:")) + 7);
        rc = want(t, all, str_take(&rest, '}'), e);
    }
    if (rc == RC_OK && (all->n == ATTRIBUTES_MAX || m.field.n == 0))
        return table_fail(t, e, RC_PERM, "attributes are written as ATTRIBUTE=FIELD, %d of them at most",
                          ATTRIBUTES_MAX);
    if (rc == RC_OK)
        all->v[all->n++] = m;
    return rc;
}

static enum rc take_mappings(struct table *t, struct mappings *all, str list, struct err *e)
{
    char between = str_chr(list, '\n') >= 0 ? '\n' : ','; /* of 2.4, where a value may have commas */
    while (list.n > 0) {
        str item = str_trim(str_take(&list, between));
        enum rc rc = item.n > 0 ? take_mapping(t, all, item, e) : RC_OK;
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static bool is_yes(const struct ldap_users *u, const char *name)
{
    return str_ieq(get(u, name, "no"), S("yes"));
}

static enum rc take_words(struct table *t, struct ldap_users *u, struct err *e)
{
    static const struct users_word scopes[] = {{"subtree", LDAP_SCOPE_SUBTREE},
                                               {"onelevel", LDAP_SCOPE_ONELEVEL},
                                               {"base", LDAP_SCOPE_BASE},
                                               {NULL, 0}};
    static const struct users_word derefs[] = {{"never", LDAP_DEREF_NEVER},
                                               {"searching", LDAP_DEREF_SEARCHING},
                                               {"finding", LDAP_DEREF_FINDING},
                                               {"always", LDAP_DEREF_ALWAYS},
                                               {NULL, 0}};
    /* a server always shows a certificate, so that "try" is as good as the others */
    static const struct users_word checks[] = {{"hard", true},   {"demand", true}, {"try", true},
                                               {"allow", false}, {"never", false}, {NULL, 0}};
    int check = true;
    enum rc rc = users_get_word(t, u->settings, "scope", scopes, &u->scope, e);
    if (rc == RC_OK)
        rc = users_get_word(t, u->settings, "deref", derefs, &u->session.dereference, e);
    if (rc == RC_OK)
        rc = users_get_word(t, u->settings, "tls_require_cert", checks, &check, e);
    u->session.require_cert = check;
    ldap_session_warn(t, &u->session, "hard");
    return rc;
}

static enum rc take_session(struct table *t, struct ldap_users *u, struct err *e)
{
    struct ldap_session *s = &u->session;
    s->dn = get(u, "dn", "").p;
    s->password = get(u, "dnpass", "").p;
    s->bind = s->dn[0] != '\0';
    s->start_tls = is_yes(u, "tls");
    s->ca_file = table_texts_find(u->settings, S("tls_ca_cert_file"));
    s->ca_dir = table_texts_find(u->settings, S("tls_ca_cert_dir"));
    s->cert = table_texts_find(u->settings, S("tls_cert_file"));
    s->key = table_texts_find(u->settings, S("tls_key_file"));
    s->ciphers = table_texts_find(u->settings, S("tls_cipher_suite"));
    u->auth_bind = is_yes(u, "auth_bind");
    if (is_yes(u, "sasl_bind"))
        return table_fail(t, e, RC_PERM, "sasl_bind is not possible here; dn and dnpass are");
    return make_uris(t, u, e);
}

static enum rc take_settings(struct table *t, struct ldap_users *u, struct err *e)
{
    enum rc rc = take_session(t, u, e);
    if (rc == RC_OK)
        rc = take_words(t, u, e);
    if (rc == RC_OK)
        rc = take_mappings(t, &u->of[USERS_PASSWORD], get(u, "pass_attrs", "uid=user,userPassword=password"),
                           e);
    if (rc == RC_OK)
        rc = take_mappings(t, &u->of[USERS_USER],
                           get(u, "user_attrs", "homeDirectory=home,uidNumber=uid,gidNumber=gid"), e);
    return rc == RC_OK ? take_mappings(t, &u->of[USERS_LIST], get(u, "iterate_attrs", "uid=user"), e) : rc;
}

static enum rc open_users(struct table *t, str name, struct err *e)
{
    static const char *const names[] = {"hosts",
                                        "uris",
                                        "dn",
                                        "dnpass",
                                        "base",
                                        "scope",
                                        "deref",
                                        "tls",
                                        "tls_ca_cert_file",
                                        "tls_ca_cert_dir",
                                        "tls_cert_file",
                                        "tls_key_file",
                                        "ldap_version",
                                        "tls_cipher_suite",
                                        "tls_require_cert",
                                        "auth_bind",
                                        "user_attrs",
                                        "user_filter",
                                        "auth_bind_userdn",
                                        "pass_attrs",
                                        "pass_filter",
                                        "iterate_attrs",
                                        "sasl_bind",
                                        "iterate_filter",
                                        "default_pass_scheme",
                                        "debug_level",
                                        "blocking",
                                        NULL};
    struct ldap_users *u = calloc(1, sizeof *u);
    must(u);
    t->state = u;
    enum rc rc = users_settings(t, name, names, &u->settings, e);
    if (rc == RC_OK)
        rc = take_settings(t, u, e);
    if (rc != RC_OK || t->env.unasked)
        return rc;
    ldap_session_note_files(t, &u->session);
    rc = ldap_session_load(t, &u->session, e);
    if (rc == RC_OK)
        t->pool = pool_new(&connections, t->env.connections);
    return rc;
}

static enum rc find_users(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    return pool_find(t->pool, t, key, a, ret, e);
}

static void close_users(struct table *t)
{
    struct ldap_users *u = t->state;
    if (!u)
        return;
    for (int i = 0; i <= USERS_LIST; i++)
        for (size_t k = 0; k < u->of[i].n_wanted; k++)
            free(u->of[i].wanted[k]);
    table_texts_free(u->settings);
    free(u->uris);
    free(u);
}

const struct table_type table_ldap_users = {.name = "dovecot-ldap",
                                            .whole_keys = true,
                                            .asks = true,
                                            .open = open_users,
                                            .find = find_users,
                                            .close = close_users};
