/* malle alias: addresses that stand for others. */
#include "cli/accounts.h"

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
    if (rc != RC_OK)
        return cli_fail_err(&e);
    if (cli->json) {
        json_close_array(&j);
        buf_putc(&out, '\n');
    }
    return cli_print(&out);
}

static enum rc check_domain(struct cli *cli, struct account_db *db, const char *address, struct err *e)
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
    if (check_domain(cli, db, address, &e) != RC_OK)
        return cli_fail_err(&e);
    for (int i = 0; i < n; i++) {
        if (alias_add(db, str_c(address), str_c(targets[i]), &e) != RC_OK)
            return cli_fail_err(&e);
        printf("%s leads to %s\n", address, targets[i]);
    }
    return CLI_FINE;
}

static int del(struct account_db *db, const char *address, const char *target)
{
    struct err e = {0};
    if (alias_del(db, str_c(address), str_c(target), &e) != RC_OK)
        return cli_fail_err(&e);
    printf("%s no longer leads to %s\n", address, target ? target : "anything");
    return CLI_FINE;
}

int cmd_alias(int argc, char **argv, struct cli *cli)
{
    AUTO(account_db_closep) struct account_db *db = NULL;
    int status = cli_take_options(argc, argv, NULL, 0, &argc);
    if (status != CLI_FINE)
        return status;
    const char *action = argc > 1 ? argv[1] : "";
    bool is_list = strcmp(action, "list") == 0 && argc <= 3, is_add = strcmp(action, "add") == 0 && argc >= 4;
    bool is_del = strcmp(action, "del") == 0 && (argc == 3 || argc == 4);
    if (!is_list && !is_add && !is_del)
        return cli_usage("alias needs list [DOMAIN], add ADDRESS TARGET... or del ADDRESS [TARGET]");
    if (cli_open_accounts(cli, &db, &status) != RC_OK)
        return status;
    if (is_list)
        return list(cli, db, argc == 3 ? argv[2] : NULL);
    if (is_add)
        return add(cli, db, argv + 3, argc - 3, argv[2]);
    return del(db, argv[2], argc == 4 ? argv[3] : NULL);
}
