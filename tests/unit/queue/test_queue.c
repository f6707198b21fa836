/* queue: what is put in comes out, once, in a fair order, and never gets lost on the way. */
#include "queue/new_id.h"
#include "queue/queue.h"
#include "queue/spool.h"

#include "fmt/smtp_cmd.h"
#include "os/db.h"
#include "queue/admin.h"
#include "queue/queue_impl.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/malle-queue-XXXXXX";
static struct spool *spool;
static struct queue *queue;
static struct conf *conf;
static struct arena *arena;

static void open_all(void)
{
    struct err e = {0};
    char path[100];
    int dir = open(folder, O_RDONLY | O_DIRECTORY);
    assert_true(dir >= 0);
    spool = spool_open(dir);
    snprintf(path, sizeof path, "%s/queue.db", folder);
    if (queue_open(path, spool, conf, NULL, &queue, &e) != RC_OK)
        fail_msg("%s", err_text(&e));
}

static void close_all(void)
{
    queue = queue_close(queue);
    spool = spool_close(spool);
}

static void set_conf(const char *text)
{
    struct conf_report report = {0};
    char all[1000];
    snprintf(all, sizeof all, "hostname = mail.example.org\n%s", text);
    conf = conf_parse(str_c(all), "test", &report);
    assert_non_null(conf);
    conf_report_deinit(&report);
}

static int begin(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/malle-queue-XXXXXX");
    assert_non_null(mkdtemp(folder));
    arena = arena_new(80 << 20);
    set_conf("minimal_backoff_time = 1s\nmaximal_backoff_time = 2s\n");
    open_all();
    return 0;
}

static int end(void **state)
{
    char command[200];
    clock_inject_wall_offset(0);
    clock_inject_offset(0);
    close_all();
    arena = arena_free(arena);
    conf = conf_free(conf);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* --- short forms --- */

static void put_many(const char *id, const char *sender, const char *const *to, size_t n, unsigned notify)
{
    struct queue_rcpt rcpts[100] = {0};
    struct err e = {0};
    str content = S("Subject: test\n\nbody\n");
    for (size_t i = 0; i < n; i++)
        rcpts[i] = (struct queue_rcpt){.address = str_c(to[i]), .notify = notify};
    struct queue_envelope v = {.id = str_c(id),
                               .sender = str_c(sender),
                               .client = S("unknown[192.0.2.1]"),
                               .arrived = clock_wall() / 1000,
                               .size = content.n,
                               .lines = 3,
                               .trace = S("Received: by test\n"),
                               .rcpts = rcpts,
                               .n = n};
    assert_int_equal(queue_put(queue, &v, content, -1, &e), RC_OK);
}

static void put(const char *id, const char *sender, const char *to)
{
    put_many(id, sender, &to, 1, 0);
}

static bool take(enum queue_kind kind, msec wait, struct queue_job *ret)
{
    arena_reset(arena);
    enum rc rc = queue_take(queue, kind, 0, clock_mono() + wait, arena, ret);
    assert_true(rc == RC_OK || rc == RC_GONE);
    return rc == RC_OK;
}

/* Files are released after whoever waits for the same sync went on, and before the next one. */
static void await_releases(void)
{
    for (int i = 0; i < 2; i++)
        assert_int_equal(queue_flush(queue), RC_OK);
}

/* Spool files that are not free. */
static int files_in_use(void)
{
    int n = 0;
    spool_trim(spool);
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += strncmp(e->d_name, "content.", 8) == 0;
    closedir(d);
    return n;
}

static const char *only_file(void)
{
    static char path[300];
    DIR *d = opendir(folder);
    assert_non_null(d);
    path[0] = '\0';
    for (struct dirent *e; (e = readdir(d));)
        if (strncmp(e->d_name, "content.", 8) == 0) {
            assert_string_equal(path, "");
            snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        }
    closedir(d);
    return path;
}

static void report(const struct queue_job *job, enum queue_result result, bool site_failed)
{
    struct queue_outcome list[QUEUE_JOB_RCPTS_MAX];
    struct queue_report r = {.number = job->number,
                             .id = job->envelope.id,
                             .outcomes = list,
                             .n = job->envelope.n,
                             .site_failed = site_failed};
    for (size_t i = 0; i < r.n; i++)
        list[i] = (struct queue_outcome){.rcpt = job->envelope.rcpts[i].n,
                                         .result = result,
                                         .code = 550,
                                         .status = S("5.1.1"),
                                         .reply = S("550 5.1.1 no such user"),
                                         .remote = S("mx.example.net[192.0.2.9]:25")};
    assert_int_equal(queue_report(queue, &r), RC_OK);
}

#define assert_str(s, lit) assert_true(str_eq((s), S(lit)))

/* --- tests --- */

static void once_and_whole(void **state)
{
    struct queue_job job;
    const char *to[] = {"a@example.net", "b@example.net"};
    put_many("id1", "me@example.org", to, 2, 0);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "id1");
    assert_str(job.envelope.sender, "me@example.org");
    assert_str(job.envelope.trace, "Received: by test\n");
    assert_str(job.site_name, "example.net");
    assert_str(job.content, "Subject: test\n\nbody\n");
    assert_int_equal(job.envelope.n, 2);
    assert_str(job.envelope.rcpts[1].address, "b@example.net");
    report(&job, QUEUE_RELAYED, false);
    assert_false(take(QUEUE_REMOTE, 50, &job));
    close_all();
    open_all();
    assert_false(take(QUEUE_REMOTE, 50, &job));
}

static void survives_a_restart(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    close_all(); /* the job's taker is gone */
    open_all();
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "id1");
}

/* Put, and the process ended before it could answer; the next one has delivered it when it is put again. */
static void put_again_when_it_has_left(void **state)
{
    enum { SIZE = 100 << 10 };
    struct queue_job job;
    struct err e = {0};
    char *bytes = calloc(1, SIZE);
    struct queue_rcpt to = {.address = S("a@example.net")};
    struct queue_envelope v = {
        .id = S("large"), .arrived = clock_wall() / 1000, .size = SIZE, .rcpts = &to, .n = 1};
    put("id1", "me@example.org", "a@example.net");
    assert_int_equal(queue_put(queue, &v, str_mem(bytes, SIZE), -1, &e), RC_OK);
    close_all();
    open_all();
    for (int i = 0; i < 2; i++) {
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        report(&job, QUEUE_RELAYED, false);
    }
    await_releases();
    put("id1", "me@example.org", "a@example.net");
    assert_int_equal(queue_put(queue, &v, str_mem(bytes, SIZE), -1, &e), RC_OK);
    assert_false(take(QUEUE_REMOTE, 50, &job));
    assert_int_equal(files_in_use(), 0);
    put("id2", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_RELAYED, false);
    free(bytes);
}

static void late_report_counts(void **state)
{
    struct queue_job job, other;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    close_all();
    open_all();
    report(&job, QUEUE_RELAYED, false);
    assert_false(take(QUEUE_REMOTE, 50, &other));
}

static void given_back(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    queue_give_back(queue, job.number);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_NOT_TRIED, false);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_RELAYED, false);
    assert_false(take(QUEUE_REMOTE, 50, &job));
}

static enum rc backdate_run(struct queue *q, void *arg, struct err *e)
{
    return db_run(q->writer, e, "UPDATE rcpt SET due=1");
}

/* Committed after a row that became due later had been read. */
static void committed_late(void **state)
{
    struct queue_job job;
    struct queue_op backdate = {.run = backdate_run};
    put("early", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_RELAYED, false);
    await_releases();
    put("late", "me@example.org", "a@example.net");
    assert_int_equal(queue_commit(queue, &backdate), RC_OK);
    assert_true(take(QUEUE_REMOTE, 500, &job));
    assert_str(job.envelope.id, "late");
}

/* The same while another message of the lane is under way: only the look that comes each second reads it
 * again. */
static void committed_late_beside_another(void **state)
{
    struct queue_job early, late;
    struct queue_op backdate = {.run = backdate_run};
    put("early", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &early));
    put("late", "me@example.org", "a@example.net");
    assert_int_equal(queue_commit(queue, &backdate), RC_OK);
    assert_true(take(QUEUE_REMOTE, 4000, &late));
    assert_str(late.envelope.id, "late");
}

/* smtp_destination_rate_delay: one at a time, and a while between them; other places do not wait. */
static void paced(void **state)
{
    struct queue_job job;
    close_all();
    conf = conf_free(conf);
    set_conf("smtp_destination_rate_delay = 700ms\n");
    open_all();
    put("id1", "me@example.org", "a@example.net");
    put("id2", "you@example.org", "b@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_false(take(QUEUE_REMOTE, 100, &(struct queue_job){0}));
    queue_give_back(queue, job.number);
    assert_false(take(QUEUE_REMOTE, 400, &job));
    put("id3", "me@example.org", "c@example.com");
    assert_true(take(QUEUE_REMOTE, 200, &job));
    assert_str(job.envelope.id, "id3");
    assert_true(take(QUEUE_REMOTE, 600, &job));
    report(&job, QUEUE_RELAYED, false);
    assert_false(take(QUEUE_REMOTE, 400, &job));
    assert_true(take(QUEUE_REMOTE, 1000, &job));
}

static void deferred_comes_back(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_DEFERRED, false);
    assert_false(take(QUEUE_REMOTE, 500, &job));
    assert_true(take(QUEUE_REMOTE, 4000, &job));
    assert_int_equal(job.attempts, 1);
}

static void failure_bounces(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_FAILED, false);
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    assert_int_equal(job.envelope.sender.n, 0);
    assert_str(job.envelope.rcpts[0].address, "me@example.org");
    assert_true(str_find(job.content, S("550 5.1.1 no such user")) >= 0);
    assert_true(str_find(job.content, S("Final-Recipient: rfc822; a@example.net")) >= 0);
    assert_true(str_find(job.content, S("Action: failed")) >= 0);
    report(&job, QUEUE_FAILED,
           false); /* the postmaster hears of a bounce that fails, and nobody after that */
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    assert_str(job.envelope.rcpts[0].address, "postmaster@mail.example.org");
    report(&job, QUEUE_FAILED, false);
    assert_false(take(QUEUE_LOCAL, 100, &job));
}

static void notify_is_obeyed(void **state)
{
    struct queue_job job;
    const char *to[] = {"a@example.net"};
    put_many("id1", "me@example.org", to, 1, SMTP_NOTIFY_NEVER);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_FAILED, false);
    assert_false(take(QUEUE_LOCAL, 100, &job));
    put_many("id2", "me@example.org", to, 1, SMTP_NOTIFY_SUCCESS);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_RELAYED_BLIND, false);
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    assert_true(str_find(job.content, S("Action: relayed")) >= 0);
}

/* What was put off comes back in time although its site is busy all the while. */
static void deferred_on_a_busy_site(void **state)
{
    struct queue_job job;
    char id[20];
    bool back = false;
    put("late", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_DEFERRED, false);
    msec begin = clock_mono();
    for (int i = 0; !back && clock_mono() < begin + 5000; i++) {
        snprintf(id, sizeof id, "n%d", i);
        put(id, "other@example.org", "b@example.net");
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        back = str_eq(job.envelope.id, S("late"));
        report(&job, QUEUE_RELAYED, false);
    }
    assert_true(back);
}

/* More senders than fit in memory, one of them without end: all have their turn. */
static void many_senders_one_site(void **state)
{
    struct queue_job job;
    char id[20], sender[40];
    unsigned others = 0;
    for (int i = 0; i < 60; i++) {
        snprintf(id, sizeof id, "s%d", i);
        snprintf(sender, sizeof sender, "u%d@example.org", i);
        put(id, sender, "a@example.net");
    }
    for (int i = 0; others < 60 && i < 2000; i++) {
        snprintf(id, sizeof id, "b%d", i);
        put(id, "bulk@example.org", "b@example.net");
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        others += job.envelope.id.p[0] == 's';
        report(&job, QUEUE_RELAYED, false);
    }
    assert_int_equal(others, 60);
}

/* A mailing of many does not hold up the one message of somebody else. */
static void fair_to_senders(void **state)
{
    struct queue_job job;
    char id[20];
    for (int i = 0; i < 200; i++) {
        snprintf(id, sizeof id, "bulk%d", i);
        put(id, "bulk@example.org", "a@example.net");
    }
    put("single", "me@example.org", "b@example.net");
    int position = 0;
    do {
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        report(&job, QUEUE_RELAYED, false);
        position++;
    } while (!str_eq(job.envelope.id, S("single")));
    assert_true(position < 10);
}

static void slow_sites_hold_up_nobody(void **state)
{
    struct queue_job job;
    char id[20];
    for (int i = 0; i < 50; i++) {
        snprintf(id, sizeof id, "slow%d", i);
        put(id, "me@example.org", "a@slow.example");
    }
    put("quick", "me@example.org", "a@quick.example");
    bool quick = false;
    unsigned slow = 0;
    while (take(QUEUE_REMOTE, 50, &job)) { /* nobody reports */
        quick |= str_eq(job.envelope.id, S("quick"));
        slow += str_eq(job.site_name, S("slow.example"));
    }
    assert_true(quick);
    assert_int_equal(slow, 5); /* initial_destination_concurrency */
}

static void dead_site_is_probed(void **state)
{
    struct queue_job job[5], probe;
    char id[20];
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "d%d", i);
        put(id, "me@example.org", "a@dead.example");
    }
    assert_true(take(QUEUE_REMOTE, 2000, &job[0]));
    report(&job[0], QUEUE_DEFERRED, true);
    assert_false(take(QUEUE_REMOTE, 300, &probe)); /* dead for minimal_backoff_time */
    assert_true(take(QUEUE_REMOTE, 4000, &probe));
    assert_false(take(QUEUE_REMOTE, 100, &job[1])); /* one at a time until it answers */
    report(&probe, QUEUE_RELAYED, false);
    for (int i = 0; i < 5; i++)
        assert_true(take(QUEUE_REMOTE, 2000, &job[i]));
}

static void expires(void **state)
{
    struct queue_job job;
    close_all();
    conf = conf_free(conf);
    set_conf("minimal_backoff_time = 1s\nmaximal_backoff_time = 1s\nmaximal_queue_lifetime = 4s\n"
             "delay_warning_time = 1s\n");
    open_all();
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_DEFERRED, false);
    assert_true(take(QUEUE_LOCAL, 5000, &job));
    assert_true(str_find(job.content, S("Action: delayed")) >= 0);
    report(&job, QUEUE_DELIVERED, false);
    assert_true(take(QUEUE_LOCAL, 6000, &job));
    assert_true(str_find(job.content, S("Action: failed")) >= 0);
    assert_true(str_find(job.content, S("expired")) >= 0);
}

/* RFC 4865 §4.2: not before its time, which its lifetime does not count. */
static void held_until(void **state)
{
    struct queue_job job;
    struct err e = {0};
    struct queue_rcpt to[] = {{.address = S("a@example.net")},
                              {.address = S("here@example.org"), .local = true}};
    int64_t now = clock_wall() / 1000;
    struct queue_envelope v = {.id = S("id1"),
                               .sender = S("me@example.org"),
                               .arrived = now,
                               .hold_until = now + 1500,
                               .size = 3,
                               .rcpts = to,
                               .n = 2};
    assert_int_equal(queue_put(queue, &v, S("a\nb"), -1, &e), RC_OK);
    put("id2", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "id2");
    report(&job, QUEUE_RELAYED, false);
    assert_false(take(QUEUE_LOCAL, 100, &job));
    assert_true(take(QUEUE_REMOTE, 6000, &job));
    assert_str(job.envelope.id, "id1");
    assert_in_range(clock_wall() / 1000 - v.hold_until, 0, 700);
    int64_t lives = job.envelope.expires - v.hold_until - conf->maximal_queue_lifetime_ms;
    assert_true(lives > -50 && lives < 50); /* by another clock */
    assert_true(take(QUEUE_LOCAL, 6000, &job));
}

static void put_by(const char *id, int64_t milliseconds, unsigned flags)
{
    struct err e = {0};
    struct queue_rcpt to = {.address = S("a@example.net")};
    struct queue_envelope v = {.id = str_c(id),
                               .sender = S("me@example.org"),
                               .flags = flags,
                               .arrived = clock_wall() / 1000,
                               .deliver_by = clock_wall() / 1000 + milliseconds,
                               .size = 3,
                               .rcpts = &to,
                               .n = 1};
    assert_int_equal(queue_put(queue, &v, S("a\nb"), -1, &e), RC_OK);
}

/* RFC 2852 §4.1.3: mode R fails, mode N is told of once and goes on. */
static void deliver_by(void **state)
{
    struct queue_job job;
    put_by("id1", 1000, QUEUE_BY_RETURN);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_DEFERRED, false);
    assert_true(take(QUEUE_LOCAL, 5000, &job));
    assert_true(str_find(job.content, S("Action: failed\nStatus: 5.4.7")) >= 0);
    assert_true(str_find(job.content, S("Deliver-By-Date: ")) >= 0);
    report(&job, QUEUE_DELIVERED, false);
    put_by("id2", 100, 0);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "id2");
    report(&job, QUEUE_DEFERRED, false);
    assert_true(take(QUEUE_LOCAL, 5000, &job));
    assert_true(str_find(job.content, S("Action: delayed\nStatus: 4.4.7")) >= 0);
    report(&job, QUEUE_DELIVERED, false);
    assert_true(take(QUEUE_REMOTE, 5000, &job));
    assert_str(job.envelope.id, "id2");
    assert_false(take(QUEUE_LOCAL, 1500, &job));
}

/* RFC 2852 §4.1.4: whoever wants a trace hears of a relay without having asked for success. */
static void traced(void **state)
{
    struct queue_job job;
    const char *to[] = {"a@example.net"};
    put_many("id1", "me@example.org", to, 1, SMTP_NOTIFY_NEVER);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_RELAYED_TRACED, false);
    assert_false(take(QUEUE_LOCAL, 100, &job));
    put_many("id2", "me@example.org", to, 1, 0);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    report(&job, QUEUE_RELAYED_TRACED, false);
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    assert_true(str_find(job.content, S("Action: relayed")) >= 0);
}

static void put_priority(const char *id, const char *sender, int priority)
{
    struct err e = {0};
    struct queue_rcpt to = {.address = S("a@example.net")};
    struct queue_envelope v = {.id = str_c(id),
                               .sender = str_c(sender),
                               .flags = QUEUE_HAS_PRIORITY,
                               .arrived = clock_wall() / 1000,
                               .priority = priority,
                               .size = 3,
                               .rcpts = &to,
                               .n = 1};
    assert_int_equal(queue_put(queue, &v, S("a\nb"), -1, &e), RC_OK);
}

/* RFC 6710 §5: what is urgent goes first, also past a site full of others' mail; nobody starves. */
static void priorities(void **state)
{
    struct queue_job job;
    char id[20], sender[40];
    unsigned position[3] = {0}, taken = 0; /* of the last message of each priority */
    for (int i = 0; i < 60; i++) {
        snprintf(id, sizeof id, "n%d", i);
        snprintf(sender, sizeof sender, "u%d@example.org", i);
        put_priority(id, sender, 0);
    }
    put_priority("l", "me@example.org", -5);
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "h%d", i);
        snprintf(sender, sizeof sender, "u%d@example.org", i);
        put_priority(id, sender, i < 10 ? 9 : 3);
    }
    for (; taken < 81 && take(QUEUE_REMOTE, 5000, &job); taken++) {
        int p = job.envelope.priority;
        position[p > 0 ? 2 : p == 0 ? 1 : 0] = taken;
        if (taken < 4)
            assert_true(p == 9 || taken == 3);
        report(&job, QUEUE_RELAYED, false);
    }
    assert_int_equal(taken, 81);
    assert_true(position[2] < 35);
    assert_true(position[0] < 81);
}

/* A stream of urgent mail does not stop the rest. */
static void urgent_without_end(void **state)
{
    struct queue_job job;
    char id[20], sender[40];
    bool slow = false, normal = false;
    put_priority("slow", "me@example.org", -9);
    put_priority("normal", "me@example.org", 0);
    for (int i = 0; i < 200 && !(slow && normal); i++) {
        for (int k = 0; k < 2; k++) {
            snprintf(id, sizeof id, "h%d-%d", i, k);
            snprintf(sender, sizeof sender, "u%d@example.org", (2 * i + k) % 30);
            put_priority(id, sender, 9);
        }
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        slow |= str_eq(job.envelope.id, S("slow"));
        normal |= str_eq(job.envelope.id, S("normal"));
        report(&job, QUEUE_RELAYED, false);
    }
    assert_true(slow && normal);
}

/* A queue that version 1 wrote keeps its mail. */
static void old_version(void **state)
{
    static const char made[] =
        "CREATE TABLE message(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, sender TEXT NOT NULL,"
        " envid TEXT NOT NULL, ret INTEGER NOT NULL, flags INTEGER NOT NULL, account TEXT NOT NULL,"
        " client TEXT NOT NULL, message_id TEXT NOT NULL, arrived INTEGER NOT NULL, size INTEGER NOT NULL,"
        " lines INTEGER NOT NULL, expires INTEGER NOT NULL, warn INTEGER, timer INTEGER,"
        " trace BLOB NOT NULL, content BLOB);"
        "CREATE INDEX message_timer ON message(timer) WHERE timer IS NOT NULL;"
        "CREATE TABLE site(n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, due INTEGER NOT NULL,"
        " retry INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, reply TEXT NOT NULL DEFAULT "
        "'');"
        "CREATE INDEX site_due ON site(due);"
        "CREATE TABLE lane(n INTEGER PRIMARY KEY, site INTEGER NOT NULL, key TEXT NOT NULL,"
        " due INTEGER NOT NULL, UNIQUE(site, key));"
        "CREATE INDEX lane_due ON lane(site, due);"
        "CREATE TABLE rcpt(n INTEGER PRIMARY KEY, message INTEGER NOT NULL, lane INTEGER NOT NULL,"
        " due INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0,"
        " address TEXT NOT NULL, orig TEXT NOT NULL, orcpt TEXT NOT NULL, notify INTEGER NOT NULL,"
        " local INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, tried INTEGER NOT NULL DEFAULT 0,"
        " code INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL DEFAULT '', reply TEXT NOT NULL DEFAULT '',"
        " remote TEXT NOT NULL DEFAULT '');"
        "CREATE INDEX rcpt_lane ON rcpt(lane, due, n);"
        "CREATE INDEX rcpt_message ON rcpt(message);"
        "INSERT INTO message VALUES(1,'old','me@example.org','',0,0,'','c','m',1,3,1,9000000000000,NULL,"
        "9000000000000,x'',x'610a62');"
        "INSERT INTO site(n,name,due) VALUES(2,'example.net',1);"
        "INSERT INTO lane(n,site,key,due) VALUES(3,2,'me@example.org',1);"
        "INSERT INTO rcpt(n,message,lane,due,address,orig,orcpt,notify,local) "
        "VALUES(4,1,3,1,'a@example.net','',"
        "'',0,0);"
        "PRAGMA user_version=1;";
    struct queue_job job;
    struct err e = {0};
    struct db *db = NULL;
    char path[100], command[200];
    close_all();
    snprintf(path, sizeof path, "%s/queue.db", folder);
    snprintf(command, sizeof command, "rm %s/queue.db*", folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(db_open(path, DB_CREATE, &db, &e), RC_OK);
    assert_int_equal(db_script(db, made, &e), RC_OK);
    db_close(db);
    open_all();
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "old");
    assert_str(job.content, "a\nb");
    report(&job, QUEUE_DEFERRED, false);
    close_all();
    open_all();
    assert_true(take(QUEUE_REMOTE, 4000, &job));
    assert_int_equal(job.attempts, 1);
}

static void expanded(void **state)
{
    struct queue_job job;
    struct queue_rcpt list[] = {{.address = S("list@example.org"), .local = true}};
    struct queue_rcpt added[] = {{.address = S("x@example.net"), .orig = S("list@example.org")}};
    struct queue_envelope v = {.id = S("id1"),
                               .sender = S("me@example.org"),
                               .arrived = clock_wall() / 1000,
                               .size = 3,
                               .rcpts = list,
                               .n = 1};
    struct err e = {0};
    assert_int_equal(queue_put(queue, &v, S("a\nb"), -1, &e), RC_OK);
    assert_true(take(QUEUE_LOCAL, 2000, &job));
    struct queue_outcome o = {.rcpt = job.envelope.rcpts[0].n, .result = QUEUE_EXPANDED};
    struct queue_report r = {
        .number = job.number, .id = job.envelope.id, .outcomes = &o, .n = 1, .added = added, .n_added = 1};
    assert_int_equal(queue_report(queue, &r), RC_OK);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "id1");
    assert_str(job.envelope.rcpts[0].orig, "list@example.org");
}

/* A message has one sender: recipients with another are a copy of it, and wait as they did before. */
static void expanded_for_another_sender(void **state)
{
    struct queue_job job, other;
    char text[16] = {0};
    struct queue_rcpt to = {.address = S("list@example.org"), .local = true};
    struct queue_rcpt added[] = {{.address = S("x@example.net"), .sender = S("owner@example.org")},
                                 {.address = S("y@example.net")},
                                 {.address = S("here@example.org"),
                                  .local = true,
                                  .resolved = true,
                                  .waits = true,
                                  .was = {.attempts = 3,
                                          .tried = 77,
                                          .code = 452,
                                          .status = S("4.2.2"),
                                          .reply = S("full"),
                                          .remote = S("it[192.0.2.9]:25")}}};
    struct queue_envelope v = {.id = S("whole"),
                               .sender = S("me@example.org"),
                               .arrived = clock_wall() / 1000,
                               .size = 10,
                               .rcpts = &to,
                               .n = 1};
    struct err e = {0};
    struct arena *a = arena_new(1 << 20);
    for (int in_file = 0; in_file < 2; in_file++) {
        int fd = in_file ? spool_lend(spool, 0) : -1;
        assert_true(!in_file || write(fd, "0123456789", 10) == 10);
        assert_int_equal(queue_put(queue, &v, S("0123456789"), fd, &e), RC_OK);
        if (in_file)
            close(fd);
        assert_true(take(QUEUE_LOCAL, 2000, &job));
        struct queue_outcome o = {.rcpt = job.envelope.rcpts[0].n, .result = QUEUE_EXPANDED};
        struct queue_report r = {.number = job.number,
                                 .id = job.envelope.id,
                                 .sender = job.envelope.sender,
                                 .outcomes = &o,
                                 .n = 1,
                                 .added = added,
                                 .n_added = 3};
        assert_int_equal(queue_report(queue, &r), RC_OK);
        if (job.content_fd >= 0)
            close(job.content_fd);
        assert_int_equal(queue_take(queue, QUEUE_REMOTE, 0, clock_mono() + 2000, a, &other), RC_OK);
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        bool swapped = str_eq(job.envelope.sender, S("owner@example.org"));
        struct queue_job *owned = swapped ? &job : &other, *plain = swapped ? &other : &job;
        assert_str(owned->envelope.sender, "owner@example.org");
        assert_str(owned->envelope.rcpts[0].address, "x@example.net");
        assert_false(str_eq(owned->envelope.id, S("whole")));
        assert_true(llabs(owned->envelope.expires - plain->envelope.expires) < 50);
        assert_str(plain->envelope.id, "whole");
        assert_str(plain->envelope.sender, "me@example.org");
        assert_int_equal(in_file, owned->content_fd >= 0);
        if (in_file)
            assert_int_equal(pread(owned->content_fd, text, sizeof text, 0), 10);
        assert_str(in_file ? str_c(text) : owned->content, "0123456789");
        for (int i = 0; in_file && i < 2; i++)
            close((i ? &job : &other)->content_fd);
        report(&other, QUEUE_RELAYED, false);
        report(&job, QUEUE_RELAYED, false);
        assert_false(take(QUEUE_LOCAL, 300, &job)); /* it waits, as it did before */
        assert_true(take(QUEUE_LOCAL, 5000, &job));
        const struct queue_rcpt *w = &job.envelope.rcpts[0];
        assert_true(w->resolved && w->was.attempts == 3 && w->was.tried == 77 && w->was.code == 452);
        assert_str(w->was.status, "4.2.2");
        assert_str(w->was.reply, "full");
        assert_str(w->was.remote, "it[192.0.2.9]:25");
        assert_int_equal(job.attempts, 3);
        report(&job, QUEUE_DELIVERED, false);
        if (job.content_fd >= 0)
            close(job.content_fd);
        await_releases();
        arena_reset(a);
    }
    assert_int_equal(files_in_use(), 0);
    arena_free(a);
}

/* What goes another way by now was tried before. */
static void rerouted(void **state)
{
    struct queue_job job;
    put("id1", "me@example.org", "a@example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.site_name, "example.net");
    report(&job, QUEUE_DEFERRED, false);
    struct conf *old = conf;
    set_conf("minimal_backoff_time = 1s\nmaximal_backoff_time = 2s\nrelayhost = [relay.example]\n");
    queue_reload(queue, conf);
    assert_true(take(QUEUE_REMOTE, 5000, &job));
    assert_str(job.site_name, "[relay.example]");
    const struct queue_rcpt *r = &job.envelope.rcpts[0];
    assert_true(r->was.attempts == 1 && job.attempts == 1 && r->was.code == 550 && r->was.tried > 0);
    assert_str(r->was.reply, "550 5.1.1 no such user");
    report(&job, QUEUE_RELAYED, false);
    assert_int_equal(queue_flush(queue), RC_OK);
    conf_free(old);
}

/* Of other roles queue takes what auth says of a recipient, and nothing else. */
static void vias_of_others(void **state)
{
    static const struct {
        const char *via;
        bool local;
        enum rc rc;
    } rows[] = {{"", false, RC_OK},
                {"user:1000:ann:tag", true, RC_OK},
                {"alias:0:0123456789abcdef:prog", true, RC_OK},
                {"user:1000:ann:", false, RC_INVALID},
                {"mailbox:1000:ann:", true, RC_INVALID},
                {"forward:1000:0:0123456789abcdef:ann:", true, RC_INVALID},
                {"/bin/sh", true, RC_INVALID}};
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf b = BUF_INIT(QUEUE_ENVELOPE_MAX);
        struct queue_rcpt to = {
            .address = S("ann@example.org"), .local = rows[i].local, .via = str_c(rows[i].via)};
        struct queue_envelope v = {.id = S("id"), .rcpts = &to, .n = 1}, back;
        queue_envelope_put(&b, &v);
        assert_int_equal(queue_envelope_get(buf_str(&b), a, &back), rows[i].rc);
        if (rows[i].rc == RC_OK)
            assert_true(str_eq(back.rcpts[0].via, to.via));
    }
    arena_free(a);
}

/* What goes on under another sender or with lines in front is a message of its own with the same content. */
static void expanded_into_others(void **state)
{
    struct queue_job job;
    struct err e = {0};
    struct queue_rcpt list[] = {{.address = S("ann@example.org"), .local = true, .via = S("user:1000:ann:")}};
    struct queue_rcpt added[] = {
        {.address = S("x@example.net"),
         .sender = S("srs@example.org"),
         .head = S("Delivered-To: ann@example.org\n")},
        {.address = S("y@example.net"),
         .sender = S("srs@example.org"),
         .head = S("Delivered-To: ann@example.org\n")},
        {.address = S("bob@example.org"), .local = true, .head = S("Delivered-To: ann@example.org\n")},
        {.address = S("ann@example.org"), .local = true, .via = S("mailbox:1000:ann:")}};
    struct queue_envelope v = {.id = S("first"),
                               .sender = S("me@example.org"),
                               .account = S("me@example.org"),
                               .trace = S("Received: here\n"),
                               .arrived = clock_wall() / 1000,
                               .size = 10,
                               .rcpts = list,
                               .n = 1};
    for (int in_file = 0; in_file < 2; in_file++) {
        int fd = in_file ? spool_lend(spool, 0) : -1;
        assert_true(!in_file || write(fd, "0123456789", 10) == 10);
        assert_int_equal(queue_put(queue, &v, in_file ? STR_NONE : S("0123456789"), fd, &e), RC_OK);
        if (in_file)
            close(fd);
        assert_true(take(QUEUE_COMMAND, 2000, &job));
        assert_str(job.site_name, "command:ann");
        assert_str(job.envelope.rcpts[0].via, "user:1000:ann:");
        if (in_file)
            close(job.content_fd);
        struct queue_outcome o = {.rcpt = job.envelope.rcpts[0].n, .result = QUEUE_EXPANDED};
        struct queue_report r = {.number = job.number,
                                 .id = job.envelope.id,
                                 .sender = job.envelope.sender,
                                 .outcomes = &o,
                                 .n = 1,
                                 .added = added,
                                 .n_added = 4};
        assert_int_equal(queue_report(queue, &r), RC_OK);
        enum queue_kind kinds[] = {QUEUE_COMMAND, QUEUE_LOCAL, QUEUE_REMOTE};
        for (size_t i = 0; i < 3; i++) {
            char text[16] = {0};
            assert_true(take(kinds[i], 2000, &job));
            assert_int_equal(job.envelope.n, i == 2 ? 2 : 1);
            assert_int_equal(str_eq(job.envelope.id, S("first")), i == 0);
            assert_true(str_eq(job.envelope.sender, str_c(i == 2 ? "srs@example.org" : "me@example.org")));
            assert_true(str_eq(job.envelope.account, str_c(i == 0 ? "me@example.org" : "")));
            assert_true(str_eq(
                job.envelope.trace,
                str_c(i == 0 ? "Received: here\n" : "Delivered-To: ann@example.org\nReceived: here\n")));
            assert_true(str_eq(job.envelope.rcpts[0].via, str_c(i == 0 ? "mailbox:1000:ann:" : "")));
            assert_int_equal(job.content_fd >= 0, in_file);
            if (in_file) {
                assert_int_equal(pread(job.content_fd, text, sizeof text, 0), 10);
                close(job.content_fd);
            } else {
                assert_str(job.content, "0123456789");
            }
            report(&job, kinds[i] == QUEUE_REMOTE ? QUEUE_RELAYED : QUEUE_DELIVERED, false);
        }
        assert_int_equal(queue_flush(queue), RC_OK);
    }
}

static void large_content_in_a_file(void **state)
{
    struct queue_job job;
    struct err e = {0};
    char text[16] = {0};
    struct queue_rcpt to = {.address = S("a@example.net")};
    struct queue_envelope v = {
        .id = S("big"), .arrived = clock_wall() / 1000, .size = 10, .rcpts = &to, .n = 1};
    int fd = spool_lend(spool, 0), unused = spool_lend(spool, 0);
    assert_true(fd >= 0 && unused >= 0);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    assert_int_equal(queue_put(queue, &v, STR_NONE, fd, &e), RC_OK);
    close(fd);
    close_all();
    open_all();
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_null(job.content.p);
    assert_int_equal(pread(job.content_fd, text, sizeof text, 0), 10);
    assert_string_equal(text, "0123456789");
    close(job.content_fd);
    report(&job, QUEUE_RELAYED, false);
    await_releases();
    assert_int_equal(files_in_use(), 1);
    close(unused); /* a lent file that nobody holds any more is used again */
    spool_tidy(spool);
    int again = spool_lend(spool, 0);
    assert_true(again >= 0);
    assert_int_equal(lseek(again, 0, SEEK_END), 0);
    close(again);
}

/* What the database would write twice lies in a file of the queue's own, and leads out of it again. */
static void larger_content_of_its_own(void **state)
{
    enum { SIZE = 100 << 10 };
    struct queue_job job;
    struct err e = {0};
    char *bytes = malloc(SIZE), *found = malloc(SIZE);
    struct queue_rcpt to = {.address = S("a@example.net")};
    struct queue_envelope v = {
        .id = S("larger"), .arrived = clock_wall() / 1000, .size = SIZE, .rcpts = &to, .n = 1};
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)('a' + i % 26);
    for (int i = 0; i < 2; i++) /* whoever did not hear the answer asks again */
        assert_int_equal(queue_put(queue, &v, str_mem(bytes, SIZE), -1, &e), RC_OK);
    close_all();
    open_all();
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_true(job.content_fd >= 0);
    assert_int_equal(pread(job.content_fd, found, SIZE, 0), SIZE);
    assert_memory_equal(found, bytes, SIZE);
    close(job.content_fd);
    report(&job, QUEUE_RELAYED, false);
    await_releases();
    assert_int_equal(files_in_use(), 0);
    assert_false(take(QUEUE_REMOTE, 50, &job));
    free(bytes);
    free(found);
}

/* A file that is used again has nothing of the message before. */
static void nothing_of_others_is_left(void **state)
{
    enum { LONG = 100 << 10, SHORT = 40 << 10 };
    struct queue_job job;
    struct err e = {0};
    struct stat st;
    char *bytes = calloc(1, LONG), *found = malloc(LONG);
    struct queue_rcpt to = {.address = S("a@example.net")};
    for (int i = 0; i < 6; i++) {
        char id[] = {'i', 'd', (char)('0' + i), '\0'};
        size_t size = i % 2 ? SHORT : LONG;
        struct queue_envelope v = {
            .id = str_c(id), .arrived = clock_wall() / 1000, .size = size, .rcpts = &to, .n = 1};
        memset(bytes, 'a' + i, size);
        assert_int_equal(queue_put(queue, &v, str_mem(bytes, size), -1, &e), RC_OK);
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        assert_int_equal(fstat(job.content_fd, &st), 0);
        assert_int_equal(st.st_size, size);
        assert_int_equal(pread(job.content_fd, found, size, 0), size);
        assert_memory_equal(found, bytes, size);
        assert_int_equal(fstatat(AT_FDCWD, only_file(), &st, 0), 0); /* it is the same file all the time */
        close(job.content_fd);
        report(&job, QUEUE_RELAYED, false);
        await_releases();
        usleep(50000); /* what was in transit is released by its thread */
    }
    free(bytes);
    free(found);
}

/* The database as version 3 left it: files had the names of their messages. */
static void files_of_an_earlier_version(void **state)
{
    enum { SIZE = 100 << 10 };
    struct queue_job job;
    struct err e = {0};
    char path[100], old[100], *bytes = malloc(SIZE), *found = malloc(SIZE);
    struct queue_rcpt to = {.address = S("a@example.net")};
    struct queue_envelope v = {
        .id = S("old"), .arrived = clock_wall() / 1000, .size = SIZE, .rcpts = &to, .n = 1};
    memset(bytes, 'x', SIZE);
    assert_int_equal(queue_put(queue, &v, str_mem(bytes, SIZE), -1, &e), RC_OK);
    close_all();
    struct db *db;
    snprintf(path, sizeof path, "%s/queue.db", folder);
    assert_int_equal(db_open(path, 0, &db, &e), RC_OK);
    assert_int_equal(db_script(db,
                               "DROP TABLE moved; DROP INDEX message_file; ALTER TABLE message DROP COLUMN "
                               "file; PRAGMA user_version=3",
                               &e),
                     RC_OK);
    db_close(db);
    snprintf(old, sizeof old, "%s/old", folder);
    assert_int_equal(rename(only_file(), old), 0);
    open_all();
    assert_int_not_equal(access(old, F_OK), 0);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_int_equal(pread(job.content_fd, found, SIZE, 0), SIZE);
    assert_memory_equal(found, bytes, SIZE);
    close(job.content_fd);
    report(&job, QUEUE_RELAYED, false);
    await_releases();
    assert_int_equal(files_in_use(), 0);
    free(bytes);
    free(found);
}

static void *spooler_main(void *arg)
{
    bool *fine = arg;
    *fine = true;
    for (int i = 0; i < 500 && *fine; i++) {
        int64_t number = 0;
        int fd = spool_lend(spool, i % 2 ? 0 : 10);
        *fine = fd >= 0 && spool_keep(spool, fd, 10, &number) == RC_OK;
        close(fd);
        spool_release(spool, number);
    }
    return NULL;
}

/* A file that is kept for reuse may be somebody's for a moment more: then another one is lent. */
static void spool_of_many(void **state)
{
    pthread_t threads[4];
    bool fine[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, spooler_main, &fine[i]), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < 4; i++)
        assert_true(fine[i]);
}

/* The name of a file lasts once it was kept; one that was given up before is not used again. */
static void given_up_file_is_not_used_again(void **state)
{
    struct stat first, second;
    int64_t number;
    int fd = spool_lend(spool, 10);
    close(fd);
    spool_tidy(spool);
    assert_string_equal(only_file(), "");
    fd = spool_lend(spool, 10);
    assert_int_equal(spool_keep(spool, fd, 10, &number), RC_OK);
    assert_int_equal(fstat(fd, &first), 0);
    close(fd);
    spool_release(spool, number);
    fd = spool_lend(spool, 10);
    assert_int_equal(fstat(fd, &second), 0);
    assert_int_equal(second.st_ino, first.st_ino);
    close(fd);
    spool_tidy(spool);
    assert_int_equal(faccessat(AT_FDCWD, only_file(), F_OK, 0), 0);
}

/* Recipients with a sender of their own are a message of their own, which shares the content's file. */
static void another_sender(void **state)
{
    struct queue_job job[2];
    struct err e = {0};
    char text[16] = {0};
    struct queue_rcpt to[] = {{.address = S("a@example.net"), .sender = S("owner@example.org")},
                              {.address = S("b@example.net")},
                              {.address = S("c@example.net"), .sender = S("owner@example.org")}};
    struct queue_envelope v = {.id = S("shared"),
                               .sender = S("s@example.org"),
                               .arrived = clock_wall() / 1000,
                               .size = 10,
                               .rcpts = to,
                               .n = 3};
    struct arena *a = arena_new(1 << 20);
    int fd = spool_lend(spool, 0);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    assert_int_equal(queue_put(queue, &v, STR_NONE, fd, &e), RC_OK);
    close(fd);
    for (int i = 0; i < 2; i++)
        assert_int_equal(queue_take(queue, QUEUE_REMOTE, 0, clock_mono() + 2000, a, &job[i]), RC_OK);
    struct queue_job *owned = job[0].envelope.n == 2 ? &job[0] : &job[1],
                     *plain = owned == job ? &job[1] : &job[0];
    assert_int_equal(owned->envelope.n, 2);
    assert_str(owned->envelope.sender, "owner@example.org");
    assert_str(owned->envelope.rcpts[1].address, "c@example.net");
    assert_str(plain->envelope.sender, "s@example.org");
    assert_str(job[0].envelope.id, "shared"); /* the first sender's part */
    assert_false(str_eq(job[1].envelope.id, S("shared")));
    close(job[0].content_fd);
    report(&job[0], QUEUE_RELAYED, false);
    await_releases();
    assert_int_equal(files_in_use(), 1);
    assert_int_equal(pread(job[1].content_fd, text, sizeof text, 0), 10);
    assert_string_equal(text, "0123456789");
    close(job[1].content_fd);
    report(&job[1], QUEUE_RELAYED, false);
    await_releases();
    assert_int_equal(files_in_use(), 0);
    arena_free(a);
}

struct putter {
    pthread_t thread;
    int number;
};

static void *putter_main(void *arg)
{
    struct putter *p = arg;
    char id[20];
    for (int i = 0; i < 50; i++) {
        snprintf(id, sizeof id, "t%dn%d", p->number, i);
        put(id, "me@example.org", "a@example.net");
    }
    return NULL;
}

static void many_threads_commit_together(void **state)
{
    struct putter putters[8];
    struct queue_job job;
    for (int i = 0; i < 8; i++) {
        putters[i].number = i;
        assert_int_equal(pthread_create(&putters[i].thread, NULL, putter_main, &putters[i]), 0);
    }
    int n = 0;
    while (n < 400 && take(QUEUE_REMOTE, 2000, &job)) {
        report(&job, QUEUE_RELAYED, false);
        n++;
    }
    for (int i = 0; i < 8; i++)
        pthread_join(putters[i].thread, NULL);
    assert_int_equal(n, 400);
    assert_false(take(QUEUE_REMOTE, 50, &job));
}

static void deleted_behind_its_back(void **state)
{
    struct queue_job job;
    char command[300];
    put("id1", "me@example.org", "a@example.net");
    put("id2", "me@example.org", "a@example.net");
    snprintf(
        command, sizeof command,
        "/usr/bin/python3 -c \"import sqlite3;c=sqlite3.connect('%s/queue.db');"
        "c.execute('DELETE FROM rcpt WHERE message=(SELECT n FROM message WHERE id=\\'id1\\')');c.commit()\"",
        folder);
    assert_int_equal(system(command), 0);
    queue_nudge(queue);
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "id2");
    report(&job, QUEUE_RELAYED, false);
    assert_false(take(QUEUE_REMOTE, 50, &job));
}

static void change_tables(const char *sql)
{
    AUTO(db_closep) struct db *db = NULL;
    struct err e = {0};
    char path[100];
    snprintf(path, sizeof path, "%s/queue.db", folder);
    assert_int_equal(db_open(path, 0, &db, &e), RC_OK);
    assert_int_equal(db_script(db, sql, &e), RC_OK);
}

/* A report that can never be written stops the others for as long as it is tried again, and no longer. */
static void unwritten_report_is_given_up(void **state)
{
    struct queue_job stuck, job;
    unsigned tries = 0;
    change_tables("CREATE TRIGGER stuck BEFORE UPDATE ON rcpt WHEN old.address='a@stuck.example' "
                  "BEGIN SELECT abs(old.n-old.n-9223372036854775807-1); END");
    put("id1", "me@example.org", "a@stuck.example");
    assert_true(take(QUEUE_REMOTE, 2000, &stuck));
    report(&stuck, QUEUE_DEFERRED, false);
    assert_int_equal(queue_flush(queue), RC_OK);
    put("id2", "me@example.org", "a@example.net");
    for (bool given_up = false; !given_up; tries++) {
        assert_in_range(tries, 0, 40);
        assert_int_equal(queue->n_unwritten, 1);
        assert_false(take(QUEUE_REMOTE, 0, &job));
        queue_rewrite(queue);
        assert_int_equal(queue_flush(queue), RC_OK); /* twice: it may be put back behind the first */
        assert_int_equal(queue_flush(queue), RC_OK);
        pthread_mutex_lock(&queue->lock);
        given_up = queue->n_unwritten == 0;
        pthread_mutex_unlock(&queue->lock);
    }
    assert_in_range(tries, 20, 30); /* some may be the queue's own */
    bool seen[3] = {false};
    change_tables("DROP TRIGGER stuck");
    for (int i = 0; i < 2; i++) { /* the one that is stuck is there again as it was */
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        assert_int_equal(job.attempts, 0);
        seen[job.envelope.id.p[2] - '0'] = true;
        report(&job, QUEUE_RELAYED, false);
    }
    assert_true(seen[1] && seen[2]);
}

enum { DAYS_MS = 6 * 24 * 3600 * 1000 };

/* The wall clock is set while mail waits: nothing expires, and what comes or is deferred then is as due as
 * ever after it is set back. */
static void clock_is_set(void **state)
{
    struct queue_job job;
    put("before", "me@example.org", "a@example.net");
    put("waits", "you@example.org", "a@far.example.net");
    clock_inject_wall_offset(DAYS_MS);
    while (queue_run_timers(queue))
        ;
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "before");
    report(&job, QUEUE_DEFERRED, false); /* for a second */
    put("meanwhile", "they@example.org", "a@third.example.net");
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "waits");
    report(&job, QUEUE_DEFERRED, true); /* a dead site */
    assert_int_equal(queue_flush(queue), RC_OK);
    clock_inject_wall_offset(0);
    put("after", "others@example.org", "a@fourth.example.net");
    bool seen[128] = {false};
    for (int i = 0; i < 4; i++) {
        assert_true(take(QUEUE_REMOTE, 3500, &job));
        seen[(int)job.envelope.id.p[0]] = true;
        report(&job, QUEUE_RELAYED, false);
    }
    assert_true(seen['b'] && seen['w'] && seen['m'] && seen['a']);
    assert_false(take(QUEUE_LOCAL, 10, &job)); /* a bounce or a warning */
}

/* The same when the queue is opened in between, be the clock ahead before or behind it. */
static void clock_is_set_meanwhile(void **state)
{
    struct queue_job job;
    for (int ahead = 0; ahead < 2; ahead++) {
        put(ahead ? "id1" : "id2", "me@example.org", "a@example.net");
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        report(&job, QUEUE_DEFERRED, true);
        close_all();
        clock_inject_wall_offset(ahead ? 0 : DAYS_MS);
        open_all();
        while (queue_run_timers(queue))
            ;
        assert_true(take(QUEUE_REMOTE, 3500, &job));
        assert_str(job.site_name, "example.net");
        report(&job, QUEUE_RELAYED, false);
        assert_int_equal(queue_flush(queue), RC_OK);
        assert_false(take(QUEUE_LOCAL, 10, &job));
    }
}

/* What was written down when mail waited long ago says nothing of now. */
static void clock_of_long_ago(void **state)
{
    struct queue_job job;
    for (int days = 0; days < 2; days++) {
        clock_inject_offset(days * (msec)DAYS_MS);
        close_all();
        open_all();
        put(days ? "new" : "old", "me@example.org", "a@example.net");
        close_all();
        open_all();
        assert_true(take(QUEUE_REMOTE, 2000, &job));
        report(&job, QUEUE_RELAYED, false);
        assert_int_equal(queue_flush(queue), RC_OK);
    }
    clock_inject_offset(0);
}

/* A time of day that a sender gave is one. */
static void held_until_a_time_of_day(void **state)
{
    struct queue_job job;
    struct err e = {0};
    struct queue_rcpt to = {.address = S("a@example.net")};
    put("first", "me@example.org", "b@example.com"); /* or the queue's clock would be the wall clock again */
    clock_inject_wall_offset(DAYS_MS);
    struct queue_envelope v = {.id = S("held"),
                               .sender = S("me@example.org"),
                               .arrived = queue_wall(),
                               .hold_until = queue_wall() + 1000,
                               .rcpts = &to,
                               .n = 1};
    assert_int_equal(queue_put(queue, &v, S("\n"), -1, &e), RC_OK);
    assert_true(take(QUEUE_REMOTE, 500, &job));
    assert_str(job.envelope.id, "first");
    assert_false(take(QUEUE_REMOTE, 300, &job));
    assert_true(take(QUEUE_REMOTE, 2000, &job));
    assert_str(job.envelope.id, "held");
    clock_inject_wall_offset(0);
}

/* However many messages there are: every operation finds its rows by an index. */
static void nothing_is_scanned(void **state)
{
    struct queue_job job;
    char id[20], sender[40];
    close_all();
    conf = conf_free(conf);
    set_conf("minimal_backoff_time = 1s\nbounce_queue_lifetime = 1s\n");
    open_all();
    for (int i = 0; i < 40; i++) { /* some whose time is over, some of an account, some for here */
        struct queue_rcpt rcpt = {.address = i % 3 ? S("a@example.net") : S("b@mail.example.org"),
                                  .local = i % 3 == 0,
                                  .notify = i % 2 ? SMTP_NOTIFY_SUCCESS : 0};
        struct err e = {0};
        snprintf(id, sizeof id, "id%d", i);
        snprintf(sender, sizeof sender, i % 10 ? "user%d@mail.example.org" : "", i % 5);
        struct queue_envelope v = {.id = str_c(id),
                                   .sender = str_c(sender),
                                   .account = i % 4 ? STR_NONE : str_c(sender),
                                   .client = S("unknown[192.0.2.1]"),
                                   .arrived = queue_wall(),
                                   .rcpts = &rcpt,
                                   .n = 1};
        assert_int_equal(queue_put(queue, &v, S("\n"), -1, &e), RC_OK);
    }
    clock_inject_offset(2000);
    while (queue_run_timers(queue))
        ;
    clock_inject_offset(0);
    for (int i = 0; i < 20; i++) {
        static const enum queue_result results[] = {QUEUE_RELAYED_BLIND, QUEUE_FAILED, QUEUE_DEFERRED};
        assert_true(take(i % 2 ? QUEUE_LOCAL : QUEUE_REMOTE, 2000, &job));
        report(&job, results[i % 3], false);
    }
    while (take(QUEUE_REMOTE, 10, &job))
        report(&job, QUEUE_DEFERRED, true); /* the site dies */
    queue_nudge(queue);
    assert_int_equal(queue_flush(queue), RC_OK);
    pthread_mutex_lock(&queue->lock);
    assert_int_equal(db_scanned(queue->reader), 0);
    assert_int_equal(db_scanned(queue->writer), 0);
    pthread_mutex_unlock(&queue->lock);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(once_and_whole),
        T(survives_a_restart),
        T(put_again_when_it_has_left),
        T(late_report_counts),
        T(given_back),
        T(committed_late),
        T(committed_late_beside_another),
        T(paced),
        T(deferred_comes_back),
        T(failure_bounces),
        T(notify_is_obeyed),
        T(deferred_on_a_busy_site),
        T(many_senders_one_site),
        T(fair_to_senders),
        T(slow_sites_hold_up_nobody),
        T(dead_site_is_probed),
        T(expires),
        T(held_until),
        T(old_version),
        T(deliver_by),
        T(traced),
        T(priorities),
        T(urgent_without_end),
        T(expanded),
        T(expanded_for_another_sender),
        T(rerouted),
        T(vias_of_others),
        T(expanded_into_others),
        T(large_content_in_a_file),
        T(larger_content_of_its_own),
        T(nothing_of_others_is_left),
        T(given_up_file_is_not_used_again),
        T(files_of_an_earlier_version),
        T(spool_of_many),
        T(another_sender),
        T(many_threads_commit_together),
        T(deleted_behind_its_back),
        T(nothing_is_scanned),
        T(unwritten_report_is_given_up),
        T(clock_is_set),
        T(clock_is_set_meanwhile),
        T(clock_of_long_ago),
        T(held_until_a_time_of_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
