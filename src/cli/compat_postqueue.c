/* postqueue: lists the queue, and has all of it or some of it tried now. Whatever fails, its status is 69, as
 * with Postfix's. */
#include "cli/accounts.h"
#include "cli/cmd_queue.h"
#include "cli/queue_message.h"
#include "cli/server.h"
#include "fmt/dns_name.h"
#include "fmt/ip.h"

#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

struct order {
    int mode; /* the option: f, i, j, p, s; 0: none yet */
    char *argument;
};

static int usage(void)
{
    return cli_fail_status(EX_UNAVAILABLE,
                           "usage: postqueue -f | postqueue -i queueid | postqueue -j | postqueue -p | "
                           "postqueue -s site");
}

static int read_order(int argc, char **argv, struct cli *cli, struct order *o)
{
    int option;
    opterr = 0;
    while ((option = getopt(argc, argv, "+c:fi:jps:v")) != -1) {
        if (option == 'c') {
            cli_use_conf(cli, optarg);
        } else if (option != 'v') {
            if (option == '?' || o->mode)
                return usage();
            o->mode = option;
            o->argument = optarg;
        }
    }
    return o->mode && optind == argc ? EX_OK : usage();
}

/* A domain, or an address in brackets. */
static bool is_site(str s)
{
    struct ip_net address;
    if (!str_starts(s, S("[")) || !str_ends(s, S("]")))
        return dns_name_is_host(s);
    str literal = str_sub(s, 1, s.n - 2);
    return ip_parse(str_istarts(literal, S("ipv6:")) ? str_from(literal, 5) : literal, &address) == RC_OK;
}

static int check_order(const struct order *o)
{
    str argument = str_c(o->argument);
    const char *more = argument.n > 100 ? "..." : "";
    if (o->mode == 'i' && !queue_message_is_id(argument))
        return cli_fail_status(EX_UNAVAILABLE, "Cannot flush queue ID - invalid name: \"%.100s%s\"",
                               o->argument, more);
    if (o->mode == 's' && !is_site(argument))
        return cli_fail_status(EX_UNAVAILABLE, "Cannot flush mail queue - invalid destination: \"%.100s%s\"",
                               o->argument, more);
    return EX_OK;
}

static int print(struct queue_admin *a, bool json)
{
    struct err e = {0};
    if ((json ? mailq_print_json(a, &e) : mailq_print(a, &e)) != RC_OK) {
        (void)cli_fail_err(&e);
        return EX_UNAVAILABLE;
    }
    return fflush(stdout) == 0 ? EX_OK : cli_fail_status(EX_UNAVAILABLE, "output write error: %m");
}

static int flush(struct queue_admin *a, const struct order *o)
{
    char *const ids[] = {o->argument};
    const struct queue_filter f = {
        .ids = ids, .n_ids = o->mode == 'i', .domain = o->mode == 's' ? str_c(o->argument) : STR_NONE};
    struct err e = {0};
    size_t n;
    if (queue_admin_change(a, &f, QUEUE_CHANGE_RETRY, &n, &e) == RC_OK)
        return EX_OK;
    (void)cli_fail_err(&e);
    return EX_UNAVAILABLE;
}

int compat_postqueue(int argc, char **argv, struct cli *cli)
{
    AUTO(queue_admin_closep) struct queue_admin *a = NULL;
    struct order o = {0};
    int status = read_order(argc, argv, cli, &o);
    signal(SIGPIPE, SIG_IGN);
    if (status == EX_OK)
        status = check_order(&o);
    if (status != EX_OK)
        return status;
    const struct conf *c = cli_conf(cli);
    if (!c)
        return EX_UNAVAILABLE;
    bool lists = o.mode == 'p' || o.mode == 'j', runs = server_pid(c) != 0;
    if (!lists && !runs)
        return cli_fail_status(EX_UNAVAILABLE, "Cannot flush mail queue - mail system is down");
    if (!runs)
        cli_warn("Mail system is down -- accessing queue directly");
    if (queue_cli_open(cli, &a, &status) != RC_OK)
        return EX_UNAVAILABLE;
    return lists ? print(a, o.mode == 'j') : flush(a, &o);
}
