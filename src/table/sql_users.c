/* dovecot-sql:/path.conf.ext: a file of Dovecot's for SQL. The types sqlite, pgsql and mysql do the
 * asking. */
#include "table/users.h"

enum { QUESTION_ARENA = 64 << 10 };

struct sql_users {
    struct table_texts *settings;
};

static const char *const names[] = {
    "driver",        "connect",      "default_pass_scheme",    "user_query", "password_query",
    "iterate_query", "update_query", "userdb_warning_disable", NULL};

struct sql_users *sql_users_free(struct sql_users *u)
{
    if (u)
        table_texts_free(u->settings);
    free(u);
    return NULL;
}

str sql_users_connect(const struct sql_users *u)
{
    return users_get(u->settings, "connect", "");
}

static str query_of(const struct sql_users *u, enum users_ask ask, const char **ret_name)
{
    switch (ask) {
    case USERS_PASSWORD:
        *ret_name = "password_query";
        return users_get(
            u->settings, *ret_name,
            "SELECT username, domain, password FROM users WHERE username = '%n' AND domain = '%d'");
    case USERS_USER:
        *ret_name = "user_query";
        return users_get(u->settings, *ret_name,
                         "SELECT home, uid, gid FROM users WHERE username = '%n' AND domain = '%d'");
    case USERS_LIST:
        break;
    }
    *ret_name = "iterate_query";
    return users_get(u->settings, *ret_name, "SELECT username, domain FROM users");
}

enum rc sql_users_query(struct table *t, const struct sql_users *u, str key, authdb_quote *quote,
                        void *quote_ctx, struct buf *statement, struct buf *out, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(QUESTION_ARENA);
    struct users_question q;
    const char *name;
    enum rc rc = users_question_get(t, key, a, &q, e);
    if (rc != RC_OK)
        return rc;
    str text = query_of(u, q.ask, &name);
    if (q.ask == USERS_PASSWORD && users_needs_password(text) && !q.vars.password.p) {
        users_ask_password(out);
        return RC_GONE;
    }
    return users_expand(t, name, text, &q, quote, quote_ctx, statement, e);
}

/* username and domain, as Dovecot's examples have them, are the user's name. */
static enum rc take_columns(const struct sql_column *columns, size_t n, struct arena *a,
                            struct authdb_fields *f)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        if (!columns[i].is_null && columns[i].name.n > 0)
            rc = authdb_fields_set(f, columns[i].name, columns[i].value);
    const struct authdb_field *local = authdb_fields_find(f, S("username")),
                              *domain = authdb_fields_find(f, S("domain"));
    if (rc != RC_OK || !local)
        return rc;
    str whole = arena_printf(a, STR_FMT "%s" STR_FMT, STR_ARG(local->value), domain ? "@" : "",
                             STR_ARG(domain ? domain->value : STR_NONE));
    authdb_fields_del(f, S("username"));
    authdb_fields_del(f, S("domain"));
    return arena_exhausted(a) ? RC_LIMIT : authdb_fields_set(f, S("user"), whole);
}

enum rc sql_users_row(struct table *t, const struct sql_users *u, str key, const struct sql_column *columns,
                      size_t n, struct buf *out, uint32_t *count, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(2 * QUESTION_ARENA);
    struct users_question q;
    struct authdb_fields f = {.n = 0};
    enum rc rc = users_question_get(t, key, a, &q, e);
    if (rc != RC_OK)
        return rc;
    if (take_columns(columns, n, a, &f) != RC_OK)
        return table_fail(t, e, RC_TEMP, "a row has too many columns");
    if (q.ask != USERS_LIST && (*count)++ > 0)
        return table_fail(t, e, RC_TEMP, "a query gives more than one row");
    *count += q.ask == USERS_LIST;
    if (q.ask == USERS_PASSWORD && !authdb_fields_find(&f, S("scheme")))
        rc = authdb_fields_set(&f, S("scheme"), users_get(u->settings, "default_pass_scheme", "MD5"));
    if (rc == RC_OK)
        authdb_fields_put(out, &f);
    return rc == RC_OK && !out->overflow ? RC_OK : table_fail(t, e, RC_TEMP, "an answer is too long");
}

/* --- the table --- */

static enum rc open_sql_users(struct table *t, str name, struct err *e)
{
    struct sql_users *u = calloc(1, sizeof *u);
    must(u);
    enum rc rc = users_settings(t, name, names, &u->settings, e);
    str driver = rc == RC_OK ? users_get(u->settings, "driver", "") : S("");
    if (rc == RC_OK && str_eq(driver, S("sqlite")))
        return sqlite_open_users(t, u, e);
    if (rc == RC_OK && str_eq(driver, S("pgsql")))
        return pgsql_open_users(t, u, e);
    if (rc == RC_OK && str_eq(driver, S("mysql")))
        return mysql_open_users(t, u, e);
    if (rc == RC_OK)
        rc = table_fail(t, e, RC_PERM, "driver = " STR_FMT ": malle asks sqlite, pgsql and mysql",
                        STR_ARG(str_sub(driver, 0, 40)));
    sql_users_free(u);
    return rc;
}

const struct table_type table_sql_users = {
    .name = "dovecot-sql", .whole_keys = true, .asks = true, .open = open_sql_users};
