/* What one operation of the queue costs while many messages wait in it: fills queues of different sizes
 * through queue_put and measures the same operations in each, one JSON object a line.
 *
 *     queue_size --folder DIR [--operations N] SIZE...
 *
 * Half of the messages are due, half wait for a later time, as after a refusal; all go to SITES sites from
 * SENDERS senders, 1 KiB each. wall_ms is the median of single operations and, like cpu_ms, which is of the
 * whole process, in milliseconds. Operations that write return when the change is durable. */
#include "load.h"

#include "base/log.h"
#include "fmt/queue_id.h"
#include "queue/admin.h"
#include "queue/new_id.h"
#include "queue/queue_impl.h"

#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SITES = 100,
    SENDERS = 100,
    PUTTERS = 64, /* threads that fill */
    BODY = 1024,
    LATER_MS = 24 * 3600 * 1000,
    WAKES = 20,
    WAKE_MS = 100, /* how far ahead */
    SCANS = 3,     /* runs of what reads all */
    PAGE = 50
};

static struct {
    const char *folder;
    size_t operations;
    size_t size;
} opt = {.operations = 500};

static struct conf *conf;
static struct queue *queue;
static struct spool *spool;
static struct arena *arena;
static char body[BODY];

/* --- opening --- */

static void fail(const char *what, const struct err *e)
{
    load_die("queue_size: %s: %s", what, err_text(e));
}

static void name_file(char *path, size_t size, const char *file)
{
    snprintf(path, size, "%s/%zu/%s", opt.folder, opt.size, file);
}

static void open_all(void)
{
    char path[4096];
    struct err e = {0};
    name_file(path, sizeof path, "");
    spool = spool_open(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    name_file(path, sizeof path, "queue.db");
    if (queue_open(path, spool, conf, NULL, &queue, &e) != RC_OK)
        fail("open", &e);
}

static void close_all(void)
{
    queue = queue_close(queue);
    spool = spool_close(spool);
}

/* --- messages --- */

struct kind { /* of message */
    size_t number;
    bool local;         /* for a mailbox here, else for a site of the load */
    int64_t hold_until; /* 0: due at once */
    bool orphan;        /* it has no sender, and a short life */
};

static void put(const struct kind *k)
{
    char id[QUEUE_ID_SIZE], sender[64], to[64];
    struct err e = {0};
    snprintf(sender, sizeof sender, k->orphan ? "" : "user%zu@bench.test", k->number % SENDERS);
    snprintf(to, sizeof to, "user%zu@site%zu.test", k->number, k->number / 2 % SITES);
    struct queue_rcpt rcpt = {.address = str_c(to), .local = k->local};
    struct queue_envelope v = {.id = queue_new_id(id),
                               .sender = str_c(sender),
                               .client = S("client.test[192.0.2.1]"),
                               .message_id = S("<load@bench.test>"),
                               .arrived = queue_wall(),
                               .hold_until = k->hold_until,
                               .size = sizeof body,
                               .lines = 1,
                               .trace = S("Received: from client.test by mail.bench.test\n"),
                               .rcpts = &rcpt,
                               .n = 1};
    if (queue_put(queue, &v, str_mem(body, sizeof body), -1, &e) != RC_OK)
        fail("put", &e);
}

static atomic_size_t next_number;

static void *fill_some(void *unused)
{
    for (size_t i; (i = atomic_fetch_add(&next_number, 1)) < opt.size;)
        put(&(struct kind){.number = i, .hold_until = i % 2 ? queue_wall() + LATER_MS : 0});
    return NULL;
}

static void fill(void)
{
    pthread_t threads[PUTTERS];
    next_number = 0;
    for (int i = 0; i < PUTTERS; i++)
        if (pthread_create(&threads[i], NULL, fill_some, NULL) != 0)
            load_die("cannot start a thread");
    for (int i = 0; i < PUTTERS; i++)
        pthread_join(threads[i], NULL);
}

/* --- measuring --- */

static double cpu_now(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void say(const char *name, double wall_ms, double cpu_ms)
{
    printf("{\"size\": %zu, \"operation\": \"%s\", \"wall_ms\": %.4f, \"cpu_ms\": %.4f}\n", opt.size, name,
           wall_ms, cpu_ms);
    fflush(stdout);
}

/* Runs fn n times. fn may return the seconds that count of a call, or -1 for all that passed. */
static void measure(const char *name, size_t n, double (*fn)(size_t i))
{
    struct load_latency l = {calloc(n, sizeof *l.v), n};
    if (!l.v)
        load_die("out of memory");
    double cpu = cpu_now();
    for (size_t i = 0; i < n; i++) {
        double start = load_now(), own = fn(i);
        l.v[i] = own >= 0 ? own : load_now() - start;
    }
    cpu = cpu_now() - cpu;
    say(name, load_percentile(&l, 50), cpu * 1000 / (double)n);
    free(l.v);
}

static double run_put(size_t i)
{
    put(&(struct kind){.number = i});
    return -1;
}

static struct queue_job job;

static void take(enum queue_kind kind)
{
    arena_reset(arena);
    if (queue_take(queue, kind, 0, clock_mono() + 10000, arena, &job) != RC_OK)
        load_die("queue_size: there is nothing to take");
}

static void report(enum queue_result result)
{
    struct queue_outcome o = {.rcpt = job.envelope.rcpts[0].n,
                              .result = result,
                              .code = result == QUEUE_DEFERRED ? 450 : 250,
                              .status = result == QUEUE_DEFERRED ? S("4.2.0") : S("2.0.0"),
                              .reply = S("what the next hop said"),
                              .remote = S("mx.site.test[192.0.2.9]:25")};
    struct queue_report r = {.number = job.number, .id = job.envelope.id, .outcomes = &o, .n = 1};
    if (queue_report(queue, &r) != RC_OK)
        load_die("queue_size: a report was not taken");
    if (queue_flush(queue) != RC_OK)
        load_die("queue_size: the queue cannot be synced");
}

/* The job goes back, which is not timed, and is taken again. */
static double run_take(size_t i)
{
    double start = load_now();
    take(QUEUE_REMOTE);
    double took = load_now() - start;
    queue_give_back(queue, job.number);
    return took;
}

static double run_success(size_t i)
{
    take(QUEUE_REMOTE);
    double start = load_now();
    report(QUEUE_RELAYED);
    return load_now() - start;
}

static double run_deferral(size_t i)
{
    take(QUEUE_REMOTE);
    double start = load_now();
    report(QUEUE_DEFERRED);
    return load_now() - start;
}

/* How long after its time a message that waits is handed to a taker. */
static double run_wake(size_t i)
{
    int64_t due = queue_wall() + WAKE_MS;
    put(&(struct kind){.number = i, .local = true, .hold_until = due});
    take(QUEUE_LOCAL);
    double late = (double)(queue_wall() - due) / 1000;
    report(QUEUE_DELIVERED);
    return late < 0 ? 0 : late;
}

static double run_look_at_timers(size_t i)
{
    (void)!queue_run_timers(queue);
    return -1;
}

/* Messages whose lifetime is over, and their notifications. */
static void measure_expiry(void)
{
    for (size_t i = 0; i < opt.operations; i++)
        put(&(struct kind){.number = i, .orphan = true});
    clock_inject_offset(2000);
    double start = load_now(), cpu = cpu_now();
    while (queue_run_timers(queue))
        ;
    double n = (double)opt.operations;
    say("expire one of many", (load_now() - start) * 1000 / n, (cpu_now() - cpu) * 1000 / n);
    clock_inject_offset(0);
}

/* --- as an administrator --- */

static struct queue_admin *admin;
static char some_id[QUEUE_ID_SIZE];
static size_t seen;

static void see(void *ctx, const struct queue_item *item)
{
    if (seen++ == 0)
        must(str_copy(some_id, sizeof some_id, item->id) == RC_OK);
}

static void each(const struct queue_filter *f)
{
    struct err e = {0};
    seen = 0;
    if (queue_admin_each(admin, f, see, NULL, &e) != RC_OK)
        fail("list", &e);
}

static double run_list_page(size_t i)
{
    each(&(struct queue_filter){.most = PAGE});
    return -1;
}

static double run_list_id(size_t i)
{
    char *ids[] = {some_id};
    each(&(struct queue_filter){.ids = ids, .n_ids = 1});
    return -1;
}

static double run_list_sender(size_t i)
{
    each(&(struct queue_filter){.has_sender = true, .sender = S("user7@bench.test"), .most = PAGE});
    return -1;
}

static double run_list_nobody(size_t i)
{
    each(&(struct queue_filter){.has_sender = true, .sender = S("nobody@bench.test")});
    return -1;
}

static double run_stats(size_t i)
{
    AUTO(arena_freep) struct arena *a = arena_new(64 << 20);
    struct queue_filter all = {0};
    struct queue_stats *list;
    size_t n;
    struct err e = {0};
    if (queue_admin_stats(admin, &all, a, &list, &n, &e) != RC_OK)
        fail("stats", &e);
    return -1;
}

static void measure_admin(void)
{
    char path[4096];
    struct err e = {0};
    name_file(path, sizeof path, "queue.db");
    if (queue_admin_open(path, -1, conf, &admin, &e) != RC_OK)
        fail("open for an administrator", &e);
    measure("list, the first 50", SCANS * 10, run_list_page);
    measure("list, one id", SCANS * 10, run_list_id);
    measure("list, the first 50 of one sender", SCANS, run_list_sender);
    measure("list, a sender without mail", SCANS, run_list_nobody);
    measure("stats", SCANS, run_stats);
    admin = queue_admin_close(admin);
}

/* --- the whole --- */

static double pss_mib(void)
{
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    while (f && fgets(line, sizeof line, f) && sscanf(line, "Pss: %ld", &kib) != 1)
        ;
    if (f)
        fclose(f);
    return (double)kib / 1024;
}

static void say_number(const char *name, double v)
{
    printf("{\"size\": %zu, \"operation\": \"%s\", \"value\": %.3f}\n", opt.size, name, v);
    fflush(stdout);
}

static void say_disk(void)
{
    char path[4096];
    struct stat st;
    name_file(path, sizeof path, "queue.db");
    if (stat(path, &st) == 0)
        say_number("MiB of the database", (double)st.st_size / 1048576);
}

static double run_open(size_t i)
{
    open_all();
    double start = load_now();
    close_all();
    start = load_now();
    open_all();
    take(QUEUE_REMOTE); /* it is open when it hands out work */
    double took = load_now() - start;
    queue_give_back(queue, job.number);
    close_all();
    return took;
}

static void run_size(void)
{
    char path[4096];
    name_file(path, sizeof path, "");
    if (mkdir(path, 0700) != 0)
        load_die("queue_size: cannot make %s", path);
    open_all();
    double start = load_now();
    fill();
    say_number("messages/s while it was filled", (double)opt.size / (load_now() - start));
    close_all();
    measure("open and take the first", SCANS, run_open);
    malloc_trim(0);
    open_all();
    measure("put", opt.operations, run_put);
    measure("take", opt.operations, run_take);
    measure("report a success", opt.operations / 2, run_success);
    measure("report a deferral", opt.operations / 2, run_deferral);
    measure("wake for a message that waited: late by", WAKES, run_wake);
    measure("look whether a timer is due", opt.operations, run_look_at_timers);
    say_number("MiB of memory", pss_mib());
    measure_expiry();
    measure_admin();
    close_all();
    say_disk();
}

static void parse(int argc, char **argv)
{
    static const struct option names[] = {
        {"folder", 1, NULL, 'f'}, {"operations", 1, NULL, 'n'}, {NULL, 0, NULL, 0}};
    int k;
    while ((k = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (k == 'f')
            opt.folder = optarg;
        else if (k == 'n')
            opt.operations = strtoul(optarg, NULL, 10);
        else
            exit(2);
    }
    if (!opt.folder || opt.operations < 10 || opt.operations > 10000 || optind == argc)
        load_die("queue_size: needs --folder, sizes, and from 10 to 10000 operations");
}

int main(int argc, char **argv)
{
    struct conf_report r = {0};
    parse(argc, argv);
    log_init("queue_size", "", STDERR_FILENO, LOG_TEXT, LOG_LEVEL_WARN);
    memset(body, 'x', sizeof body);
    body[sizeof body - 1] = '\n';
    conf = conf_parse(S("hostname = mail.bench.test\ndelay_warning_time = 0\nbounce_queue_lifetime = 1s\n"),
                      "bench", &r);
    if (!conf)
        load_die("queue_size: the settings are wrong");
    arena = arena_new(4 << 20);
    for (int i = optind; i < argc; i++) {
        opt.size = strtoul(argv[i], NULL, 10);
        /* every operation has something to work on, the last deferral, too */
        if (opt.size < 2 * opt.operations)
            load_die("queue_size: a size must be twice the operations");
        run_size();
    }
    arena_free(arena);
    conf_free(conf);
    return 0;
}
