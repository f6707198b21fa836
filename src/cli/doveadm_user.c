/* doveadm user, auth lookup, auth test and auth login: who somebody is, and whether a password is theirs. */
#include "cli/accounts.h"
#include "cli/doveadm.h"
#include "cli/who_is.h"
#include "fmt/sasl.h"

#include <unistd.h>

/* What is told of a user, in order. */
enum field { FIELD_UID, FIELD_GID, FIELD_HOME, FIELD_MAIL, FIELD_QUOTA, FIELDS };
static const char *const field_names[FIELDS] = {"uid", "gid", "home", "mail", "quota_rule"};

static str first_rule(const struct account_identity *id)
{
    str rules = str_c(id->quota);
    return str_take(&rules, '\n');
}

static void put_field(struct buf *out, const struct account_identity *id, enum field field)
{
    switch (field) {
    case FIELD_UID:
        buf_printf(out, "%u", id->uid);
        break;
    case FIELD_GID:
        buf_printf(out, "%u", id->gid);
        break;
    case FIELD_HOME:
        buf_puts(out, str_c(id->home));
        break;
    case FIELD_MAIL:
        buf_printf(out, "maildir:%s", id->mail_dir);
        if (strcmp(id->mail_dir, id->index_dir) != 0)
            buf_printf(out, ":INDEX=%s", id->index_dir);
        break;
    case FIELD_QUOTA:
        buf_puts(out, first_rule(id));
        break;
    case FIELDS:
        break;
    }
}

struct order {
    const char *field; /* NULL: all */
    bool plain;        /* -u: what the userdb says, in its own shape */
};

static void print_fields(const struct order *o, const char *name, const struct account_identity *id)
{
    if (o->plain && !o->field)
        printf("userdb: %s\n  %-10s: %s\n", name, "user", id->account);
    if (!o->plain && !o->field && strcmp(name, id->account) != 0)
        printf("user\t%s\n", id->account);
    for (int i = 0; i < FIELDS; i++) {
        if (o->plain && i == FIELD_MAIL) /* no field of the userdb, but what the settings make of it */
            continue;
        AUTO(buf_deinit) struct buf value = BUF_INIT(2 * IDENTITY_PATH_MAX + 64);
        put_field(&value, id, (enum field)i);
        if (value.n == 0)
            continue;
        if (o->field && strcmp(o->field, field_names[i]) == 0)
            puts(buf_cstr(&value));
        else if (!o->field && o->plain)
            printf("  %-10s: %s\n", field_names[i], buf_cstr(&value));
        else if (!o->field)
            printf("%s\t%s\n", field_names[i], buf_cstr(&value));
    }
}

static int print_user(struct cli *cli, const struct order *o, const char *name)
{
    struct who_is who;
    if (cli_who_is(cli, name, NULL, &who) != CLI_FINE)
        return EX_TEMPFAIL;
    if (who.rc == RC_GONE) {
        fprintf(o->field ? stderr : stdout, "%suserdb lookup: user %s doesn't exist\n", o->plain ? "" : "\n",
                name);
        return EX_NOUSER;
    }
    if (who.rc != RC_OK)
        return doveadm_error(EX_TEMPFAIL, NULL, "userdb lookup failed for %s: %s", name, err_text(&who.e));
    print_fields(o, name, &who.id);
    return EX_OK;
}

static void print_if_meant(void *ctx, const char *name)
{
    for (char **mask = ctx; *mask; mask++) {
        if (doveadm_mask_fits(*mask, name)) {
            puts(name);
            return;
        }
    }
}

int doveadm_user(int argc, char **argv, struct cli *cli)
{
    struct order o = {0};
    int option, status = EX_OK;
    while ((option = getopt(argc, argv, "+f:u")) != -1) {
        if (option == '?')
            return doveadm_usage();
        o.plain |= option == 'u';
        if (option == 'f')
            o.field = optarg;
    }
    if (optind == argc)
        return doveadm_usage();
    bool masks = false;
    for (int i = optind; i < argc; i++)
        masks |= strpbrk(argv[i], "*?") != NULL;
    if (masks)
        return cli_each_user(cli, print_if_meant, argv + optind) == CLI_FINE ? EX_OK : EX_TEMPFAIL;
    if (!o.plain && !o.field)
        puts("field\tvalue");
    for (int i = optind; i < argc; i++) {
        if (i > optind)
            putchar('\n');
        int one = print_user(cli, &o, argv[i]);
        status = one != EX_OK ? one : status;
    }
    return status;
}

/* What a log-in gets of the userdb. */
static void print_login(const struct account_identity *id)
{
    printf("userdb extra fields:\n  %s\n", id->account);
    for (int i = 0; i < FIELDS; i++) {
        AUTO(buf_deinit) struct buf value = BUF_INIT(2 * IDENTITY_PATH_MAX + 64);
        put_field(&value, id, (enum field)i);
        if (value.n > 0 && i != FIELD_MAIL)
            printf("  %s=%s\n", field_names[i], buf_cstr(&value));
    }
    puts("  auth_mech=PLAIN");
}

static int test_password(int argc, char **argv, struct cli *cli, bool login)
{
    AUTO(buf_wipe) struct buf password = BUF_INIT(SASL_PASSWORD_MAX);
    struct who_is who;
    if (getopt(argc, argv, "+") != -1 || argc - optind < 1 || argc - optind > 2)
        return doveadm_usage();
    const char *name = argv[optind];
    if (cli_read_password(argv[optind + 1], "Password: ", &password) != RC_OK)
        return EX_TEMPFAIL;
    if (cli_who_is(cli, name, buf_cstr(&password), &who) != CLI_FINE)
        return EX_TEMPFAIL;
    bool fits = who.password_fits && (who.rc == RC_OK || !login);
    if (!fits && who.rc != RC_OK && who.rc != RC_GONE)
        (void)doveadm_error(0, NULL, "%s: %s", name, err_text(&who.e));
    printf("passdb: %s auth %s\nextra fields:\n  user=%s\n", name, fits ? "succeeded" : "failed",
           who.rc == RC_OK || fits ? who.id.account : name);
    if (fits && login)
        print_login(&who.id);
    return fits ? EX_OK : EX_NOPERM;
}

int doveadm_auth_test(int argc, char **argv, struct cli *cli)
{
    return test_password(argc, argv, cli, false);
}

int doveadm_auth_login(int argc, char **argv, struct cli *cli)
{
    return test_password(argc, argv, cli, true);
}

static int look_up(struct cli *cli, const char *field, const char *name)
{
    struct who_is who;
    if (cli_look_up(cli, name, &who) != CLI_FINE)
        return EX_TEMPFAIL;
    if (who.rc == RC_GONE || who.rc == RC_PERM) {
        fprintf(field ? stderr : stdout, "passdb lookup: user %s doesn't exist\n", name);
        return EX_NOUSER;
    }
    if (who.rc != RC_OK)
        return doveadm_error(EX_TEMPFAIL, NULL, "passdb lookup failed for %s: %s", name, err_text(&who.e));
    if (!field)
        printf("passdb: %s\n  %-10s: %s\n", name, "user", who.id.account);
    else if (strcmp(field, "user") == 0)
        puts(who.id.account);
    return EX_OK;
}

int doveadm_auth_lookup(int argc, char **argv, struct cli *cli)
{
    const char *field = NULL;
    int option, status = EX_OK;
    while ((option = getopt(argc, argv, "+f:")) != -1) {
        if (option == '?')
            return doveadm_usage();
        field = optarg;
    }
    if (optind == argc)
        return doveadm_usage();
    for (int i = optind; i < argc; i++) {
        if (i > optind)
            putchar('\n');
        int one = look_up(cli, field, argv[i]);
        status = one != EX_OK ? one : status;
    }
    return status;
}
