/* Mail in transit: what leaves at once has no row, and whatever happens to the process or to a delivery,
 * every message comes out once. */
#include "os/ipc.h"
#include "queue/queue.h"
#include "queue/spool.h"
#include "queue/transit.h"
#include "queue/transit_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], copied[80];
static const char *here; /* one of them */
static struct spool *spool;
static struct queue *queue;
static struct conf *conf;
static struct arena *arena;

static void open_at(const char *at)
{
    struct err e = {0};
    char path[120];
    here = at;
    spool = spool_open(open(at, O_RDONLY | O_DIRECTORY));
    snprintf(path, sizeof path, "%s/queue.db", at);
    if (queue_open(path, spool, conf, NULL, &queue, &e) != RC_OK)
        fail_msg("%s", err_text(&e));
}

static void close_all(void)
{
    queue = queue_close(queue);
    spool = spool_close(spool);
}

static void reopen(void)
{
    close_all();
    open_at(here);
}

static void run(const char *command)
{
    assert_int_equal(system(command), 0);
}

/* The process is killed at this moment; what lies on the disk is found by another one. */
static void kill_and_reopen(void)
{
    char command[300];
    assert_ptr_equal(here, folder);
    snprintf(command, sizeof command, "cp -a %s %s", folder, copied);
    run(command);
    close_all();
    open_at(copied);
}

static int begin(void **state)
{
    struct conf_report report = {0};
    snprintf(folder, sizeof folder, "/tmp/malle-transit-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(copied, sizeof copied, "%s.copied", folder);
    arena = arena_new(80 << 20);
    conf = conf_parse(S("hostname = mail.example.org\nminimal_backoff_time = 1s\nmaximal_backoff_time = 2s\n"
                        "initial_destination_concurrency = 20\n"),
                      "test", &report);
    assert_non_null(conf);
    conf_report_deinit(&report);
    open_at(folder);
    return 0;
}

static int end(void **state)
{
    char command[300];
    close_all();
    arena = arena_free(arena);
    conf = conf_free(conf);
    snprintf(command, sizeof command, "rm -rf %s %s", folder, copied);
    return system(command);
}

/* --- short forms --- */

static void put_both(const char *id, const char *account, str content, int memory)
{
    struct err e = {0};
    struct queue_rcpt to = {.address = S("a@example.net"), .orcpt = S("rfc822;a@example.net")};
    struct queue_envelope v = {.id = str_c(id),
                               .sender = S("me@example.org"),
                               .account = str_c(account),
                               .client = S("unknown[192.0.2.1]"),
                               .arrived = clock_wall() / 1000,
                               .size = content.n,
                               .lines = 3,
                               .trace = S("Received: by test\n"),
                               .rcpts = &to,
                               .n = 1};
    assert_int_equal(queue_put(queue, &v, content, memory, &e), RC_OK);
}

static void put_with(const char *id, const char *account, str content)
{
    put_both(id, account, content, -1);
}

static void put(const char *id)
{
    put_with(id, "", S("Subject: test\n\nbody\n"));
}

static bool take_for(msec wait, struct queue_job *ret)
{
    arena_reset(arena);
    enum rc rc = queue_take(queue, QUEUE_REMOTE, 0, clock_mono() + wait, arena, ret);
    assert_true(rc == RC_OK || rc == RC_GONE);
    return rc == RC_OK;
}

static void take(const char *id, struct queue_job *ret)
{
    assert_true(take_for(5000, ret));
    assert_true(str_eq(ret->envelope.id, str_c(id)));
    assert_int_equal(ret->envelope.n, 1);
    assert_true(str_eq(ret->envelope.rcpts[0].address, S("a@example.net")));
    assert_true(str_eq(ret->envelope.trace, S("Received: by test\n")));
}

static void nothing_is_left(void)
{
    struct queue_job job;
    assert_false(take_for(100, &job));
}

static void report_as(const struct queue_job *job, enum queue_result result, bool site_failed)
{
    struct queue_outcome o = {.rcpt = job->envelope.rcpts[0].n, .result = result, .status = S("2.0.0")};
    struct queue_report r = {
        .number = job->number, .id = job->envelope.id, .outcomes = &o, .n = 1, .site_failed = site_failed};
    assert_int_equal(queue_report(queue, &r), RC_OK);
}

static void deliver(const char *id)
{
    struct queue_job job;
    take(id, &job);
    report_as(&job, QUEUE_RELAYED, false);
}

static int64_t rows(void)
{
    struct err e = {0};
    int64_t n = -1;
    pthread_mutex_lock(&queue->lock);
    assert_int_equal(db_get_int_args(queue->reader, &n, &e, "SELECT count(*) FROM message", NULL, 0), RC_OK);
    pthread_mutex_unlock(&queue->lock);
    return n;
}

/* The first message to a place has rows; the next ones need none. */
static void warm_up(void)
{
    put("first");
    assert_int_equal(rows(), 1);
    deliver("first");
    assert_int_equal(queue_flush(queue), RC_OK);
    assert_int_equal(rows(), 0);
}

static void await_rows(int64_t n)
{
    for (int i = 0; i < 500 && rows() != n; i++)
        usleep(10000);
    assert_int_equal(rows(), n);
}

/* --- tests --- */

static void leaves_without_a_row(void **state)
{
    struct queue_job job;
    warm_up();
    put("id1");
    assert_int_equal(rows(), 0);
    take("id1", &job);
    assert_true(str_eq(job.content, S("Subject: test\n\nbody\n")));
    assert_true(job.envelope.expires > queue_now(queue));
    report_as(&job, QUEUE_RELAYED, false);
    nothing_is_left();
    reopen();
    assert_int_equal(rows(), 0);
    nothing_is_left();
}

static void outlives_its_process(void **state)
{
    struct queue_job job;
    warm_up();
    put("id1");
    put("id2");
    take("id1", &job);
    kill_and_reopen();
    assert_int_equal(rows(), 2);
    deliver("id1");
    deliver("id2");
    nothing_is_left();
    reopen();
    nothing_is_left();
}

static void delivered_is_delivered(void **state)
{
    warm_up();
    put("id1");
    deliver("id1");
    put("id2"); /* its record has company: that id1 is gone */
    kill_and_reopen();
    assert_int_equal(rows(), 1);
    put("id1"); /* who put it was not answered */
    assert_int_equal(rows(), 1);
    deliver("id2");
    nothing_is_left();
}

/* A process that delivered goes on when the queue is killed, and tells its successor. */
static void late_report_counts(void **state)
{
    struct queue_job job;
    warm_up();
    put("id1");
    take("id1", &job);
    kill_and_reopen();
    report_as(&job, QUEUE_RELAYED, false);
    assert_int_equal(rows(), 0);
    nothing_is_left();
}

static void moves_when_it_waits(void **state)
{
    warm_up();
    put("id1");
    await_rows(1);
    deliver("id1");
    await_rows(0);
    nothing_is_left();
    kill_and_reopen();
    assert_int_equal(rows(), 0);
}

/* Who looks at the queue from elsewhere waits for what is in transit at that moment. */
static void shows_when_it_is_looked_at(void **state)
{
    struct queue_job job;
    int dir = open(folder, O_RDONLY | O_DIRECTORY);
    warm_up();
    assert_true(transit_file_await(dir, 0));
    msec begun = clock_mono();
    put("id1");
    bool moved = transit_file_await(dir, 0);
    assert_true(!moved || clock_mono() - begun >= 500); /* then it goes to the tables */
    assert_true(transit_file_await(dir, 10000));
    assert_int_equal(rows(), 1);
    deliver("id1");
    await_rows(0);
    put("id2");
    take("id2", &job);
    close(dir);
    kill_and_reopen();
    dir = open(folder, O_RDONLY | O_DIRECTORY); /* the queue there was closed: it moved it */
    assert_true(transit_file_await(dir, 0));
    close(dir);
    deliver("id2");
}

static void moves_while_it_is_delivered(void **state)
{
    struct queue_job job;
    warm_up();
    for (int failed = 0; failed < 2; failed++) {
        put("id1");
        take("id1", &job);
        await_rows(1);
        nothing_is_left();
        report_as(&job, failed ? QUEUE_DEFERRED : QUEUE_RELAYED, false);
        if (failed)
            deliver("id1");
        await_rows(0);
        nothing_is_left();
    }
}

static void waits_when_it_is_refused(void **state)
{
    struct queue_job job;
    warm_up();
    put("id1");
    take("id1", &job);
    report_as(&job, QUEUE_DEFERRED, false);
    await_rows(1);
    kill_and_reopen();
    assert_int_equal(rows(), 1);
    take("id1", &job);
    assert_int_equal(job.envelope.rcpts[0].was.attempts, 1);
    report_as(&job, QUEUE_RELAYED, false);
    nothing_is_left();
}

static void comes_back_when_it_fails(void **state)
{
    struct queue_job job;
    warm_up();
    put("id1");
    take("id1", &job);
    report_as(&job, QUEUE_FAILED, false);
    await_rows(1);
    kill_and_reopen(); /* in the moment when the log has it still: its sender is told once */
    assert_int_equal(rows(), 1);
    arena_reset(arena);
    assert_int_equal(queue_take(queue, QUEUE_LOCAL, 0, clock_mono() + 2000, arena, &job), RC_OK);
    assert_true(str_eq(job.envelope.rcpts[0].address, S("me@example.org")));
    report_as(&job, QUEUE_DELIVERED, false);
    await_rows(0);
    nothing_is_left();
}

static void given_back_is_taken_again(void **state)
{
    struct queue_job job;
    warm_up();
    put("id1");
    take("id1", &job);
    queue_give_back(queue, job.number);
    assert_int_equal(rows(), 0);
    take("id1", &job);
    await_rows(1); /* moved meanwhile */
    queue_give_back(queue, job.number);
    deliver("id1");
    nothing_is_left();
}

static void asked_twice_is_there_once(void **state)
{
    warm_up();
    put("id1");
    put("id1");
    deliver("id1");
    nothing_is_left();
    put("id2");
    kill_and_reopen();
    put("id2");
    deliver("id2");
    nothing_is_left();
}

static void dead_site_keeps_it_in_the_tables(void **state)
{
    struct queue_job job, other;
    warm_up();
    for (int i = 0; i < 2; i++) { /* the first failure only makes its window smaller */
        put("id1");
        put("id2");
        take("id1", &job);
        report_as(&job, QUEUE_DEFERRED, true);
        if (i == 0) {
            deliver("id2");
            deliver("id1");
            await_rows(0);
            take_for(1, &other);
            put("id0");
            take("id0", &job);
            report_as(&job, QUEUE_DEFERRED, true);
            deliver("id0");
            await_rows(0);
        }
    }
    await_rows(2);
    for (int i = 0; i < 2; i++) {
        assert_true(take_for(5000, &job));
        report_as(&job, QUEUE_RELAYED, false);
    }
    nothing_is_left();
}

/* What is counted, or waits, is not for it. */
static void accounts_have_rows(void **state)
{
    warm_up();
    put_with("id1", "me@example.org", S("Subject: test\n\nbody\n"));
    assert_int_equal(rows(), 1);
    put("id2"); /* behind it */
    assert_int_equal(rows(), 2);
    deliver("id1");
    deliver("id2");
}

static void large_content_in_a_file(void **state)
{
    enum { SIZE = 300 << 10 };
    struct queue_job job;
    struct stat st;
    char *bytes = malloc(SIZE), *found = malloc(SIZE), path[200], id[32];
    memset(bytes, 'x', SIZE);
    warm_up();
    for (int i = 0; i < 100; i++) {
        bytes[0] = (char)('a' + i % 26);
        snprintf(id, sizeof id, "large%d", i);
        put_with(id, "", str_mem(bytes, SIZE));
        assert_int_equal(rows(), 0);
        if (i == 50)
            kill_and_reopen(); /* the file is the message's still */
        take(id, &job);
        assert_int_equal(pread(job.content_fd, found, SIZE, 0), SIZE);
        assert_memory_equal(found, bytes, SIZE);
        close(job.content_fd);
        report_as(&job, QUEUE_RELAYED, false);
        if (i == 50)
            assert_int_equal(queue_flush(queue), RC_OK);
    }
    snprintf(path, sizeof path, "%s/content.60", copied); /* few files are used again and again */
    assert_int_not_equal(stat(path, &st), 0);
    free(bytes);
    free(found);
}

/* Content that came in a sealed memory file goes to the taker in it, and to the tables from it. */
static void content_in_memory(void **state)
{
    enum { SIZE = 200 << 10 };
    struct queue_job job;
    char *bytes = malloc(SIZE), *found = malloc(SIZE), id[32];
    memset(bytes, 'x', SIZE);
    warm_up();
    for (int i = 0; i < 300; i++) { /* more than a segment */
        bool waits = i == 100, killed = i == 200;
        bytes[SIZE - 1] = (char)('a' + i % 26);
        int memory = ipc_memfd("test", str_mem(bytes, SIZE));
        assert_true(memory >= 0);
        snprintf(id, sizeof id, "memory%d", i);
        put_both(id, "", str_mem(bytes, SIZE), memory);
        close(memory);
        if (i < 100) /* later, the site's last row may not be seen to be gone yet */
            assert_int_equal(rows(), 0);
        if (waits)
            await_rows(1);
        if (killed)
            kill_and_reopen();
        take(id, &job);
        if (waits || killed) {
            assert_true(str_eq(job.content, str_mem(bytes, SIZE)));
        } else {
            assert_int_equal(pread(job.content_fd, found, SIZE, 0), SIZE);
            assert_memory_equal(found, bytes, SIZE);
            close(job.content_fd);
        }
        report_as(&job, QUEUE_RELAYED, false);
        if (waits || killed)
            assert_int_equal(queue_flush(queue), RC_OK);
    }
    free(bytes);
    free(found);
}

/* Many times what the log holds, with some that stay for a while in each part of it. */
static void more_than_the_log_holds(void **state)
{
    enum { MESSAGES = 6000, SIZE = 8000 };
    struct queue_job job;
    struct stat st;
    char body[SIZE], id[32], path[120];
    int taken = 0;
    memset(body, 'x', sizeof body);
    warm_up();
    for (int i = 0; i < MESSAGES; i++) {
        snprintf(id, sizeof id, "n%d", i);
        put_with(id, "", str_mem(body, sizeof body));
        if (i % 500 != 0 && take_for(5000, &job)) {
            report_as(&job, QUEUE_RELAYED, false);
            taken++;
        }
    }
    kill_and_reopen();
    for (; take_for(200, &job); taken++)
        report_as(&job, QUEUE_RELAYED, false);
    assert_in_range(taken, MESSAGES, MESSAGES + 32);
    snprintf(path, sizeof path, "%s/transit.log", copied);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 32 << 20);
}

struct putter {
    pthread_t thread;
    int number;
};

static void *putter_main(void *arg)
{
    const struct putter *p = arg;
    char id[32];
    for (int i = 0; i < 200; i++) {
        snprintf(id, sizeof id, "t%d-%d", p->number, i);
        put(id);
    }
    return NULL;
}

static void *taker_main(void *arg)
{
    atomic_int *taken = arg;
    struct queue_job job;
    struct arena *a = arena_new(1 << 20);
    while (queue_take(queue, QUEUE_REMOTE, 0, clock_mono() + 1500, a, &job) == RC_OK) {
        report_as(&job, QUEUE_RELAYED, false);
        atomic_fetch_add(taken, 1);
        arena_reset(a);
    }
    arena_free(a);
    return NULL;
}

static void many_at_once(void **state)
{
    struct putter putters[8];
    pthread_t takers[8];
    atomic_int taken = 0;
    warm_up();
    for (int i = 0; i < 8; i++) {
        putters[i].number = i;
        assert_int_equal(pthread_create(&putters[i].thread, NULL, putter_main, &putters[i]), 0);
        assert_int_equal(pthread_create(&takers[i], NULL, taker_main, &taken), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(putters[i].thread, NULL);
        pthread_join(takers[i], NULL);
    }
    assert_int_equal(taken, 8 * 200);
    await_rows(0);
    reopen();
    nothing_is_left();
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(leaves_without_a_row),
        T(outlives_its_process),
        T(delivered_is_delivered),
        T(late_report_counts),
        T(moves_when_it_waits),
        T(shows_when_it_is_looked_at),
        T(moves_while_it_is_delivered),
        T(waits_when_it_is_refused),
        T(comes_back_when_it_fails),
        T(given_back_is_taken_again),
        T(asked_twice_is_there_once),
        T(dead_site_keeps_it_in_the_tables),
        T(accounts_have_rows),
        T(large_content_in_a_file),
        T(content_in_memory),
        T(more_than_the_log_holds),
        T(many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
