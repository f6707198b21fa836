/* fixture: a fresh queue for each test, in a folder that is removed afterwards, and short forms of the calls
 * that must succeed. */
#ifndef TESTS_QUEUE_FIXTURE_H
#define TESTS_QUEUE_FIXTURE_H

#include "queue/admin.h"
#include "queue/queue.h"
#include "queue/queue_impl.h"
#include "queue/spool.h"
#include "table/settings.h"

#include <dirent.h>
#include <fcntl.h>
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
static struct table_settings *tables; /* or NULL */

static inline void open_all(void)
{
    struct err e = {0};
    char path[100];
    int dir = open(folder, O_RDONLY | O_DIRECTORY);
    assert_true(dir >= 0);
    spool = spool_open(dir);
    snprintf(path, sizeof path, "%s/queue.db", folder);
    if (queue_open(path, spool, conf, tables, &queue, &e) != RC_OK)
        fail_msg("%s", err_text(&e));
}

static inline void close_all(void)
{
    queue = queue_close(queue);
    spool = spool_close(spool);
}

static inline void set_conf(const char *text)
{
    struct conf_report report = {0};
    char all[1000];
    snprintf(all, sizeof all, "hostname = mail.example.org\n%s", text);
    conf = conf_parse(str_c(all), "test", &report);
    assert_non_null(conf);
    conf_report_deinit(&report);
}

static inline int begin(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/malle-queue-XXXXXX");
    assert_non_null(mkdtemp(folder));
    arena = arena_new(80 << 20);
    set_conf("minimal_backoff_time = 1s\nmaximal_backoff_time = 2s\n");
    open_all();
    return 0;
}

static inline int end(void **state)
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

static inline void put_many(const char *id, const char *sender, const char *const *to, size_t n,
                            unsigned notify)
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

static inline void put(const char *id, const char *sender, const char *to)
{
    put_many(id, sender, &to, 1, 0);
}

/* The job stays as it is until a is reset. */
static inline bool take_into(struct arena *a, enum queue_kind kind, msec wait, struct queue_job *ret)
{
    enum rc rc = queue_take(queue, kind, 0, clock_mono() + wait, a, ret);
    assert_true(rc == RC_OK || rc == RC_GONE);
    return rc == RC_OK;
}

/* Valid until the next call. */
static inline bool take(enum queue_kind kind, msec wait, struct queue_job *ret)
{
    arena_reset(arena);
    return take_into(arena, kind, wait, ret);
}

/* Files are released after whoever waits for the same sync went on, and before the next one. */
static inline void await_releases(void)
{
    for (int i = 0; i < 2; i++)
        assert_int_equal(queue_flush(queue), RC_OK);
}

/* Spool files that are not free. */
static inline int files_in_use(void)
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

static inline const char *only_file(void)
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

static inline void report(const struct queue_job *job, enum queue_result result, bool site_failed)
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

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
