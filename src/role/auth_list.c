/* Listing the users of the databases of userdb. */
#include "role/auth_impl.h"

#include "account/databases.h"
#include "fmt/dovecot_auth.h"
#include "table/settings.h"

enum { ANSWER_ARENA = TABLE_VALUE_MAX + (64 << 10) };

/* The answer to "list" is a field for each user (table/users.h). */
static enum rc list_table(const struct account_lookup *l, const struct authdb *db, struct name_page *page,
                          struct err *e)
{
    AUTO(buf_deinit) struct buf spec = BUF_INIT(TABLE_SPEC_MAX);
    AUTO(arena_freep) struct arena *a = arena_new(ANSWER_ARENA);
    str text, name;
    buf_printf(&spec, "dovecot-%s:" STR_FMT, db->driver == AUTHDB_SQL ? "sql" : "ldap", STR_ARG(db->path));
    struct table_list *table = table_settings_find(l->tables, buf_str(&spec));
    if (!table)
        return RC_TEMP;
    enum rc rc = table_list_find(table, TABLE_WHOLE_KEY, S("\task=list"), a, &text, e);
    while (rc == RC_OK && text.n > 0) {
        str value = str_take(&text, '\t'), field = str_take(&value, '=');
        if (str_eq(field, S("user")) && dovecot_auth_unescape(value, a, &name) == RC_OK)
            name_page_add(page, name);
    }
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc list_one(struct auth_server *a, const struct account_lookup *l, const struct authdb *db,
                        struct name_page *page, struct err *e)
{
    switch (db->driver) {
    case AUTHDB_SQL:
    case AUTHDB_LDAP:
        return list_table(l, db, page, e);
    case AUTHDB_PASSWD:
    case AUTHDB_PASSWD_FILE:
        return worker_list(a, db->driver, db->args, page, e);
    default:
        return RC_OK; /* they know no users of their own */
    }
}

enum rc auth_list_userdb(struct auth_server *a, uint32_t n, struct name_page *page, struct err *e)
{
    const struct account_lookup *l = atomic_load(&a->lookup);
    if (l->databases)
        return n < l->databases->n_user ? list_one(a, l, &l->databases->user[n], page, e) : RC_GONE;
    return n == 0 && l->conf->system_users && l->system_user ? worker_list(a, AUTHDB_PASSWD, S(""), page, e)
                                                             : RC_GONE;
}
