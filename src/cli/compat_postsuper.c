/* postsuper: deletes, holds, releases, requeues and returns messages. The queue has no files whose names and
 * places could be wrong, so -p, -s and -S, and no option at all, find nothing to do. */
#include "cli/accounts.h"
#include "cli/cmd_queue.h"
#include "cli/program_log.h"
#include "cli/queue_message.h"

#include <unistd.h>

enum { IDS_BYTES_MAX = 1 << 30, ACTIONS = 6, PLACES = 3, IN_ANY = 7, IN_HOLD = 1 << QUEUE_PLACE_HOLD };

/* In the order in which they are done and told. */
static const struct action {
    char option;
    enum queue_change change;
    unsigned places; /* where what is meant lies, bits of enum queue_place, unless queues are named */
    bool needs_all;  /* in those places only, whatever is named */
    const char *one, *sum;
} actions[ACTIONS] = {
    {'d', QUEUE_CHANGE_DELETE, IN_ANY, false, "removed", "Deleted"},
    {'r', QUEUE_CHANGE_REQUEUE, IN_ANY, false, "requeued", "Requeued"},
    {'e', QUEUE_CHANGE_BOUNCE, IN_ANY & ~IN_HOLD, true, "expired", "Force-expired"},
    {'f', QUEUE_CHANGE_BOUNCE, IN_ANY, false, "expired", "Force-expired"},
    {'h', QUEUE_CHANGE_HOLD, IN_ANY & ~IN_HOLD, true, "placed on hold", "Placed on hold"},
    {'H', QUEUE_CHANGE_RELEASE, IN_HOLD, true, "released from hold", "Released from hold"},
};

/* The ids of one action, each with a NUL behind it. */
struct ids {
    struct buf text;
    size_t n;
    bool all;
};

struct order {
    struct ids ids[ACTIONS];
    unsigned places; /* of the queues that are named; 0: none is */
};

static void add_id(struct ids *ids, str id)
{
    buf_puts(&ids->text, id);
    buf_putc(&ids->text, '\0');
    ids->n++;
}

static void read_ids(struct ids *ids)
{
    char line[1024];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        add_id(ids, str_c(line));
    }
}

static int usage(void)
{
    return cli_fail(
        "usage: postsuper [-c config_dir] [-d queue_id (delete)] [-e queue_id (expire)] [-f queue_id "
        "(expire and/or un-hold)] [-h queue_id (hold)] [-H queue_id (un-hold)] [-p (purge temporary "
        "files)] [-r queue_id (requeue)] [-s (structure fix)] [-S (redundant structure fix)] [-v "
        "(verbose)] [queue...]");
}

static int take_option(struct order *o, int option, struct cli *cli)
{
    if (option == 'c')
        cli_use_conf(cli, optarg);
    if (option == '?')
        return usage();
    for (size_t i = 0; i < ACTIONS; i++) {
        if (actions[i].option != option)
            continue;
        if (strcmp(optarg, "ALL") == 0)
            o->ids[i].all = true;
        else if (strcmp(optarg, "-") == 0)
            read_ids(&o->ids[i]);
        else
            add_id(&o->ids[i], str_c(optarg));
    }
    return CLI_FINE;
}

/* Queues of Postfix: those where no message of ours can lie choose nothing. */
static int take_queues(struct order *o, char **names)
{
    static const struct {
        const char *name;
        unsigned places;
    } queues[] = {{"hold", 1 << QUEUE_PLACE_HOLD},
                  {"active", 1 << QUEUE_PLACE_ACTIVE},
                  {"incoming", 1 << QUEUE_PLACE_ACTIVE},
                  {"deferred", 1 << QUEUE_PLACE_DEFERRED},
                  {"maildrop", 1 << PLACES},
                  {"corrupt", 1 << PLACES},
                  {"bounce", 1 << PLACES},
                  {"defer", 1 << PLACES},
                  {"trace", 1 << PLACES},
                  {"flush", 1 << PLACES},
                  {"saved", 1 << PLACES}};
    for (; *names; names++) {
        unsigned places = 0;
        for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
            if (strcmp(*names, queues[i].name) == 0)
                places = queues[i].places;
        if (!places)
            return cli_fail("there is no queue \"%s\"; there are hold, incoming, active and deferred",
                            *names);
        o->places |= places;
    }
    return CLI_FINE;
}

/* --- doing it --- */

struct choosing {
    unsigned places;
    struct ids chosen;
};

static void choose(void *ctx, const struct queue_message *m)
{
    struct choosing *c = ctx;
    if (c->places & (1u << m->place))
        add_id(&c->chosen, m->id);
}

static char **split(const struct ids *ids)
{
    char **v = calloc(ids->n + 1, sizeof *v);
    must(v);
    size_t at = 0;
    for (size_t i = 0; i < ids->n; i++) {
        v[i] = ids->text.p + at;
        at += strlen(v[i]) + 1;
    }
    return v;
}

/* Of `from`, or of all messages when it is NULL, those in these places. */
static enum rc find(struct queue_admin *a, const struct ids *from, unsigned places, struct ids *ret,
                    struct err *e)
{
    struct choosing c = {.places = places, .chosen = {.text = BUF_INIT(IDS_BYTES_MAX)}};
    char **v = from ? split(from) : NULL;
    const struct queue_filter f = {.ids = v, .n_ids = from ? from->n : 0};
    enum rc rc = queue_message_each(a, &f, choose, &c, e);
    if (rc == RC_OK && c.chosen.text.overflow)
        rc = err_set(e, RC_LIMIT, 0, "", "there are too many messages");
    free(v);
    *ret = c.chosen;
    return rc;
}

/* What became of each id that was named, in that order; found are those to which something was done. */
static void tell(const struct action *action, const struct ids *named, const struct ids *found)
{
    char **asked = split(named), **done = split(found);
    for (size_t i = 0, k = 0; i < named->n; i++) {
        if (!queue_message_is_id(str_c(asked[i])))
            cli_warn("invalid mail queue id: %s", asked[i]);
        else if (k < found->n && strcmp(asked[i], done[k]) == 0)
            program_done("%s: %s", done[k++], action->one);
    }
    free(asked);
    free(done);
}

static enum rc change(struct queue_admin *a, const struct action *action, const struct ids *found,
                      size_t *ret_n, struct err *e)
{
    char **v = split(found);
    const struct queue_filter f = {.ids = v, .n_ids = found->n};
    enum rc rc = found->n ? queue_admin_change(a, &f, action->change, ret_n, e) : RC_OK;
    free(v);
    return rc;
}

/* One action for what was named. Of ALL only the sum is told. */
static enum rc act(struct queue_admin *a, const struct action *action, const struct ids *ids, unsigned places,
                   size_t *ret_n, struct err *e)
{
    struct ids found = {.text = BUF_INIT(IDS_BYTES_MAX)};
    places = !places ? action->places : action->needs_all ? places & action->places : places;
    if (ids->all && places == IN_ANY)
        return queue_admin_change(a, &(struct queue_filter){0}, action->change, ret_n, e);
    enum rc rc = find(a, ids->all ? NULL : ids, places, &found, e);
    if (rc == RC_OK)
        rc = change(a, action, &found, ret_n, e);
    if (rc == RC_OK && !ids->all)
        tell(action, ids, &found);
    buf_deinit(&found.text);
    return rc;
}

static int act_all(struct queue_admin *a, struct order *o)
{
    struct err e = {0};
    for (size_t i = 0; i < ACTIONS; i++) {
        size_t n = 0;
        if (o->ids[i].n == 0 && !o->ids[i].all)
            continue;
        if (act(a, &actions[i], &o->ids[i], o->places, &n, &e) != RC_OK)
            return cli_fail_err(&e);
        program_done("%s: %zu message%s", actions[i].sum, n, n == 1 ? "" : "s");
    }
    return CLI_FINE;
}

static int with_queue(struct cli *cli, struct order *o)
{
    AUTO(queue_admin_closep) struct queue_admin *a = NULL;
    int status;
    const struct conf *c = cli_conf(cli);
    if (!c)
        return CLI_FINDING;
    program_log_open(c, "postfix/postsuper");
    return queue_cli_open(cli, &a, &status) == RC_OK ? act_all(a, o) : CLI_FINDING;
}

int compat_postsuper(int argc, char **argv, struct cli *cli)
{
    struct order o = {0};
    int option, status = CLI_FINE;
    opterr = 0;
    for (size_t i = 0; i < ACTIONS; i++)
        buf_init(&o.ids[i].text, IDS_BYTES_MAX);
    while (status == CLI_FINE && (option = getopt(argc, argv, "+c:d:e:f:h:H:pr:sSv")) != -1)
        status = take_option(&o, option, cli);
    if (status == CLI_FINE)
        status = take_queues(&o, argv + optind);
    if (status == CLI_FINE)
        status = with_queue(cli, &o);
    for (size_t i = 0; i < ACTIONS; i++)
        buf_deinit(&o.ids[i].text);
    return status;
}
