/* Listing the users of the databases of userdb. */
#include "role/auth_impl.h"

#include "account/databases.h"

static enum rc list_one(struct auth_server *a, const struct account_lookup *l, const struct authdb *db,
                        struct name_page *page, struct err *e)
{
    switch (db->driver) {
    case AUTHDB_SQL:
    case AUTHDB_LDAP:
        return databases_each_in_table(l->tables, db, name_page_add, page, e);
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
