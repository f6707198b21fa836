/* Opening the account database, and options. */
#include "cli/accounts.h"

#include "cli/folder.h"

int cli_fail_err(const struct err *e)
{
    return cli_fail("%s", err_text(e));
}

enum rc cli_open_accounts(struct cli *cli, struct account_db **ret, int *ret_status)
{
    struct err e = {0};
    const struct conf *c = cli_conf(cli);
    *ret_status = CLI_FINDING;
    if (!c || cli_enter_folder(c, "auth", c->user_auth, ret_status) != RC_OK)
        return RC_PERM;
    enum rc rc = account_db_open(ACCOUNT_DB_NAME, true, ret, &e);
    if (rc != RC_OK)
        *ret_status = cli_fail_err(&e);
    return rc;
}

static const struct cli_option *find_option(const char *name, const struct cli_option *options, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    }
    return NULL;
}

int cli_take_options(int argc, char **argv, const struct cli_option *options, size_t n, int *ret_argc)
{
    int kept = 0;
    bool open = true;
    for (int i = 0; i < argc; i++) {
        if (open && strcmp(argv[i], "--") == 0) {
            open = false;
            continue;
        }
        if (!open || strncmp(argv[i], "--", 2) != 0) {
            argv[kept++] = argv[i];
            continue;
        }
        const struct cli_option *o = find_option(argv[i], options, n);
        if (!o)
            return cli_usage("there is no option \"%s\" here", argv[i]);
        if (o->flag)
            *o->flag = true;
        else if (i + 1 < argc)
            *o->value = argv[++i];
        else
            return cli_usage("%s needs a value", argv[i]);
    }
    *ret_argc = kept;
    return CLI_FINE;
}
