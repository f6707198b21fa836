/* queue: content in files, and many threads that put at once. */
#include "fixture.h"

#include "os/db.h"

#include <pthread.h>
#include <sys/stat.h>

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
    enum { LONG = 500 << 10, SHORT = 300 << 10 };
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
                               "file; ALTER TABLE rcpt DROP COLUMN asked; PRAGMA user_version=3",
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(large_content_in_a_file),
        T(larger_content_of_its_own),
        T(nothing_of_others_is_left),
        T(files_of_an_earlier_version),
        T(spool_of_many),
        T(given_up_file_is_not_used_again),
        T(many_threads_commit_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
