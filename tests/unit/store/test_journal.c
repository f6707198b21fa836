/* The journal of deliveries: what is there after a power failure, which is played by putting an older copy of
 * the journal back and spoiling the Maildir. syncfs and fdatasync are this program's own, so that it can hold
 * the one and fail both. */
#include "store/journal.h"

#include "fixture.h"
#include "os/file.h"
#include "store/delivery.h"
#include "store/journal_impl.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

enum { SIZE = JOURNAL_SEGMENTS * JOURNAL_SEGMENT_SIZE, FAR = 600000, THREADS = 16, EACH = 30 };

static atomic_bool syncfs_held, syncfs_reached;
static atomic_int syncfs_errno, fdatasync_errno, fdatasyncs;

/* An error of the disk, of which each open file is told once, as the kernel does it. */
static atomic_int disk_errors, told[1024];
static _Thread_local bool is_last; /* this thread hears of it after somebody else */

int syncfs(int fd)
{
    for (; atomic_load(&syncfs_held); usleep(1000))
        atomic_store(&syncfs_reached, true);
    errno = atomic_load(&syncfs_errno);
    return errno ? -1 : (int)syscall(SYS_syncfs, fd);
}

int fdatasync(int fd)
{
    int before = atomic_load(&fdatasyncs), errors = atomic_load(&disk_errors);
    if (is_last)
        atomic_store(&syncfs_held, false);
    while (is_last && atomic_load(&fdatasyncs) == before)
        usleep(1000);
    int code = atomic_exchange(&told[fd], errors) != errors ? EIO : atomic_load(&fdatasync_errno);
    atomic_fetch_add(&fdatasyncs, 1);
    errno = code;
    return code ? -1 : (int)syscall(SYS_fdatasync, fd);
}

static const struct journal_boot boot_a = {"aaaaaaaaaaaaaaa"}, boot_b = {"bbbbbbbbbbbbbbb"};
static char *copy;

static int setup(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(fixture_root, sizeof fixture_root, "%s/malle-journal-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(fixture_root));
    copy = malloc(SIZE);
    atomic_store(&syncfs_held, false);
    atomic_store(&syncfs_errno, 0);
    atomic_store(&fdatasync_errno, 0);
    for (int i = 0; i < 1024; i++)
        atomic_store(&told[i], atomic_load(&disk_errors));
    return 0;
}

static int teardown(void **state)
{
    free(copy);
    return fixture_teardown(state);
}

static struct journal *open_journal(const struct journal_boot *boot)
{
    struct err e = {0};
    struct journal *j = journal_open(fixture_root, boot, &e);
    if (!j)
        fail_msg("%s", err_text(&e));
    return j;
}

static dev_t device(void)
{
    struct stat st;
    assert_int_equal(stat(fixture_root, &st), 0);
    return st.st_dev;
}

static int open_maildir(const char *path)
{
    int home = open(fixture_root, O_RDONLY | O_DIRECTORY), fd = -1;
    ok(delivery_open_maildir(home, str_c(path), true, &fd, e));
    close(home);
    return fd;
}

/* The content of message `number`, which differs from all others. */
static str content_of(unsigned number, char into[2000])
{
    int n = snprintf(into, 2000, "Subject: %u\n\n", number);
    while (n < 1500)
        n += snprintf(into + n, (size_t)(2000 - n), "line %u at %d\n", number, n);
    return str_mem(into, (size_t)n);
}

/* Into tmp/ of the Maildir, not journaled yet. */
static struct delivery *prepare(struct journal *j, const char *maildir, int root, unsigned number,
                                char text[2000])
{
    struct delivery *d = NULL;
    str content = content_of(number, text);
    struct delivery_message m = {.journal = j,
                                 .path = str_c(maildir),
                                 .name = {.now = 1700000000000001, .id = 7, .number = number, .host = S("h")},
                                 .content_fd = -1,
                                 .content = content,
                                 .content_size = content.n};
    ok(delivery_prepare(root, &m, &d, e));
    assert_non_null(delivery_record(d));
    return d;
}

static enum rc deliver(struct journal *j, const char *maildir, unsigned number, msec wait)
{
    char text[2000];
    struct err e = {0};
    int root = open_maildir(maildir);
    unsigned ticket;
    struct delivery *d = prepare(j, maildir, root, number, text);
    struct buf *record = delivery_record(d);
    enum rc rc = journal_commit(j, &record, 1, clock_mono() + wait, &ticket, &e);
    if (rc == RC_OK) {
        assert_int_equal(delivery_commit(d, &e), RC_OK);
        journal_release(j, ticket);
    }
    delivery_free(&d);
    close(root);
    return rc;
}

/* "MAILDIR/FOLDER/NAME" of a message, or NULL. */
static const char *find_message(const char *maildir, const char *folder, unsigned number)
{
    static char path[600];
    char part[32], dir[300];
    snprintf(part, sizeof part, "N%u.h", number);
    snprintf(dir, sizeof dir, "%s/%s", maildir, folder);
    DIR *d = opendir(fixture_path(dir));
    path[0] = '\0';
    for (struct dirent *entry; d && (entry = readdir(d));)
        if (strstr(entry->d_name, part))
            snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
    if (d)
        closedir(d);
    return path[0] ? path : NULL;
}

static void expect_whole(const char *maildir, const char *folder, unsigned number)
{
    char text[2000];
    const char *path = find_message(maildir, folder, number);
    if (!path)
        fail_msg("message %u is not in %s/%s", number, maildir, folder);
    str want = content_of(number, text);
    assert_string_equal(get_file(path), want.p);
}

static void copy_journal(bool back)
{
    int fd = open(fixture_path(JOURNAL_NAME), O_RDWR);
    assert_true(fd >= 0);
    for (ssize_t at = 0, n; at < SIZE; at += n) {
        n = back ? pwrite(fd, copy + at, (size_t)(SIZE - at), at)
                 : pread(fd, copy + at, (size_t)(SIZE - at), at);
        assert_true(n > 0);
    }
    close(fd);
}

/* The moment of the power failure: what the journal holds now is what is found afterwards. */
static void cut(struct journal *j)
{
    copy_journal(false);
    atomic_store(&syncfs_held, false);
    journal_close(j);
    copy_journal(true);
}

static void spoil(const char *path, const char *content)
{
    int fd = open(fixture_path(path), O_WRONLY | O_TRUNC);
    assert_true(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content));
    close(fd);
}

/* From new/ to cur/, as a session does; the path there. */
static const char *claim(const char *maildir, unsigned number, const char *info)
{
    static char from[500], to[500];
    const char *path = find_message(maildir, "new", number);
    assert_non_null(path);
    snprintf(from, sizeof from, "%s", path);
    snprintf(to, sizeof to, "%s/cur/%s%s", maildir, strrchr(from, '/') + 1, info);
    assert_int_equal(rename(fixture_path(from), fixture_path(to)), 0);
    return to;
}

static void test_commit_and_close(void **state)
{
    (void)state;
    struct journal *j = open_journal(&boot_a);
    assert_true(journal_ready(j, device()));
    assert_false(journal_ready(j, device() + 1));
    assert_false(journal_ready(NULL, device()));
    struct stat st;
    assert_int_equal(stat(fixture_path(JOURNAL_NAME), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    int before = atomic_load(&fdatasyncs);
    assert_int_equal(deliver(j, "M", 1, FAR), RC_OK);
    assert_true(atomic_load(&fdatasyncs) > before);
    expect_whole("M", "new", 1);
    assert_int_equal(count_files("M/tmp"), 0);
    assert_null(journal_close(j));
    assert_int_equal(unlink(fixture_path(find_message("M", "new", 1))), 0);
    journal_close(open_journal(&boot_b)); /* it was synced: nothing is to be written again */
    assert_int_equal(count_files("M/new"), 0);
}

static void test_power_failure(void **state)
{
    (void)state;
    struct journal *j = open_journal(&boot_a);
    atomic_store(&syncfs_held, true);
    for (unsigned i = 1; i <= 7; i++)
        assert_int_equal(deliver(j, i < 7 ? "d/M" : "Other", i, FAR), RC_OK);
    cut(j);
    char text[2000];
    assert_int_equal(unlink(fixture_path(find_message("d/M", "new", 1))), 0);
    spoil(find_message("d/M", "new", 2), "");
    spoil(find_message("d/M", "new", 3), content_of(4, text).p);
    claim("d/M", 4, ":2,FS");
    spoil(claim("d/M", 5, ":2,S"), "Subject: 5\n");
    assert_int_equal(rename(fixture_path("Other"), fixture_path("Gone")), 0);
    journal_close(open_journal(&boot_b));
    for (unsigned i = 1; i <= 6; i++)
        expect_whole("d/M", i == 4 || i == 5 ? "cur" : "new", i);
    assert_int_equal(count_files("d/M/new"), 4);
    assert_int_equal(count_files("d/M/cur"), 2);
    assert_int_equal(count_files("d/M/tmp"), 0);
    assert_true(strstr(find_message("d/M", "cur", 5), ":2,S") != NULL);
    assert_int_equal(access(fixture_path("Other"), F_OK), -1);
    struct stat st;
    assert_int_equal(stat(fixture_path(find_message("d/M", "new", 1)), &st), 0);
    assert_int_equal(st.st_mtime, 1700000000);
    assert_int_equal(unlink(fixture_path(find_message("d/M", "new", 1))), 0);
    journal_close(open_journal(&boot_a)); /* it was emptied: nothing comes a second time */
    assert_null(find_message("d/M", "new", 1));
}

/* The process ended and the machine did not: what is missing was deleted. */
static void test_same_boot(void **state)
{
    (void)state;
    struct journal *j = open_journal(&boot_a);
    atomic_store(&syncfs_held, true);
    assert_int_equal(deliver(j, "M", 1, FAR), RC_OK);
    cut(j);
    assert_int_equal(unlink(fixture_path(find_message("M", "new", 1))), 0);
    journal_close(open_journal(&boot_a));
    assert_int_equal(count_files("M/new"), 0);
}

static void empty_maildir(const char *maildir, unsigned n)
{
    for (unsigned i = 1; i <= n; i++)
        assert_int_equal(unlink(fixture_path(find_message(maildir, "new", i))), 0);
}

static void flip(size_t at)
{
    int fd = open(fixture_path(JOURNAL_NAME), O_RDWR);
    char c = (char)~copy[at];
    assert_int_equal(pwrite(fd, &c, 1, (off_t)at), 1);
    close(fd);
}

/* Groups of one record each: what stands before the torn one comes back, the rest was not acknowledged. */
static void test_torn_records(void **state)
{
    (void)state;
    static const size_t damaged[] = {0, 4, 16, 24, 28, 32, 40, 48, 60, 1000};
    struct journal *j = open_journal(&boot_a);
    atomic_store(&syncfs_held, true);
    for (unsigned i = 1; i <= 3; i++)
        assert_int_equal(deliver(j, "M", i, FAR), RC_OK);
    cut(j);
    empty_maildir("M", 3);
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        copy_journal(true);
        flip(2 * JOURNAL_BLOCK + damaged[i]);
        journal_close(open_journal(&boot_b));
        expect_whole("M", "new", 1);
        assert_int_equal(count_files("M/new"), 1);
        empty_maildir("M", 1);
    }
    copy_journal(true);
    flip(8); /* the header */
    journal_close(open_journal(&boot_b));
    assert_int_equal(count_files("M/new"), 0);
}

/* One that was aborted before it had a record, one that was taken back when it had its name, and one that
 * stays. */
static void test_undone(void **state)
{
    (void)state;
    char text[2000];
    unsigned ticket;
    struct err e = {0};
    struct journal *j = open_journal(&boot_a);
    atomic_store(&syncfs_held, true);
    int root = open_maildir("M");
    struct delivery *d = prepare(j, "M", root, 1, text);
    delivery_free(&d);
    d = prepare(j, "M", root, 2, text);
    struct buf *record = delivery_record(d);
    assert_int_equal(journal_commit(j, &record, 1, clock_mono() + FAR, &ticket, &e), RC_OK);
    assert_int_equal(delivery_commit(d, &e), RC_OK);
    journal_revoke(j, &record, 1);
    delivery_undo(d);
    journal_release(j, ticket);
    delivery_free(&d);
    assert_int_equal(count_files("M/new") + count_files("M/tmp"), 0);
    assert_int_equal(deliver(j, "M", 3, FAR), RC_OK);
    cut(j);
    assert_int_equal(unlink(fixture_path(find_message("M", "new", 3))), 0);
    journal_close(open_journal(&boot_b));
    assert_int_equal(count_files("M/new"), 1);
    expect_whole("M", "new", 3);
    close(root);
}

/* A group of many records is one flush. They stay in the journal for as long as their files may be without
 * names. */
static void test_group_and_ticket(void **state)
{
    (void)state;
    enum { N = 8 };
    static char text[N][2000];
    struct delivery *d[N];
    struct buf *records[N];
    struct err e = {0};
    unsigned ticket;
    struct journal *j = open_journal(&boot_a);
    int root = open_maildir("M");
    for (unsigned i = 0; i < N; i++) {
        d[i] = prepare(j, "M", root, i + 1, text[i]);
        records[i] = delivery_record(d[i]);
    }
    int before = atomic_load(&fdatasyncs);
    assert_int_equal(journal_commit(j, records, N, clock_mono() + FAR, &ticket, &e), RC_OK);
    assert_int_equal(atomic_load(&fdatasyncs), before + 1);
    assert_int_equal(deliver(j, "M", N + 1, FAR), RC_OK);
    usleep(1000 * (JOURNAL_KEEP_MS + 300));
    copy_journal(false);
    for (unsigned i = 0; i < N; i++)
        delivery_free(&d[i]); /* as if they never got their names */
    journal_release(j, ticket);
    journal_close(j);
    copy_journal(true);
    assert_int_equal(unlink(fixture_path(find_message("M", "new", N + 1))), 0);
    journal_close(open_journal(&boot_b));
    for (unsigned i = 1; i <= N + 1; i++)
        expect_whole("M", "new", i);
    close(root);
}

static unsigned fill(struct journal *j, unsigned from)
{
    unsigned n = from;
    while (deliver(j, "M", n, n > from + 1000 ? 20 : FAR) == RC_OK)
        assert_true(++n < 20000);
    return n - from;
}

static void test_full(void **state)
{
    (void)state;
    struct journal *j = open_journal(&boot_a);
    atomic_store(&syncfs_held, true);
    unsigned n = fill(j, 1); /* both segments; then it says that it is full, in time */
    assert_true(n > 2000 && n < SIZE / 1500);
    assert_null(find_message("M", "new", n + 1));
    atomic_store(&syncfs_held, false);
    assert_int_equal(deliver(j, "M", n + 1, FAR), RC_OK); /* there is room again */
    atomic_store(&syncfs_held, true);
    assert_int_equal(deliver(j, "M", n + 2, FAR), RC_OK);
    cut(j);
    assert_int_equal(unlink(fixture_path(find_message("M", "new", 1))), 0); /* its record is void */
    assert_int_equal(unlink(fixture_path(find_message("M", "new", n + 2))), 0);
    journal_close(open_journal(&boot_b));
    expect_whole("M", "new", n + 2);
    assert_null(find_message("M", "new", 1));
}

struct worker {
    struct journal *j;
    unsigned first;
};

static void *work(void *arg)
{
    const struct worker *w = arg;
    char maildir[32];
    for (unsigned i = 0; i < EACH; i++) {
        snprintf(maildir, sizeof maildir, "M%u", (w->first + i) % 5);
        if (deliver(w->j, maildir, w->first + i, FAR) != RC_OK)
            return arg;
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    (void)state;
    struct journal *j = open_journal(&boot_a);
    pthread_t thread[THREADS];
    struct worker w[THREADS];
    atomic_store(&syncfs_held, true);
    for (unsigned i = 0; i < 5; i++) {
        char maildir[32];
        snprintf(maildir, sizeof maildir, "M%u", i);
        close(open_maildir(maildir));
    }
    for (unsigned i = 0; i < THREADS; i++) {
        w[i] = (struct worker){j, 1 + i * EACH};
        assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(thread[i], &failed);
        assert_null(failed);
    }
    cut(j);
    for (unsigned n = 1; n <= THREADS * EACH; n++) {
        char maildir[32];
        snprintf(maildir, sizeof maildir, "M%u", n % 5);
        assert_int_equal(unlink(fixture_path(find_message(maildir, "new", n))), 0);
    }
    journal_close(open_journal(&boot_b));
    for (unsigned n = 1; n <= THREADS * EACH; n++) {
        char maildir[32];
        snprintf(maildir, sizeof maildir, "M%u", n % 5);
        expect_whole(maildir, "new", n);
    }
}

static void wait_until_not_ready(struct journal *j)
{
    for (int i = 0; i < 1000 && journal_ready(j, device()); i++)
        usleep(10000);
    assert_false(journal_ready(j, device()));
}

/* Nobody knows what is on the disk: the records are kept and compared at the next start, in the same boot
 * too. */
static void test_syncfs_error(void **state)
{
    (void)state;
    struct journal *j = open_journal(&boot_a);
    atomic_store(&syncfs_errno, EIO);
    assert_int_equal(deliver(j, "M", 1, FAR), RC_OK);
    wait_until_not_ready(j);
    journal_close(j);
    atomic_store(&syncfs_errno, 0);
    spoil(find_message("M", "new", 1), "");
    j = open_journal(&boot_a);
    assert_true(journal_ready(j, device()));
    expect_whole("M", "new", 1);
    journal_close(j);
}

static void test_write_error(void **state)
{
    (void)state;
    struct journal *j = open_journal(&boot_a);
    atomic_store(&syncfs_held, true);
    assert_int_equal(deliver(j, "M", 1, FAR), RC_OK);
    atomic_store(&fdatasync_errno, EIO);
    assert_int_equal(deliver(j, "M", 2, FAR), RC_TEMP);
    assert_false(journal_ready(j, device()));
    assert_int_equal(deliver(j, "M", 3, FAR), RC_TEMP);
    atomic_store(&fdatasync_errno, 0);
    atomic_store(&syncfs_held, false);
    journal_close(j);
    empty_maildir("M", 1);
    journal_close(open_journal(&boot_b));
    expect_whole("M", "new", 1);
    assert_int_equal(count_files("M/new"), 1); /* what was refused is not there */
}

/* Of an error on the way to the disk whoever empties a segment hears first; a group that was written
 * meanwhile is refused all the same. */
static void test_error_that_another_sees(void **state)
{
    (void)state;
    struct journal *j = open_journal(&boot_a);
    atomic_store(&syncfs_reached, false);
    atomic_store(&syncfs_held, true);
    assert_int_equal(deliver(j, "M", 1, FAR), RC_OK);
    while (!atomic_load(&syncfs_reached)) /* by who empties its segment */
        usleep(1000);
    atomic_fetch_add(&disk_errors, 1);
    is_last = true;
    enum rc rc = deliver(j, "M", 2, FAR);
    is_last = false;
    assert_int_equal(rc, RC_TEMP);
    assert_false(journal_ready(j, device()));
    journal_close(j);
}

/* What an earlier use of the segment left behind its new records is void. */
static void test_older_records(void **state)
{
    (void)state;
    struct journal *j = open_journal(&boot_a);
    for (unsigned i = 1; i <= 4; i++)
        assert_int_equal(deliver(j, "M", i, FAR), RC_OK);
    journal_close(j);
    j = open_journal(&boot_a);
    atomic_store(&syncfs_held, true);
    assert_int_equal(deliver(j, "M", 5, FAR), RC_OK);
    cut(j);
    empty_maildir("M", 5);
    journal_close(open_journal(&boot_b));
    assert_int_equal(count_files("M/new"), 1);
    expect_whole("M", "new", 5);
}

static void test_two_processes(void **state)
{
    (void)state;
    struct journal *first = open_journal(&boot_a), *second = open_journal(&boot_a);
    assert_true(journal_ready(first, device()));
    assert_false(journal_ready(second, device()));
    journal_close(first);
    for (int i = 0; i < 1000 && !journal_ready(second, device()); i++)
        usleep(10000);
    assert_true(journal_ready(second, device()));
    assert_int_equal(deliver(second, "M", 1, FAR), RC_OK);
    journal_close(second);
}

static void test_refused_files(void **state)
{
    (void)state;
    struct err e = {0};
    put_file(JOURNAL_NAME, "x");
    assert_int_equal(chmod(fixture_path(JOURNAL_NAME), 0644), 0);
    assert_null(journal_open(fixture_root, &boot_a, &e));
    assert_int_equal(unlink(fixture_path(JOURNAL_NAME)), 0);
    assert_int_equal(symlink("elsewhere", fixture_path(JOURNAL_NAME)), 0);
    assert_false(journal_exists(fixture_root));
    assert_null(journal_open(fixture_root, &boot_a, &e));
    assert_int_equal(unlink(fixture_path(JOURNAL_NAME)), 0);
    put_file(JOURNAL_NAME, "cut short when it was made");
    assert_true(journal_exists(fixture_root));
    struct journal *j = open_journal(&boot_a);
    assert_true(journal_ready(j, device()));
    journal_close(j);
    assert_null(journal_open("/proc", &boot_a, &e)); /* no file system to be trusted */
    struct journal_boot now;
    assert_int_equal(journal_boot_now(&now), RC_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_commit_and_close),
        TEST(test_power_failure),
        TEST(test_same_boot),
        TEST(test_torn_records),
        TEST(test_undone),
        TEST(test_group_and_ticket),
        TEST(test_full),
        TEST(test_many_threads),
        TEST(test_syncfs_error),
        TEST(test_write_error),
        TEST(test_error_that_another_sees),
        TEST(test_older_records),
        TEST(test_two_processes),
        TEST(test_refused_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
