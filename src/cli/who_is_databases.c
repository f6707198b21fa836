/* Asking the databases of passdb and userdb as the role auth does, but in this process. */
#include "cli/who_is_databases.h"

#include "account/database_entry.h"
#include "account/databases.h"
#include "account/pam.h"
#include "cli/cli.h"
#include "table/settings.h"

#include <unistd.h>

/* What the functions below are called with. */
struct asker {
    struct account_lookup lookup;
    struct databases *databases;
    struct table_settings *tables;
    const char *password;
};

static enum rc find_system(void *ctx, str name, struct account_identity *ret, struct err *e)
{
    return passwd_find(name, ret, e);
}

static enum rc find_entry(void *ctx, bool passdb, const struct authdb *db, str user, struct arena *a,
                          struct authdb_fields *ret, struct err *e)
{
    const struct asker *k = ctx;
    return database_entry_find(k->lookup.conf, passdb, db->driver, db->args, user, a, ret, e);
}

static enum rc find_ids(void *ctx, str user, str group, uid_t *ret_uid, gid_t *ret_gid, struct err *e)
{
    return database_entry_ids(user, group, ret_uid, ret_gid, e);
}

static enum rc check(void *ctx, str user, str stored, struct err *e)
{
    const struct asker *k = ctx;
    if (stored.n > 0)
        return password_verify(stored, str_c(k->password));
    return pam_check(k->lookup.conf->pam_service, user, str_c(k->password), STR_NONE, e);
}

static int asker_init(struct asker *k, const struct conf *c)
{
    struct conf_report report = {0};
    *k = (struct asker){.databases = databases_new(c),
                        .tables = table_settings_open(c, "auth", NULL, &report)};
    k->lookup = (struct account_lookup){.conf = c,
                                        .system_user = find_system,
                                        .system_ctx = k,
                                        .databases = k->databases,
                                        .tables = k->tables,
                                        .database_entry = find_entry,
                                        .database_ids = find_ids};
    int status =
        k->tables ? CLI_FINE : cli_fail("%s", report.n > 0 ? report.v[0].text : "tables cannot be opened");
    conf_report_deinit(&report);
    return status;
}

static void asker_deinit(struct asker *k)
{
    databases_free(k->databases);
    table_settings_close(k->tables);
}

static enum rc log_in(struct asker *k, const char *name, struct who_is *w)
{
    str who = str_c(name), login_as = STR_NONE;
    if (k->password)
        databases_split_master(k->lookup.conf, &who, &login_as);
    const struct database_login in = {.name = who,
                                      .login_as = login_as,
                                      .password = str_c(k->password),
                                      .look_up = !k->password,
                                      .service = S("doveadm"),
                                      .mechanism = S("PLAIN"),
                                      .check = check,
                                      .ctx = k};
    struct database_found found;
    AUTO(arena_freep) struct arena *a = arena_new(DATABASES_ARENA);
    enum rc rc = databases_log_in(&k->lookup, &in, a, &found, &w->e);
    if (rc == RC_OK)
        memcpy(w->id.account, found.account, sizeof w->id.account);
    if (in.look_up)
        return rc;
    w->password_fits = rc == RC_OK;
    if (rc == RC_OK)
        rc = found.only_name ? databases_find_user(&k->lookup, str_c(found.account), NULL, &w->id, &w->e)
                             : account_identify_login(&k->lookup, &found, &w->id, &w->e);
    return rc == RC_PERM && !w->password_fits
               ? databases_find_user(&k->lookup, str_c(name), NULL, &w->id, &w->e)
               : rc;
}

int who_is_looked_up(const struct conf *c, const char *name, struct who_is *ret)
{
    struct asker k;
    int status = asker_init(&k, c);
    if (status == CLI_FINE)
        ret->rc = log_in(&k, name, ret);
    asker_deinit(&k);
    return status;
}

int who_is_in_databases(const struct conf *c, uid_t mail_uid, gid_t mail_gid, const char *name,
                        const char *password, struct who_is *ret)
{
    struct asker k;
    int status = asker_init(&k, c);
    k.lookup.mail_uid = mail_uid;
    k.lookup.mail_gid = mail_gid;
    k.password = password;
    if (status == CLI_FINE)
        ret->rc = password ? log_in(&k, name, ret)
                           : databases_find_user(&k.lookup, str_c(name), NULL, &ret->id, &ret->e);
    asker_deinit(&k);
    return status;
}

/* --- all --- */

struct walk {
    void (*fn)(void *ctx, const char *name);
    void *ctx;
};

static void show(void *ctx, str name)
{
    const struct walk *w = ctx;
    AUTO(str_freep) char *text = str_dup(name);
    w->fn(w->ctx, text);
}

int who_is_each_in_databases(const struct conf *c, void (*fn)(void *ctx, const char *name), void *ctx)
{
    struct walk w = {fn, ctx};
    struct asker k;
    struct err e = {0};
    int status = asker_init(&k, c);
    for (size_t i = 0; status == CLI_FINE && k.databases && i < k.databases->n_user; i++) {
        const struct authdb *db = &k.databases->user[i];
        enum rc rc = RC_OK;
        if (db->driver == AUTHDB_PASSWD_FILE)
            rc = database_entry_each(db, show, &w, &e);
        else if (db->driver == AUTHDB_SQL || db->driver == AUTHDB_LDAP)
            rc = databases_each_in_table(k.tables, db, show, &w, &e);
        if (rc != RC_OK)
            status = cli_fail("%s", err_text(&e));
    }
    asker_deinit(&k);
    return status;
}
