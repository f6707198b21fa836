/* malle trace: a message's whole story, from the log files and the queue. The files are read as often as new
 * ids come up: of notifications that were written for a message, of messages that a server here took on
 * again. Only ids and the events of the story are kept. */
#include "cli/trace.h"

#include "base/map.h"
#include "cli/cmd_queue.h"

#include <unistd.h>

enum { IDS_MAX = 1000, EVENTS_MAX = 200000, ARENA_MAX = 256 << 20, PASSES_MAX = 8 };

struct trace {
    str wanted; /* an id, an address or a Message-ID, without its brackets */
    struct map *ids;
    size_t n_ids;
    bool too_many;
    struct arena *a;
    struct trace_event *events;
    size_t n, cap;
    int64_t now;
};

static void add_id(struct trace *t, str id)
{
    if (id.n == 0 || str_eq(id, S("NOQUEUE")) || map_find(t->ids, id))
        return;
    str own = t->n_ids < IDS_MAX ? arena_str(t->a, id) : STR_NONE;
    t->too_many |= own.p == NULL;
    if (own.p) {
        (void)map_put(t->ids, own, t);
        t->n_ids++;
    }
}

static bool has_id(const struct trace *t, str id)
{
    return id.n && map_find(t->ids, id) != NULL;
}

static str without_brackets(str s)
{
    return str_starts(s, S("<")) && str_ends(s, S(">")) ? str_sub(s, 1, s.n - 2) : s;
}

static bool names_wanted(const struct trace *t, const struct logline_facts *f)
{
    return (f->message_id.n && str_eq(without_brackets(f->message_id), t->wanted)) ||
           str_ieq(f->sender, t->wanted) || str_ieq(f->recipient, t->wanted) ||
           str_ieq(f->original, t->wanted) || str_ieq(f->account, t->wanted);
}

/* "250 2.0.0 Ok: queued as ID": where the other server is this one, the story goes on there. */
static str taken_as(str reply)
{
    ptrdiff_t at = str_find(reply, S(" as "));
    str rest = at < 0 ? STR_NONE : str_from(reply, (size_t)at + 4);
    return str_word(&rest);
}

/* --- first: which messages --- */

static void find_ids(void *ctx, const struct logline *line, int64_t seconds)
{
    struct trace *t = ctx;
    struct logline_facts f;
    if (line->id.n == 0)
        return;
    logline_read(line, &f);
    if (str_eq(line->id, t->wanted) || names_wanted(t, &f))
        add_id(t, line->id);
    if (has_id(t, line->id) && f.event == LOGLINE_NOTIFICATION)
        add_id(t, f.other);
    if (has_id(t, line->id) && f.event == LOGLINE_DELIVERY && str_eq(f.status, S("sent")))
        add_id(t, taken_as(f.reply));
    if (f.event == LOGLINE_NOTIFICATION && has_id(t, f.other))
        add_id(t, line->id);
}

/* --- then: what happened to them --- */

static struct trace_event *new_event(struct trace *t)
{
    if (t->n == EVENTS_MAX || arena_exhausted(t->a)) {
        t->too_many = true;
        return NULL;
    }
    if (t->n == t->cap) {
        struct trace_event *grown = arena_grow(t->a, t->events, t->n, sizeof *grown);
        if (!grown)
            return NULL;
        t->events = grown;
        t->cap = t->n < 4 ? 8 : 2 * t->n;
    }
    t->events[t->n] = (struct trace_event){.seconds = 0};
    return &t->events[t->n++];
}

static void take_event(void *ctx, const struct logline *line, int64_t seconds)
{
    struct trace *t = ctx;
    struct logline_facts f;
    logline_read(line, &f);
    bool refused = str_eq(line->id, S("NOQUEUE")) && names_wanted(t, &f);
    struct trace_event *e = has_id(t, line->id) || refused ? new_event(t) : NULL;
    if (!e)
        return;
    struct logline own = {.id = arena_str(t->a, line->id),
                          .role = arena_str(t->a, line->role),
                          .text = arena_str(t->a, line->text)};
    e->seconds = seconds;
    e->id = own.id;
    e->role = own.role;
    logline_read(&own, &e->facts);
}

static enum rc read_logs(struct trace *t, const struct trace_files *files)
{
    enum rc rc = RC_OK;
    size_t before = SIZE_MAX;
    add_id(t, t->wanted);
    for (int i = 0; i < PASSES_MAX && rc == RC_OK && before != t->n_ids; i++) {
        before = t->n_ids;
        rc = trace_files_each(files, t->now, find_ids, t);
    }
    return rc == RC_OK ? trace_files_each(files, t->now, take_event, t) : rc;
}

/* --- and now: what waits --- */

static bool is_wanted(const struct trace *t, const struct queue_item *item)
{
    return has_id(t, item->id) || str_eq(without_brackets(item->message_id), t->wanted) ||
           str_ieq(item->sender, t->wanted) || str_ieq(item->address, t->wanted) ||
           str_ieq(item->orig, t->wanted);
}

static void take_waiting(void *ctx, const struct queue_item *item)
{
    struct trace *t = ctx;
    AUTO(buf_deinit) struct buf reason = BUF_INIT(4096);
    struct trace_event *e = is_wanted(t, item) ? new_event(t) : NULL;
    if (!e)
        return;
    queue_reason_put(&reason, item, t->now * 1000);
    *e = (struct trace_event){.seconds = t->now,
                              .id = arena_str(t->a, item->id),
                              .role = S("queue"),
                              .waiting = true,
                              .queue_status = queue_status_name(item->status),
                              .attempts = item->attempts,
                              .next = item->next / 1000,
                              .reason = arena_str(t->a, buf_str(&reason))};
    e->facts.recipient = arena_str(t->a, item->address);
    e->facts.sender = arena_str(t->a, item->sender);
    e->facts.relay = arena_str(t->a, item->remote);
    e->facts.reply = arena_str(t->a, queue_reply_words(item->reply));
}

static void read_queue(struct trace *t, struct cli *cli)
{
    AUTO(queue_admin_closep) struct queue_admin *a = NULL;
    const struct queue_filter all = {0};
    struct err e = {0};
    int status;
    if (queue_cli_open(cli, &a, &status) == RC_OK && queue_admin_each(a, &all, take_waiting, t, &e) != RC_OK)
        cli_fail("the queue cannot be read: %s", err_text(&e));
}

static int compare(const void *a, const void *b)
{
    const struct trace_event *x = a, *y = b;
    if (x->seconds != y->seconds)
        return x->seconds < y->seconds ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static void sort(struct trace *t)
{
    for (size_t i = 0; i < t->n; i++)
        t->events[i].order = i;
    if (t->n > 1)
        qsort(t->events, t->n, sizeof *t->events, compare);
}

static int tell(struct trace *t, struct cli *cli, const struct trace_files *files)
{
    if (read_logs(t, files) != RC_OK)
        return CLI_FINDING;
    read_queue(t, cli);
    sort(t);
    if (t->too_many)
        cli_fail("there is more to tell than fits: only the first %d messages and %d events are told",
                 IDS_MAX, EVENTS_MAX);
    if (t->n == 0 && !cli->json)
        return cli_fail("nothing is known of " STR_FMT ": neither the log nor the queue names it",
                        STR_ARG(t->wanted));
    int status = trace_print(t->events, t->n, cli->json);
    return status == CLI_FINE && t->n == 0 ? CLI_FINDING : status;
}

/* Where log_target leads when nobody says --log. */
static int default_files(struct trace_files *files, const struct conf *c)
{
    if (strcmp(c->log_target, "stderr") == 0)
        return cli_fail(
            "log_target is stderr: say where the log is kept with --log FILE, or --log - for standard input");
    trace_files_find(files, strcmp(c->log_target, "syslog") == 0 ? "/var/log/mail.log" : c->log_target);
    return CLI_FINE;
}

static int read_arguments(int argc, char **argv, struct trace_files *files, const char **ret_wanted)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--log") == 0 && i + 1 < argc) {
            size_t before = files->n;
            trace_files_find(files, argv[++i]);
            if (files->n == before)
                return cli_fail("there is no log file %s", argv[i]);
        } else if (argv[i][0] == '-' || *ret_wanted || !argv[i][0]) {
            return cli_usage("trace takes one id, address or Message-ID, and --log FILE");
        } else {
            *ret_wanted = argv[i];
        }
    }
    return *ret_wanted ? CLI_FINE : cli_usage("trace needs an id, an address or a Message-ID");
}

int cmd_trace(int argc, char **argv, struct cli *cli)
{
    struct trace_files files = {.n = 0};
    const char *wanted = NULL;
    const struct conf *c = NULL;
    int status = read_arguments(argc, argv, &files, &wanted);
    if (status == CLI_FINE && !(c = cli_conf(cli)))
        status = CLI_FINDING;
    if (status == CLI_FINE && files.n == 0)
        status = default_files(&files, c);
    if (status == CLI_FINE) {
        struct trace t = {.wanted = without_brackets(str_c(wanted)),
                          .ids = map_new(),
                          .a = arena_new(ARENA_MAX),
                          .now = clock_wall() / 1000000};
        status = tell(&t, cli, &files);
        map_free(t.ids);
        arena_free(t.a);
    }
    trace_files_deinit(&files);
    return status;
}
