/* malle queue: what waits to be delivered. The command works on the database itself, so it does the same with
 * and without a running server. */
#include "cli/cmd_queue.h"

#include "base/num.h"
#include "cli/accounts.h"
#include "cli/folder.h"
#include "os/file.h"

#include <fcntl.h>

enum rc queue_cli_open(struct cli *cli, struct queue_admin **ret, int *ret_status)
{
    struct err e = {0};
    const struct conf *c = cli_conf(cli);
    *ret_status = CLI_FINDING;
    if (!c || cli_enter_folder(c, "spool", c->user_queue, ret_status) != RC_OK)
        return RC_PERM;
    int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* until the process ends */
    if (folder < 0) {
        *ret_status = cli_fail("the spool folder cannot be opened");
        return RC_PERM;
    }
    enum rc rc = queue_admin_open("queue.db", folder, c, ret, &e);
    if (rc != RC_OK)
        *ret_status = cli_fail_err(&e);
    return rc;
}

/* --- the words behind the action --- */

struct filter_args {
    const char *sender, *recipient, *domain, *age, *older_than, *size, *larger_than, *reason, *limit;
};

static int parse_limits(const struct filter_args *o, struct queue_filter *f)
{
    const char *age = o->age ? o->age : o->older_than, *size = o->size ? o->size : o->larger_than;
    msec ms = 0;
    uint64_t most = 0;
    if (age && num_parse_duration_ms(str_c(age), &ms) != RC_OK)
        return cli_usage("\"%s\" is no duration; write it as 30m, 4h or 2d", age);
    if (age)
        f->arrived_before = clock_wall() / 1000 - ms;
    if (size && num_parse_size(str_c(size), &f->larger_than) != RC_OK)
        return cli_usage("\"%s\" is no size; write it as 500k or 2M", size);
    if (o->limit && (num_parse_u64(str_c(o->limit), SIZE_MAX, &most) != RC_OK || most == 0))
        return cli_usage("\"%s\" is no number of messages", o->limit);
    f->most = most;
    return CLI_FINE;
}

/* Reads the filter; *ret_given: anything was said, be it ALL; *ret_one: it is one id and nothing else. */
static int parse_filter(int argc, char **argv, struct queue_filter *f, bool *ret_given, bool *ret_one)
{
    struct filter_args o = {0};
    const struct cli_option options[] = {
        {"--sender", &o.sender, NULL},
        {"--recipient", &o.recipient, NULL},
        {"--domain", &o.domain, NULL},
        {"--age", &o.age, NULL},
        {"--older-than", &o.older_than, NULL},
        {"--size", &o.size, NULL},
        {"--larger-than", &o.larger_than, NULL},
        {"--reason", &o.reason, NULL},
        {"--limit", &o.limit, NULL},
    };
    bool all = false, filtered = false;
    int status = cli_take_options(argc, argv, options, sizeof options / sizeof options[0], &argc);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        filtered |= *options[i].value != NULL;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "ALL") == 0)
            all = true;
        else
            argv[2 + f->n_ids++] = argv[i];
    }
    if (status == CLI_FINE && all && f->n_ids)
        status = cli_usage("queue takes ids or ALL, not both");
    if (status != CLI_FINE)
        return status;
    f->ids = argv + 2;
    f->has_sender = o.sender != NULL;
    f->sender = o.sender && o.sender[0] ? str_c(o.sender) : S("<>");
    f->recipient = str_c(o.recipient);
    f->domain = str_c(o.domain);
    f->reason = str_c(o.reason);
    *ret_given = all || filtered || f->n_ids > 0;
    *ret_one = f->n_ids == 1 && !filtered;
    return parse_limits(&o, f);
}

/* --- actions --- */

enum action_kind { ACTION_LIST, ACTION_STATS, ACTION_SHOW, ACTION_CAT, ACTION_CHANGE };

static const struct action {
    const char *name;
    enum action_kind kind;
    enum queue_change change;
    const char *done; /* "3 messages DONE" */
} actions[] = {
    {"list", ACTION_LIST, 0, NULL},
    {"stats", ACTION_STATS, 0, NULL},
    {"show", ACTION_SHOW, 0, NULL},
    {"cat", ACTION_CAT, 0, NULL},
    {"retry", ACTION_CHANGE, QUEUE_CHANGE_RETRY, "will be tried now"},
    {"hold", ACTION_CHANGE, QUEUE_CHANGE_HOLD, "held"},
    {"release", ACTION_CHANGE, QUEUE_CHANGE_RELEASE, "released"},
    {"delete", ACTION_CHANGE, QUEUE_CHANGE_DELETE, "deleted"},
    {"requeue", ACTION_CHANGE, QUEUE_CHANGE_REQUEUE, "requeued"},
    {"bounce", ACTION_CHANGE, QUEUE_CHANGE_BOUNCE, "returned to the sender"},
};

static int change(struct queue_admin *a, const struct queue_filter *f, const struct action *action, bool json)
{
    struct err e = {0};
    size_t n = 0;
    if (queue_admin_change(a, f, action->change, &n, &e) != RC_OK)
        return cli_fail_err(&e);
    if (json)
        printf("{\"messages\":%zu}\n", n);
    else
        printf("%zu message%s %s\n", n, n == 1 ? "" : "s", action->done);
    return n > 0 ? CLI_FINE : CLI_FINDING;
}

static int act(struct cli *cli, const struct action *action, const struct queue_filter *f, bool one)
{
    AUTO(queue_admin_closep) struct queue_admin *a = NULL;
    int status;
    if (queue_cli_open(cli, &a, &status) != RC_OK)
        return status;
    switch (action->kind) {
    case ACTION_LIST:
        return queue_cli_list(a, f, cli->json);
    case ACTION_STATS:
        return queue_cli_stats(a, f, cli->json);
    case ACTION_SHOW:
        return queue_cli_show(a, f, one, cli->json);
    case ACTION_CAT:
        return queue_cli_cat(a, f, one);
    case ACTION_CHANGE:
        break;
    }
    return change(a, f, action, cli->json);
}

int cmd_queue(int argc, char **argv, struct cli *cli)
{
    struct queue_filter f = {0};
    bool given = false, one = false;
    if (argc < 2)
        return cli_usage(
            "queue needs list, stats, show, cat, retry, hold, release, delete, requeue or bounce");
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(argv[1], actions[i].name) != 0)
            continue;
        int status = parse_filter(argc, argv, &f, &given, &one);
        if (status != CLI_FINE)
            return status;
        bool tells_all = actions[i].kind == ACTION_LIST || actions[i].kind == ACTION_STATS;
        if (!tells_all && !given)
            return cli_usage("queue %s needs ids, ALL or a filter such as --domain example.com", argv[1]);
        return act(cli, &actions[i], &f, one);
    }
    return cli_usage("there is no \"queue %s\"", argv[1]);
}
