/* malle user freeze, unfreeze, frozen: accounts whose sending to other servers is stopped. */
#include "cli/cmd_user.h"

#include "account/address.h"
#include "cli/accounts.h"
#include "cli/cmd_queue.h"
#include "fmt/json.h"

#include <time.h>

/* The account as the queue knows it. */
static int account_of(const char *address, char ret[ADDRESS_MAX + 1])
{
    struct address_key key;
    if (address_parse(str_c(address), &key) != RC_OK ||
        str_copy(ret, ADDRESS_MAX + 1, address_text(&key)) != RC_OK)
        return cli_usage("\"%s\" is no address", address);
    return CLI_FINE;
}

int cmd_user_freeze(struct cli *cli, const char *address, bool freeze)
{
    AUTO(queue_admin_closep) struct queue_admin *a = NULL;
    char account[ADDRESS_MAX + 1];
    struct err e = {0};
    int status = account_of(address, account);
    if (status != CLI_FINE || queue_cli_open(cli, &a, &status) != RC_OK)
        return status;
    enum rc rc = freeze ? queue_admin_freeze(a, str_c(account), "by an administrator", &e)
                        : queue_admin_unfreeze(a, str_c(account), &e);
    if (rc != RC_OK)
        return cli_fail_err(&e);
    printf("sending from %s is %s\n", account, freeze ? "frozen" : "not frozen any more");
    return CLI_FINE;
}

struct list {
    struct buf text;
    struct json j;
    bool json;
};

static void add(void *ctx, str account, int64_t since, str reason)
{
    struct list *l = ctx;
    char when[32];
    time_t t = (time_t)(since / 1000);
    struct tm tm;
    strftime(when, sizeof when, l->json ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M UTC", gmtime_r(&t, &tm));
    if (!l->json) {
        buf_printf(&l->text, STR_FMT "  since %s: " STR_FMT "\n", STR_ARG(account), when, STR_ARG(reason));
        return;
    }
    json_open_object(&l->j, NULL);
    json_put_str(&l->j, "account", account);
    json_put_str(&l->j, "since", str_c(when));
    json_put_str(&l->j, "reason", reason);
    json_close_object(&l->j);
}

int cmd_user_frozen(struct cli *cli)
{
    AUTO(queue_admin_closep) struct queue_admin *a = NULL;
    struct list l = {.text = BUF_INIT(16 << 20), .json = cli->json};
    struct err e = {0};
    int status;
    l.j.out = &l.text;
    if (queue_cli_open(cli, &a, &status) != RC_OK)
        return status;
    if (l.json)
        json_open_array(&l.j, NULL);
    if (queue_admin_each_frozen(a, add, &l, &e) != RC_OK) {
        buf_deinit(&l.text);
        return cli_fail_err(&e);
    }
    if (l.json) {
        json_close_array(&l.j);
        buf_putc(&l.text, '\n');
    }
    status = cli_print(&l.text);
    buf_deinit(&l.text);
    return status;
}
