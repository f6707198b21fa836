/* malle domain: the domains that receive mail here, those of the configuration and those that were added. */
#include "cli/cmd_domain.h"
#include "cli/accounts.h"

#include "fmt/json.h"

struct listing {
    const struct conf *conf;
    struct json *json; /* NULL: text */
    struct buf *out;
};

static void put_domain(const struct listing *l, str domain, bool configured)
{
    if (!l->json) {
        buf_printf(l->out, STR_FMT "%s\n", STR_ARG(domain), configured ? " (configuration)" : "");
        return;
    }
    json_open_object(l->json, NULL);
    json_put_str(l->json, "domain", domain);
    json_put_str(l->json, "source", configured ? S("configuration") : S("database"));
    json_close_object(l->json);
}

static void put_added(void *ctx, str domain, int64_t created)
{
    const struct listing *l = ctx;
    if (!conf_has_domain(l->conf, domain))
        put_domain(l, domain, false);
}

static int list(struct cli *cli, struct account_db *db)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 26);
    struct json j = {.out = &out};
    struct listing l = {cli_conf(cli), cli->json ? &j : NULL, &out};
    struct err e = {0};
    if (cli->json)
        json_open_array(&j, NULL);
    for (size_t i = 0; i < l.conf->domains.n; i++)
        put_domain(&l, l.conf->domains.v[i], true);
    if (domain_each(db, put_added, &l, &e) != RC_OK)
        return cli_fail_err(&e);
    if (cli->json) {
        json_close_array(&j);
        buf_putc(&out, '\n');
    }
    return cli_print(&out);
}

static int add(struct cli *cli, struct account_db *db, const char *domain)
{
    struct err e = {0};
    if (conf_has_domain(cli_conf(cli), str_c(domain)))
        return cli_fail("%s is one of the configuration's domains already", domain);
    if (domain_add(db, str_c(domain), &e) != RC_OK)
        return cli_fail_err(&e);
    printf("%s added\n", domain);
    return CLI_FINE;
}

static int del(struct account_db *db, const char *domain)
{
    struct err e = {0};
    if (domain_del(db, str_c(domain), &e) != RC_OK)
        return cli_fail_err(&e);
    printf("%s deleted\n", domain);
    return CLI_FINE;
}

int cmd_domain(int argc, char **argv, struct cli *cli)
{
    AUTO(account_db_closep) struct account_db *db = NULL;
    struct domain_limits limits = {0};
    const struct cli_option options[] = {{"--quota", &limits.bytes, NULL},
                                         {"--messages", &limits.messages, NULL},
                                         {"--total", &limits.total, NULL},
                                         {"--total-messages", &limits.total_messages, NULL}};
    int status = cli_take_options(argc, argv, options, sizeof options / sizeof options[0], &argc);
    if (status != CLI_FINE)
        return status;
    const char *action = argc > 1 ? argv[1] : "";
    bool is_quota = strcmp(action, "quota") == 0 && argc == 3;
    bool is_list = strcmp(action, "list") == 0 && argc == 2, is_add = strcmp(action, "add") == 0 && argc == 3;
    bool is_del = strcmp(action, "del") == 0 && argc == 3;
    if (!is_list && !is_add && !is_del && !is_quota)
        return cli_usage("domain needs list, add DOMAIN, del DOMAIN or quota DOMAIN");
    if (is_quota)
        return cmd_domain_quota(cli, argv[2], &limits);
    if (cli_open_accounts(cli, &db, &status) != RC_OK)
        return status;
    return is_list ? list(cli, db) : is_add ? add(cli, db, argv[2]) : del(db, argv[2]);
}
