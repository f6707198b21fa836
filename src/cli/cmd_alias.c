/* malle alias: addresses that stand for others. */
#include "cli/cmd_alias.h"

#include "fmt/json.h"

static void list_json(void *j, str address, str target)
{
    json_open_object(j, NULL);
    json_put_str(j, "address", address);
    json_put_str(j, "target", target);
    json_close_object(j);
}

static void list_text(void *out, str address, str target)
{
    buf_printf(out, STR_FMT " " STR_FMT "\n", STR_ARG(address), STR_ARG(target));
}

static int list(struct cli *cli, struct account_db *db, const char *domain)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 28), name = BUF_INIT(ADDRESS_MAX);
    struct json j = {.out = &out};
    struct err e = {0};
    if (domain && address_put_domain(str_c(domain), &name) != RC_OK)
        return cli_usage("\"%s\" is no domain", domain);
    if (cli->json)
        json_open_array(&j, NULL);
    enum rc rc = alias_each(db, buf_str(&name), cli->json ? list_json : list_text,
                            cli->json ? (void *)&j : (void *)&out, &e);
    if (rc == RC_OK)
        rc = alias_list_masks(db, buf_str(&name), cli->json ? &j : NULL, &out, &e);
    if (rc != RC_OK)
        return cli_fail_err(&e);
    if (cli->json) {
        json_close_array(&j);
        buf_putc(&out, '\n');
    }
    return cli_print(&out);
}

enum rc alias_check_domain(struct cli *cli, struct account_db *db, const char *address, struct err *e)
{
    struct address_key key;
    struct account_lookup lookup = {.db = db, .conf = cli_conf(cli)};
    if (address_parse(str_c(address), &key) != RC_OK || address_domain(&key).n == 0)
        return RC_OK; /* alias_add tells what is wrong with it */
    enum rc rc = account_domain_is_local(&lookup, address_domain(&key), e);
    if (rc == RC_GONE)
        err_set(e, rc, 0, "", STR_FMT " is none of this server's domains; run malle domain add " STR_FMT,
                STR_ARG(address_domain(&key)), STR_ARG(address_domain(&key)));
    return rc;
}

static int add(struct cli *cli, struct account_db *db, char **targets, int n, const char *address)
{
    struct err e = {0};
    if (alias_check_domain(cli, db, address, &e) != RC_OK)
        return cli_fail_err(&e);
    for (int i = 0; i < n; i++) {
        str target = str_c(targets[i]);
        if (alias_add(db, str_c(address), target, &e) != RC_OK)
            return cli_fail_err(&e);
        printf(STR_FMT " leads to " STR_FMT "\n", STR_ARG(str_c(address)), STR_ARG(target));
    }
    return CLI_FINE;
}

static int del(struct account_db *db, const char *address, const char *target)
{
    struct err e = {0}, other = {0};
    enum rc rc = alias_del(db, str_c(address), str_c(target), &e);
    if (rc == RC_GONE && !target && mask_del(db, str_c(address), &other) == RC_OK)
        rc = RC_OK;
    if (rc != RC_OK)
        return cli_fail_err(&e);
    printf("%s no longer leads to %s\n", address, target ? target : "anything");
    return CLI_FINE;
}

/* What the words ask for; the caller has counted them. */
static int act(struct cli *cli, struct account_db *db, int argc, char **argv)
{
    switch (argv[1][0]) {
    case 'l':
        return list(cli, db, argc == 3 ? argv[2] : NULL);
    case 'a':
        return add(cli, db, argv + 3, argc - 3, argv[2]);
    case 'e':
    case 'd':
        break;
    }
    if (strcmp(argv[1], "del") == 0)
        return del(db, argv[2], argc == 4 ? argv[3] : NULL);
    return alias_enable_mask(db, argv[2], argv[1][0] == 'e');
}

static bool is_usage(const char *action, int argc)
{
    if (strcmp(action, "list") == 0)
        return argc <= 3;
    if (strcmp(action, "add") == 0)
        return argc >= 4;
    if (strcmp(action, "del") == 0)
        return argc == 3 || argc == 4;
    return (strcmp(action, "enable") == 0 || strcmp(action, "disable") == 0) && argc == 3;
}

int cmd_alias(int argc, char **argv, struct cli *cli)
{
    AUTO(account_db_closep) struct account_db *db = NULL;
    struct alias_mask_order mask = {0};
    const struct cli_option options[] = {{.name = "--masked", .value = &mask.account},
                                         {.name = "--block", .value = &mask.block},
                                         {.name = "--note", .value = &mask.note},
                                         {.name = "--expires", .value = &mask.expires}};
    int status = cli_take_options(argc, argv, options, sizeof options / sizeof *options, &argc);
    if (status != CLI_FINE)
        return status;
    bool masks = mask.account || mask.block || mask.note || mask.expires;
    const char *action = argc > 1 ? argv[1] : "";
    if (masks ? strcmp(action, "add") != 0 || argc != 2 || !alias_mask_fits(&mask) : !is_usage(action, argc))
        return cli_usage(
            "alias needs list [DOMAIN], add ADDRESS TARGET..., add --masked USER [--note TEXT] [--expires "
            "TIME], "
            "add --block ADDRESS [--note TEXT], del ADDRESS [TARGET], enable ADDRESS or disable ADDRESS");
    if (cli_open_accounts(cli, &db, &status) != RC_OK)
        return status;
    return masks ? alias_add_mask(cli, db, &mask) : act(cli, db, argc, argv);
}
