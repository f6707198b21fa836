/* malle user: the accounts of the account database. */
#include "cli/cmd_user.h"
#include "account/domain_total.h"
#include "cli/accounts.h"

#include "cli/quota_ask.h"
#include "cli/quota_option.h"
#include "fmt/json.h"
#include "fmt/sasl.h"

#include <unistd.h>

struct user_args {
    struct cli *cli;
    const char *address; /* or the domain for list */
    const char *password, *hash, *quota, *messages;
    bool yes, mail;
};

static void put_time(struct buf *out, int64_t seconds)
{
    char text[32];
    time_t t = (time_t)seconds;
    struct tm tm;
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&t, &tm));
    buf_puts(out, str_c(text));
}

/* --- add, passwd --- */
static int make_secret(const struct user_args *u, struct account_secret *ret)
{
    AUTO(buf_wipe) struct buf password = BUF_INIT(SASL_PASSWORD_MAX);
    struct err e = {0};
    const struct conf *c = cli_conf(u->cli);
    if (!c)
        return CLI_FINDING;
    if (u->hash)
        return account_secret_import(str_c(u->hash), ret, &e) == RC_OK ? CLI_FINE : cli_fail_err(&e);
    if (cli_read_new_password(u->password, &password) != RC_OK)
        return CLI_FINDING;
    enum rc rc = account_secret_make((enum password_scheme)c->password_scheme, buf_str(&password), ret, &e);
    return rc == RC_OK ? CLI_FINE : cli_fail_err(&e);
}

/* Mail for an account in a foreign domain would never come. */
static enum rc check_domain(const struct user_args *u, struct account_db *db, struct err *e)
{
    struct address_key key;
    struct account_lookup lookup = {.db = db, .conf = cli_conf(u->cli)};
    if (address_parse(str_c(u->address), &key) != RC_OK || address_domain(&key).n == 0)
        return err_set(e, RC_INVALID, 0, "", "'%s' is no address; write it as name@domain", u->address);
    enum rc rc = account_domain_is_local(&lookup, address_domain(&key), e);
    if (rc == RC_GONE)
        return err_set(e, rc, 0, "",
                       STR_FMT " is none of this server's domains; run malle domain add " STR_FMT,
                       STR_ARG(address_domain(&key)), STR_ARG(address_domain(&key)));
    return rc;
}

static int user_add(const struct user_args *u)
{
    AUTO(account_db_closep) struct account_db *db = NULL;
    AUTO(account_secret_wipe) struct account_secret secret = {0};
    struct err e = {0};
    struct account_quota quota = {0};
    int status = cli_quota_option(u->quota, u->messages, &quota);
    if (status == CLI_FINE)
        status = make_secret(u, &secret);
    if (status != CLI_FINE || cli_open_accounts(u->cli, &db, &status) != RC_OK)
        return status;
    if (check_domain(u, db, &e) != RC_OK || account_add(db, str_c(u->address), &secret, &quota, &e) != RC_OK)
        return cli_fail_err(&e);
    printf("%s added\n", u->address);
    return CLI_FINE;
}

static int user_passwd(const struct user_args *u)
{
    AUTO(account_db_closep) struct account_db *db = NULL;
    AUTO(account_secret_wipe) struct account_secret secret = {0};
    struct err e = {0};
    int status = make_secret(u, &secret);
    if (status != CLI_FINE || cli_open_accounts(u->cli, &db, &status) != RC_OK)
        return status;
    if (account_set_secret(db, str_c(u->address), &secret, &e) != RC_OK)
        return cli_fail_err(&e);
    printf("the password of %s is changed\n", u->address);
    return CLI_FINE;
}

/* --- list, info --- */
/* q: NULL, or what there is of mail. */
static void put_json(struct json *j, const struct account *a, const struct quota_answer *q)
{
    json_open_object(j, NULL);
    json_put_str(j, "address", str_c(a->address));
    json_put_bool(j, "enabled", a->enabled);
    json_put_int(j, "quota_bytes", a->quota.bytes);
    json_put_int(j, "quota_messages", a->quota.messages);
    if (q) {
        json_put_int(j, "limit_bytes", (int64_t)q->limits.bytes);
        json_put_int(j, "limit_messages", (int64_t)q->limits.messages);
        json_put_int(j, "used_bytes", (int64_t)q->use.bytes);
        json_put_int(j, "used_messages", (int64_t)q->use.messages);
    }
    json_put_bool(j, "scram_sha_1", a->secret.scram_sha_1[0] != '\0');
    json_put_bool(j, "scram_sha_256", a->secret.scram_sha_256[0] != '\0');
    json_put_int(j, "created", a->created);
    json_put_int(j, "changed", a->changed);
    json_close_object(j);
}

static void list_json(void *j, const struct account *a)
{
    put_json(j, a, NULL);
}

static void list_text(void *out, const struct account *a)
{
    buf_printf(out, "%s%s\n", a->address, a->enabled ? "" : " (disabled)");
}

static int user_list(const struct user_args *u)
{
    AUTO(account_db_closep) struct account_db *db = NULL;
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 28), domain = BUF_INIT(ADDRESS_MAX);
    struct json j = {.out = &out};
    struct err e = {0};
    int status;
    if (u->address && address_put_domain(str_c(u->address), &domain) != RC_OK)
        return cli_usage("\"%s\" is no domain", u->address);
    if (cli_open_accounts(u->cli, &db, &status) != RC_OK)
        return status;
    if (u->cli->json)
        json_open_array(&j, NULL);
    enum rc rc = account_each(db, buf_str(&domain), u->cli->json ? list_json : list_text,
                              u->cli->json ? (void *)&j : (void *)&out, &e);
    if (rc != RC_OK)
        return cli_fail_err(&e);
    if (u->cli->json) {
        json_close_array(&j);
        buf_putc(&out, '\n');
    }
    return cli_print(&out);
}

static void put_info(struct buf *out, const struct account *a, const struct quota_answer *q)
{
    buf_printf(out, "address: %s\nenabled: %s\nquota: ", a->address, a->enabled ? "yes" : "no");
    cli_quota_put(out, &a->quota);
    if (q) {
        buf_puts(out, S("\nmail: "));
        cli_quota_put_use(out, q->use.bytes, q->limits.bytes, "bytes, ");
        cli_quota_put_use(out, q->use.messages, q->limits.messages, "messages");
    }
    buf_printf(out,
               "\nmechanisms: PLAIN LOGIN%s%s\ncreated: ", a->secret.scram_sha_1[0] ? " SCRAM-SHA-1" : "",
               a->secret.scram_sha_256[0] ? " SCRAM-SHA-256" : "");
    put_time(out, a->created);
    buf_puts(out, S("\nchanged: "));
    put_time(out, a->changed);
    buf_putc(out, '\n');
}

static int user_info(const struct user_args *u)
{
    AUTO(account_db_closep) struct account_db *db = NULL;
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 16);
    struct json j = {.out = &out};
    struct account a;
    struct quota_answer quota;
    struct err e = {0};
    int status;
    bool asked = cli_quota_ask(u->cli, u->address, false, &quota) == CLI_FINE && quota.rc == RC_OK;
    const struct quota_answer *q = asked ? &quota : NULL; /* of a disabled account nobody says */
    if (cli_open_accounts(u->cli, &db, &status) != RC_OK)
        return status;
    if (account_find(db, str_c(u->address), &a, &e) != RC_OK)
        return cli_fail_err(&e);
    if (u->cli->json) {
        put_json(&j, &a, q);
        buf_putc(&out, '\n');
    } else {
        put_info(&out, &a, q);
    }
    account_secret_wipe(&a.secret);
    return cli_print(&out);
}

/* --- enable, disable, quota --- */
static int set_enabled(const struct user_args *u, bool enabled)
{
    AUTO(account_db_closep) struct account_db *db = NULL;
    struct err e = {0};
    int status;
    if (cli_open_accounts(u->cli, &db, &status) != RC_OK)
        return status;
    if (account_set_enabled(db, str_c(u->address), enabled, &e) != RC_OK)
        return cli_fail_err(&e);
    printf("%s %s\n", u->address, enabled ? "enabled" : "disabled");
    return CLI_FINE;
}

static int user_enable(const struct user_args *u)
{
    return set_enabled(u, true);
}

static int user_disable(const struct user_args *u)
{
    return set_enabled(u, false);
}

static int user_quota(const struct user_args *u)
{
    AUTO(account_db_closep) struct account_db *db = NULL;
    struct err e = {0};
    struct account_quota quota = {0};
    struct account a;
    if (!u->quota && !u->messages)
        return cli_usage("which quota? give --quota SIZE or --messages N, both as default or unlimited, too");
    int status = cli_quota_option(u->quota, u->messages, &quota);
    if (status != CLI_FINE || cli_open_accounts(u->cli, &db, &status) != RC_OK)
        return status;
    if (account_find(db, str_c(u->address), &a, &e) != RC_OK)
        return cli_fail_err(&e);
    account_secret_wipe(&a.secret);
    status = cli_quota_option(u->quota, u->messages, &a.quota); /* the other one stays */
    must(status == CLI_FINE);
    if (account_set_quota(db, str_c(u->address), &a.quota, &e) != RC_OK)
        return cli_fail_err(&e);
    printf("the quota of %s is changed\n", u->address);
    return CLI_FINE;
}

/* --- del, empty --- */
static bool confirmed(const struct user_args *u, const char *what)
{
    char answer[8] = "";
    if (u->yes)
        return true;
    if (!isatty(STDIN_FILENO))
        return false;
    fprintf(stderr, "Delete %s of %s? [y/N] ", what, u->address);
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* The account is looked up before its mail is touched, and deleted after it. */
static int erase_mail(const struct user_args *u, enum cli_erase what, bool del)
{
    AUTO(account_db_closep) struct account_db *db = NULL;
    struct cli_eraser eraser;
    struct account a;
    struct err e = {0};
    int status;
    if (!confirmed(u, what == CLI_ERASE_ALL ? "the account and all mail" : "all mail"))
        return cli_fail("nothing was deleted; confirm with --yes");
    if (cli_eraser_start(u->cli, str_c(u->address), what, &eraser) != RC_OK)
        return CLI_FINDING;
    enum rc rc = cli_open_accounts(u->cli, &db, &status);
    if (rc == RC_OK && (rc = account_find(db, str_c(u->address), &a, &e)) != RC_OK)
        status = cli_fail_err(&e);
    int erased = cli_eraser_end(&eraser, rc == RC_OK);
    if (rc != RC_OK)
        return status;
    const struct account_use none = {str_c(a.address), {0, 0}};
    if (erased == CLI_FINE && !del && domain_total_note(db, &none, 1, NULL, NULL, &e) != RC_OK)
        return cli_fail_err(&e);
    if (erased == CLI_FINE && del && account_del(db, str_c(u->address), &e) != RC_OK)
        return cli_fail_err(&e);
    if (erased == CLI_FINE && del)
        printf("%s deleted with its mail\n", u->address);
    return erased;
}

static int user_del(const struct user_args *u)
{
    AUTO(account_db_closep) struct account_db *db = NULL;
    struct err e = {0};
    int status;
    if (u->mail)
        return erase_mail(u, CLI_ERASE_ALL, true);
    if (cli_open_accounts(u->cli, &db, &status) != RC_OK)
        return status;
    if (account_del(db, str_c(u->address), &e) != RC_OK)
        return cli_fail_err(&e);
    printf("%s deleted; its mail is kept\n", u->address);
    return CLI_FINE;
}

static int user_empty(const struct user_args *u)
{
    return erase_mail(u, CLI_ERASE_MESSAGES, false);
}

/* --- sending --- */

static int user_freeze(const struct user_args *u)
{
    return cmd_user_freeze(u->cli, u->address, true);
}

static int user_unfreeze(const struct user_args *u)
{
    return cmd_user_freeze(u->cli, u->address, false);
}

static int user_frozen(const struct user_args *u)
{
    return cmd_user_frozen(u->cli);
}

static const struct {
    const char *name;
    int (*run)(const struct user_args *u);
    bool any_domain; /* the word is a domain and may be left out */
} actions[] = {
    {"add", user_add, false},       {"passwd", user_passwd, false},     {"list", user_list, true},
    {"info", user_info, false},     {"del", user_del, false},           {"empty", user_empty, false},
    {"enable", user_enable, false}, {"disable", user_disable, false},   {"quota", user_quota, false},
    {"freeze", user_freeze, false}, {"unfreeze", user_unfreeze, false}, {"frozen", user_frozen, true},
};

int cmd_user(int argc, char **argv, struct cli *cli)
{
    struct user_args u = {.cli = cli};
    const struct cli_option options[] = {
        {"--password", &u.password, NULL}, {"--hash", &u.hash, NULL}, {"--quota", &u.quota, NULL},
        {"--yes", NULL, &u.yes},           {"--mail", NULL, &u.mail}, {"--messages", &u.messages, NULL},
    };
    int status = cli_take_options(argc, argv, options, sizeof options / sizeof options[0], &argc);
    if (status != CLI_FINE)
        return status;
    if (argc < 2)
        return cli_usage("user needs add, passwd, list, info, del, empty, enable, disable, quota, freeze, "
                         "unfreeze or frozen");
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(argv[1], actions[i].name) != 0)
            continue;
        if (argc > 3 || (argc < 3 && !actions[i].any_domain))
            return cli_usage("user %s needs one %s", argv[1],
                             actions[i].any_domain ? "domain at most" : "address");
        u.address = argv[2];
        return actions[i].run(&u);
    }
    return cli_usage("there is no \"user %s\"", argv[1]);
}
