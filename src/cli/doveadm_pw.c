/* doveadm pw: makes stored passwords, and checks one. */
#include "account/password.h"
#include "base/num.h"
#include "cli/accounts.h"
#include "cli/doveadm.h"
#include "fmt/sasl.h"

#include <unistd.h>

#define DEFAULT_SCHEME "CRYPT"

struct order {
    const char *scheme, *plaintext, *stored;
    uint32_t rounds;
    bool verify, list;
};

static int take_option(struct order *o, int option)
{
    switch (option) {
    case 'l':
        o->list = true;
        return EX_OK;
    case 'p':
        o->plaintext = optarg;
        return EX_OK;
    case 'r':
        return num_parse_u32(str_c(optarg), INT32_MAX, &o->rounds) == RC_OK
                   ? EX_OK
                   : cli_fail_status(EX_TEMPFAIL, "Invalid number of rounds: %s", optarg);
    case 's':
        o->scheme = optarg;
        return EX_OK;
    case 't':
        o->stored = optarg;
        return EX_OK;
    case 'u': /* for schemes that hash the name, too; none of ours does */
        return EX_OK;
    case 'V':
        o->verify = true;
        return EX_OK;
    default:
        return doveadm_usage();
    }
}

static int print_stored(const char *stored, str password, bool verify)
{
    if (verify && stored[0] != '{')
        return cli_fail_status(EX_TEMPFAIL, "Missing {scheme} prefix from hash");
    enum rc rc = verify ? password_verify(str_c(stored), password) : RC_OK;
    if (rc == RC_PERM)
        return cli_fail_status(EX_TEMPFAIL, "reverse password verification check failed: Password mismatch");
    if (rc != RC_OK)
        return cli_fail_status(EX_TEMPFAIL,
                               "reverse decode check failed: the scheme is not known, or the hash is "
                               "damaged");
    printf("%s%s\n", stored, verify ? " (verified)" : "");
    return EX_OK;
}

static void print_name(void *ctx, const char *name)
{
    printf("%s ", name);
}

static int make(const struct order *o)
{
    AUTO(buf_wipe) struct buf password = BUF_INIT(SASL_PASSWORD_MAX), stored = BUF_INIT(PASSWORD_STORED_MAX);
    AUTO(buf_deinit) struct buf scheme = BUF_INIT(PASSWORD_STORED_MAX);
    if (cli_read_new_password(o->plaintext, &password) != RC_OK)
        return EX_TEMPFAIL;
    for (const char *p = o->scheme ? o->scheme : DEFAULT_SCHEME; *p; p++)
        buf_putc(&scheme, ascii_upper(*p));
    switch (password_make(buf_str(&scheme), buf_str(&password), o->rounds, &stored)) {
    case RC_OK:
        return print_stored(buf_cstr(&stored), buf_str(&password), o->verify);
    case RC_GONE:
        return cli_fail_status(EX_TEMPFAIL, "Unknown scheme: %s", buf_cstr(&scheme));
    default:
        return cli_fail_status(EX_TEMPFAIL, "%s cannot be made of this password, or not with these rounds",
                               buf_cstr(&scheme));
    }
}

static int check(const struct order *o)
{
    AUTO(buf_wipe) struct buf password = BUF_INIT(SASL_PASSWORD_MAX);
    if (cli_read_password(o->plaintext, "Enter password to verify: ", &password) != RC_OK)
        return EX_TEMPFAIL;
    return print_stored(o->stored, buf_str(&password), true);
}

int doveadm_pw(int argc, char **argv, struct cli *cli)
{
    struct order o = {0};
    int option, status = EX_OK;
    while (status == EX_OK && (option = getopt(argc, argv, "+lp:r:s:t:u:V")) != -1)
        status = take_option(&o, option);
    if (status != EX_OK)
        return status;
    if (optind != argc)
        return doveadm_usage();
    if (!o.list)
        return o.stored ? check(&o) : make(&o);
    password_each_maker(print_name, NULL);
    putchar('\n');
    return EX_OK;
}
