/* SQL and LDAP databases of 2.4 in the words of dovecot-sql.conf.ext and dovecot-ldap.conf.ext. */
#include "conf/dovecot_24_impl.h"

#include "conf/dovecot_files.h"
#include "os/file.h"

#define FAIL(e, ...) err_set((e), RC_PERM, 0, "", __VA_ARGS__)

struct giving {
    struct dovecot_24 *x;
    const struct dovecot_block *b;
    dovecot_24_fn *fn;
    void *fn_ctx;
    struct err *e;
};

/* --- one setting --- */

static void give(const struct giving *g, const char *now, const char *then, const char *otherwise)
{
    const struct dovecot_setting *s = dovecot_24_own(g->x, g->b, now);
    if (s || otherwise)
        g->fn(g->fn_ctx, str_c(then), s ? s->value : str_c(otherwise));
}

/* One with variables. */
static enum rc give_text(const struct giving *g, const char *now, const char *then, bool needed)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(DOVECOT_24_VALUE_MAX);
    const struct dovecot_setting *s = dovecot_24_own(g->x, g->b, now);
    if (!s)
        return needed ? FAIL(g->e, "%s is missing", now) : RC_OK;
    enum rc rc = dovecot_24_put(g->x, s, &text, g->e);
    if (rc == RC_OK)
        g->fn(g->fn_ctx, str_c(then), buf_str(&text));
    return rc;
}

/* --- SQL --- */

/* name='value', as libpq reads it. */
static void put_parameter(struct buf *out, str name, str value)
{
    buf_printf(out, "%s" STR_FMT "='", out->n ? " " : "", STR_ARG(name));
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '\'' || value.p[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, value.p[i]);
    }
    buf_putc(out, '\'');
}

/* All settings in the block but those of the names that malle has no word for, "mysql_" in front or not. */
static void put_parameters(const struct giving *g, const struct dovecot_block *in, str prefix,
                           struct buf *out)
{
    for (size_t i = 0; in && i < g->x->conf->count; i++) {
        const struct dovecot_setting *s = &g->x->conf->settings[i];
        if (s->block != in || !dovecot_24_find(g->x, in, s->name) || str_eq(s->name, S("connection_limit")))
            continue;
        str name = str_starts(s->name, prefix) ? str_from(s->name, prefix.n) : s->name;
        put_parameter(out, name, s->value);
    }
}

/* "pgsql NAME { host = x parameters { user = y } }", "mysql NAME { host = x user = y }": the name is the host
 * where none is said. */
static enum rc put_server(const struct giving *g, const char *kind, struct buf *out)
{
    const struct dovecot_block *b = dovecot_24_inner(g->x, g->b, kind);
    b = b ? b : dovecot_24_inner(g->x, NULL, kind);
    if (!b)
        return FAIL(g->e, "a block %s HOST { ... } is missing", kind);
    bool pg = str_eq(b->kind, S("pgsql"));
    const struct dovecot_setting *host = dovecot_24_find(g->x, b, S("host"));
    host = host ? host : dovecot_24_find(g->x, b, pg ? S("pgsql_host") : S("mysql_host"));
    const struct dovecot_block *parameters =
        dovecot_24_inner(g->x, b, pg ? "parameters" : "mysql_parameters");
    if (pg && !parameters)
        parameters = dovecot_24_inner(g->x, b, "pgsql_parameters");
    if (!host || pg)
        put_parameter(out, S("host"), host ? host->value : b->name);
    put_parameters(g, pg ? parameters : b, pg ? S("pgsql_") : S("mysql_"), out);
    return out->overflow ? FAIL(g->e, "the settings of %s are too long", kind) : RC_OK;
}

static enum rc give_sql(const struct giving *g)
{
    AUTO(buf_wipe) struct buf connect = BUF_INIT(DOVECOT_24_VALUE_MAX);
    bool pass = str_eq(g->b->kind, S("passdb"));
    const struct dovecot_setting *driver = dovecot_24_own(g->x, g->b, "sql_driver");
    enum rc rc = RC_OK;
    if (!driver)
        return FAIL(g->e, "sql_driver is missing");
    if (str_eq(driver->value, S("sqlite"))) {
        const struct dovecot_setting *path = dovecot_24_own(g->x, g->b, "sqlite_path");
        if (!path)
            return FAIL(g->e, "sqlite_path is missing");
        buf_puts(&connect, path->value);
    } else if (str_eq(driver->value, S("pgsql")) || str_eq(driver->value, S("mysql"))) {
        rc = put_server(g, str_eq(driver->value, S("pgsql")) ? "pgsql" : "mysql", &connect);
    }
    if (rc != RC_OK)
        return rc;
    g->fn(g->fn_ctx, S("driver"), driver->value);
    g->fn(g->fn_ctx, S("connect"), buf_str(&connect));
    if (pass)
        give(g, "passdb_default_password_scheme", "default_pass_scheme", "CRYPT");
    rc = give_text(g, pass ? "passdb_sql_query" : "userdb_sql_query", pass ? "password_query" : "user_query",
                   true);
    return rc == RC_OK && !pass ? give_text(g, "userdb_sql_iterate_query", "iterate_query", false) : rc;
}

/* --- LDAP --- */

/* "%{ldap:NAME}" and nothing else. */
static bool is_attribute(str value, str *ret)
{
    if (!str_starts(value, S("%{ldap:")) || !str_ends(value, S("}")))
        return false;
    *ret = str_sub(value, 7, value.n - 8);
    return str_chr(*ret, '}') < 0 && str_chr(*ret, ' ') < 0 && str_chr(*ret, ':') < 0 && ret->n > 0;
}

/* attribute=field where it is one, so that who has none has no field, else =field=template. */
static enum rc give_attributes(const struct giving *g, const struct dovecot_block *fields, const char *then)
{
    AUTO(buf_deinit) struct buf list = BUF_INIT(DOVECOT_24_VALUE_MAX);
    for (size_t i = 0; fields && i < g->x->conf->count; i++) {
        const struct dovecot_setting *s = &g->x->conf->settings[i];
        str attribute;
        if (s->block != fields || !dovecot_24_find(g->x, fields, s->name) || str_chr(s->name, ':') >= 0)
            continue;
        if (is_attribute(s->value, &attribute)) {
            buf_printf(&list, STR_FMT "=" STR_FMT "\n", STR_ARG(attribute), STR_ARG(s->name));
            continue;
        }
        buf_printf(&list, "=" STR_FMT "=", STR_ARG(s->name));
        enum rc rc = dovecot_24_put(g->x, s, &list, g->e);
        if (rc != RC_OK)
            return rc;
        buf_putc(&list, '\n');
    }
    if (list.overflow)
        return FAIL(g->e, "the fields are too long");
    if (list.n == 0)
        buf_putc(&list, '\n'); /* none, and not what 2.3 has of itself */
    g->fn(g->fn_ctx, str_c(then), buf_str(&list));
    return RC_OK;
}

static enum rc give_filters(const struct giving *g, bool pass)
{
    const char *own = pass ? "passdb_ldap_filter" : "userdb_ldap_filter",
               *then = pass ? "pass_filter" : "user_filter";
    bool has_own = dovecot_24_own(g->x, g->b, own) != NULL;
    bool binds = pass && dovecot_24_own(g->x, g->b, "passdb_ldap_bind_userdn");
    enum rc rc = give_text(g, has_own ? own : "ldap_filter", then, !binds);
    if (rc == RC_OK && pass)
        rc = give_text(g, "passdb_ldap_bind_userdn", "auth_bind_userdn", false);
    if (rc == RC_OK && !pass)
        rc = give_text(g, "userdb_ldap_iterate_filter", "iterate_filter", false);
    return rc;
}

static enum rc give_ldap(const struct giving *g)
{
    static const char *const names[][2] = {
        {"ldap_uris", "uris"},
        {"ldap_auth_dn", "dn"},
        {"ldap_auth_dn_password", "dnpass"},
        {"ldap_scope", "scope"},
        {"ldap_starttls", "tls"},
        {"ldap_deref", "deref"},
        {"ssl_client_ca_file", "tls_ca_cert_file"},
        {"ssl_client_ca_dir", "tls_ca_cert_dir"},
        {"ssl_client_cert_file", "tls_cert_file"},
        {"ssl_client_key_file", "tls_key_file"},
        {"passdb_ldap_bind", "auth_bind"},
    };
    bool pass = str_eq(g->b->kind, S("passdb"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (pass || !str_starts(str_c(names[i][0]), S("passdb")))
            give(g, names[i][0], names[i][1], NULL);
    if (pass)
        give(g, "passdb_default_password_scheme", "default_pass_scheme", "CRYPT");
    enum rc rc = give_text(g, "ldap_base", "base", false);
    if (rc == RC_OK)
        rc = give_filters(g, pass);
    const struct dovecot_block *fields = dovecot_24_inner(g->x, g->b, "fields"),
                               *iterate = dovecot_24_inner(g->x, g->b, "iterate_fields");
    fields = fields ? fields : dovecot_24_inner(g->x, g->b, pass ? "passdb_fields" : "userdb_fields");
    iterate = iterate ? iterate : dovecot_24_inner(g->x, g->b, "userdb_ldap_iterate_fields");
    if (rc == RC_OK)
        rc = give_attributes(g, fields, pass ? "pass_attrs" : "user_attrs");
    return rc == RC_OK && !pass ? give_attributes(g, iterate, "iterate_attrs") : rc;
}

enum rc dovecot_24_table(struct dovecot_24 *x, const struct dovecot_block *b, dovecot_24_fn *fn, void *fn_ctx,
                         struct err *e)
{
    struct giving g = {x, b, fn, fn_ctx, e};
    return str_eq(dovecot_24_driver(x, b), S("sql")) ? give_sql(&g) : give_ldap(&g);
}

/* --- by its place --- */

/* FILE!KIND/NAME!DIGEST */
static bool parse_place(str place, str *ret_file, str *ret_kind, str *ret_name)
{
    ptrdiff_t digest = str_rchr(place, '!');
    str front = digest > 0 ? str_sub(place, 0, (size_t)digest) : STR_NONE;
    ptrdiff_t block = str_rchr(front, '!');
    if (block <= 0)
        return false;
    *ret_file = str_sub(front, 0, (size_t)block);
    *ret_name = str_from(front, (size_t)block + 1);
    *ret_kind = str_take(ret_name, '/');
    return ret_name->p != NULL && (str_eq(*ret_kind, S("passdb")) || str_eq(*ret_kind, S("userdb")) ||
                                   str_eq(*ret_kind, S("oauth2")));
}

bool dovecot_24_is_place(str path)
{
    str file, kind, name;
    return parse_place(path, &file, &kind, &name);
}

static enum rc read_conf(const char *file, struct arena *a, struct dovecot_conf *ret, struct err *e)
{
    AUTO(buf_wipe) struct buf text = BUF_INIT(DOVECOT_FILE_MAX);
    if (file_read(file, &text) != RC_OK)
        return err_set(e, RC_TEMP, 0, "", "%s cannot be read", file);
    str copy = arena_str(a, buf_str(&text));
    if (dovecot_files_read(file, copy, NULL, NULL, a, ret) != RC_OK)
        return FAIL(e, "%s has too many settings", file);
    return ret->error_count == 0 ? RC_OK : FAIL(e, "%s has errors", file);
}

enum rc dovecot_24_read(str place, dovecot_24_fn *fn, void *fn_ctx, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(DOVECOT_ARENA_BYTES);
    struct dovecot_conf conf = {0};
    str file, kind, name;
    must(parse_place(place, &file, &kind, &name));
    enum rc rc = read_conf(arena_str(a, file).p, a, &conf, e);
    struct dovecot_24 x = {.conf = &conf, .a = a};
    if (rc == RC_OK)
        rc = dovecot_24_to_23(&x, &conf, e);
    if (rc != RC_OK)
        return rc;
    if (str_eq(kind, S("oauth2")))
        return dovecot_24_oauth2(&x, fn, fn_ctx, e);
    for (size_t i = 0; i < conf.block_count; i++) {
        const struct dovecot_block *b = conf.blocks[i];
        if (!b->parent && str_eq(b->kind, kind) && str_eq(b->name, name))
            return dovecot_24_table(&x, b, fn, fn_ctx, e);
    }
    return FAIL(e, "it is no database of the file any more");
}
