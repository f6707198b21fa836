#include "cli/who_is.h"

#include "account/account.h"
#include "account/database_entry.h"
#include "account/pam.h"
#include "account/resolve.h"
#include "cli/accounts.h"
#include "cli/who_is_databases.h"
#include "role/access_groups.h"

#include <errno.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Shared with the child. */
struct question {
    struct cli *cli;
    const char *name, *password;
    uid_t mail_uid;
    gid_t mail_gid;
    char system_name[PAM_USER_MAX + 1]; /* the one user of the system who may be meant */
    enum rc system_rc;
    struct err system_e;
    struct account_identity system;
    struct who_is answer;
};

/* Runs fn with the account database in a child, which ends with what it returns. */
static int in_child(struct cli *cli, int (*fn)(struct account_db *db, void *ctx), void *ctx)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return cli_fail("no process can be started: %s", strerror(errno));
    if (pid == 0) {
        struct account_db *db = NULL;
        if (cli_open_accounts(cli, &db, &status) == RC_OK)
            status = fn(db, ctx);
        account_db_close(db);
        fflush(NULL);
        _exit(status);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return cli_fail("the account database could not be asked");
    return WEXITSTATUS(status);
}

/* --- one --- */

static enum rc answer_system(void *ctx, str name, struct account_identity *ret, struct err *e)
{
    const struct question *q = ctx;
    if (!str_eq(name, str_c(q->system_name)))
        return RC_GONE;
    if (q->system_rc == RC_OK)
        *ret = q->system;
    else
        *e = q->system_e;
    return q->system_rc;
}

/* passwd is out of the child's reach. */
static void ask_system(struct question *q, const struct conf *c)
{
    struct address_key key;
    q->system_rc = RC_GONE;
    if (!c->system_users || c->passdb[0] || c->userdb[0] || address_parse(str_c(q->name), &key) != RC_OK ||
        str_copy(q->system_name, sizeof q->system_name, address_local(&key)) != RC_OK)
        return;
    q->system_rc = passwd_find(str_c(q->system_name), &q->system, &q->system_e);
}

static int ask_database(struct account_db *db, void *ctx)
{
    struct question *q = ctx;
    struct who_is *w = &q->answer;
    struct account account = {0};
    bool system = false;
    const struct account_lookup l = {.db = db,
                                     .conf = cli_conf(q->cli),
                                     .mail_uid = q->mail_uid,
                                     .mail_gid = q->mail_gid,
                                     .system_user = answer_system,
                                     .system_ctx = q};
    w->rc = account_find_login(&l, str_c(q->name), &account, &system, &w->e);
    if (w->rc == RC_OK)
        w->rc = account_identify(&l, str_c(account.address), &w->id, &w->e);
    if (w->rc == RC_OK && q->password && !system)
        w->password_fits = password_verify(str_c(account.secret.hash), str_c(q->password)) == RC_OK;
    account_secret_wipe(&account.secret);
    return CLI_FINE;
}

static int mail_owner(struct question *q, const struct conf *c)
{
    const struct passwd *pw = geteuid() == 0 ? getpwnam(c->mail_user) : NULL;
    bool missing = geteuid() == 0 && (!pw || pw->pw_uid == 0);
    q->mail_uid = (uid_t)-1;
    q->mail_gid = (gid_t)-1;
    if (missing && c->userdb[0])
        return CLI_FINE;
    if (missing)
        return cli_fail("the system user %s is missing; create it as README says", c->mail_user);
    q->mail_uid = pw ? pw->pw_uid : geteuid();
    q->mail_gid = pw ? pw->pw_gid : getegid();
    return CLI_FINE;
}

static void check_system_password(const struct conf *c, const char *password, struct who_is *w)
{
    struct err e = {0};
    enum rc rc = pam_check(c->pam_service, str_c(w->id.account), str_c(password), STR_NONE, &e);
    w->password_fits = rc == RC_OK;
    if (rc != RC_OK && rc != RC_PERM) {
        w->rc = rc;
        w->e = e;
    }
}

/* look_up: for cli_look_up. */
static int ask(struct cli *cli, const char *name, const char *password, bool look_up, struct who_is *ret)
{
    const struct conf *c = cli_conf(cli);
    if (!c)
        return CLI_FINDING;
    struct question *q = mmap(NULL, sizeof *q, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(q != MAP_FAILED);
    *q = (struct question){.cli = cli, .name = name, .password = password};
    int status = mail_owner(q, c);
    if (status == CLI_FINE) {
        ask_system(q, c);
        status = in_child(cli, ask_database, q);
    }
    *ret = q->answer;
    uid_t uid = q->mail_uid;
    gid_t gid = q->mail_gid;
    munmap(q, sizeof *q);
    bool databases = c->passdb[0] || c->userdb[0];
    if (status != CLI_FINE || ret->rc != RC_GONE || !databases)
        return status;
    return look_up ? who_is_looked_up(c, name, ret) : who_is_in_databases(c, uid, gid, name, password, ret);
}

int cli_who_is(struct cli *cli, const char *name, const char *password, struct who_is *ret)
{
    struct access_groups groups;
    int status = ask(cli, name, password, false, ret);
    if (status == CLI_FINE && ret->rc == RC_OK && password && ret->id.system && !ret->password_fits &&
        !cli_conf(cli)->passdb[0])
        check_system_password(cli_conf(cli), password, ret);
    if (status == CLI_FINE && ret->rc == RC_OK) {
        access_groups_find(cli_conf(cli), &groups);
        access_groups_add(&groups, &ret->id);
    }
    return status;
}

int cli_find_account(struct cli *cli, const char *name, struct account_identity *ret)
{
    struct who_is who;
    int status = cli_who_is(cli, name, NULL, &who);
    if (status != CLI_FINE)
        return status;
    if (who.rc == RC_GONE)
        return cli_fail("there is no account %s; see malle user list", name);
    if (who.rc != RC_OK)
        return cli_fail("%s: %s", name, err_text(&who.e));
    *ret = who.id;
    return CLI_FINE;
}

int cli_look_up(struct cli *cli, const char *name, struct who_is *ret)
{
    return ask(cli, name, NULL, true, ret);
}

/* --- all --- */

struct walk {
    void (*fn)(void *ctx, const char *name);
    void *ctx;
};

static void show_account(void *ctx, const struct account *a)
{
    const struct walk *w = ctx;
    w->fn(w->ctx, a->address);
}

static int each_account(struct account_db *db, void *ctx)
{
    struct err e = {0};
    return account_each(db, STR_NONE, show_account, ctx, &e) == RC_OK ? CLI_FINE : cli_fail_err(&e);
}

static void show_system_user(void *ctx, str name)
{
    const struct walk *w = ctx;
    AUTO(str_freep) char *text = str_dup(name);
    w->fn(w->ctx, text);
}

int cli_each_user(struct cli *cli, void (*fn)(void *ctx, const char *name), void *ctx)
{
    struct walk w = {fn, ctx};
    const struct conf *c = cli_conf(cli);
    int status = c ? in_child(cli, each_account, &w) : CLI_FINDING;
    if (status == CLI_FINE && (c->passdb[0] || c->userdb[0]))
        status = who_is_each_in_databases(c, fn, ctx);
    if (status == CLI_FINE && c->system_users)
        must(database_entry_list(c, AUTHDB_PASSWD, S(""), show_system_user, &w, NULL) == RC_OK);
    return status;
}
