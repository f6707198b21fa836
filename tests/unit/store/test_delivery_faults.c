/* Faults of deliveries: prepare, commit, undo and free; what is refused before anything is committed; which
 * folders are synced. fsync and renameat2 are this program's own, so that it sees the one and can refuse the
 * other. */
#include "store/delivery.h"

#include "fixture.h"
#include "os/file.h"

#include <errno.h>
#include <sys/syscall.h>

static char synced[4096]; /* the paths that were synced, each ended by a line feed */
static int renameat2_errno, fsync_errno;

int fsync(int fd)
{
    char link[64], path[300];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    size_t at = strlen(synced);
    if (n > 0 && at + (size_t)n + 2 < sizeof synced)
        snprintf(synced + at, sizeof synced - at, "%.*s\n", (int)n, path);
    if (fsync_errno) {
        errno = fsync_errno;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    if (renameat2_errno) {
        errno = renameat2_errno;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

static bool was_synced(const char *path)
{
    char line[400];
    snprintf(line, sizeof line, "%s\n", path);
    return strstr(synced, line) != NULL;
}

static int open_maildir(void)
{
    int fd = -1;
    ok(delivery_open_maildir(AT_FDCWD, str_c(fixture_root), true, &fd, e));
    return fd;
}

static struct delivery_message sample(unsigned number)
{
    static const str head[] = {S("Return-Path: <>\n"), S("Delivered-To: demo@malle.test\n")};
    return (struct delivery_message){
        .name = {.now = 1700000000000000, .id = 7, .number = number, .host = S("mail.malle.test")},
        .head = head,
        .n_head = 2,
        .content_fd = -1,
        .content = S("Subject: x\n\ny\n"),
        .content_size = 14,
        .content_lines = 3};
}

static struct delivery *prepared(int root, unsigned number)
{
    struct delivery *d = NULL;
    struct delivery_message m = sample(number);
    ok(delivery_prepare(root, &m, &d, e));
    return d;
}

static void test_commit_and_free(void **state)
{
    (void)state;
    int root = open_maildir();
    struct delivery *d = prepared(root, 1);
    assert_int_equal(count_files("tmp"), 1);
    synced[0] = '\0';
    ok(delivery_commit(d, e));
    assert_true(was_synced(fixture_path("new")));
    assert_int_equal(count_files("tmp"), 0);
    delivery_free(&d);
    assert_null(d);
    assert_int_equal(count_files("new"), 1);
    close(root);
}

static void test_free_of_a_prepared_one_aborts(void **state)
{
    (void)state;
    int root = open_maildir();
    struct delivery *d = prepared(root, 1);
    delivery_free(&d);
    delivery_free(&d);
    assert_int_equal(count_files("tmp") + count_files("new"), 0);
    close(root);
}

/* One that came before is never taken for missing: it would come twice. */
static void test_find(void **state)
{
    (void)state;
    int root = open_maildir();
    struct err none = {0};
    assert_int_equal(delivery_find(root, 7, 1, &none), RC_GONE);
    struct delivery *d = prepared(root, 1);
    assert_int_equal(delivery_find(root, 7, 1, &none), RC_GONE);
    ok(delivery_commit(d, e));
    delivery_free(&d);
    ok(delivery_find(root, 7, 1, e));
    assert_int_equal(delivery_find(root, 7, 2, &none), RC_GONE);
    assert_int_equal(delivery_find(root, 8, 1, &none), RC_GONE);
    fsync_errno = EIO;
    refused(RC_TEMP, delivery_find(root, 7, 1, e));
    assert_int_equal(delivery_find(root, 7, 2, &none), RC_GONE);
    fsync_errno = 0;
    close(root);
}

/* All or nothing: the commit of the third fails, and the two before it are taken back. */
static void test_undo(void **state)
{
    (void)state;
    int root = open_maildir();
    struct delivery *d[3];
    for (unsigned i = 0; i < 3; i++)
        d[i] = prepared(root, i);
    ok(delivery_commit(d[0], e));
    ok(delivery_commit(d[1], e));
    renameat2_errno = EIO;
    refused(RC_TEMP, delivery_commit(d[2], e));
    renameat2_errno = 0;
    assert_int_equal(count_files("new"), 2);
    synced[0] = '\0';
    for (int i = 0; i < 3; i++) {
        delivery_undo(d[i]);
        delivery_free(&d[i]);
    }
    assert_true(was_synced(fixture_path("new")));
    assert_int_equal(count_files("tmp") + count_files("new"), 0);
    close(root);
}

static void test_undo_of_a_claimed_one(void **state)
{
    int root = open_maildir();
    struct delivery *d = prepared(root, 1);
    ok(delivery_commit(d, e));
    struct box *b = open_box(*state, "INBOX"); /* moves it to cur/ */
    delivery_undo(d);
    delivery_free(&d);
    expect_set(box_view(b), "1");
    assert_int_equal(count_files("cur"), 1);
    box_close(b);
    close(root);
}

static void test_rename_without_noreplace(void **state)
{
    (void)state;
    int root = open_maildir(), errors[] = {EINVAL, ENOSYS};
    for (unsigned i = 0; i < 2; i++) {
        renameat2_errno = errors[i];
        struct delivery *d = prepared(root, i);
        ok(delivery_commit(d, e));
        delivery_free(&d);
        assert_int_equal(count_files("new"), i + 1);
        assert_int_equal(count_files("tmp"), 0);
    }
    struct delivery *d = prepared(root, 0); /* the same name again */
    refused(RC_TEMP, delivery_commit(d, e));
    delivery_free(&d);
    renameat2_errno = 0;
    assert_int_equal(count_files("new"), 2);
    assert_int_equal(count_files("tmp"), 0);
    close(root);
}

static void expect_unprepared(int root, enum rc want)
{
    struct delivery *d = NULL;
    struct delivery_message m = sample(1);
    refused(want, delivery_prepare(root, &m, &d, e));
    assert_null(d);
    assert_int_equal(count_files("tmp"), 0);
}

/* What would make the commit fail is found out while everything can still be aborted. */
static void test_bad_new_fails_at_prepare(void **state)
{
    (void)state;
    int root = open_maildir();
    assert_int_equal(rename(fixture_path("new"), fixture_path("old")), 0);
    expect_unprepared(root, RC_TEMP); /* missing */
    assert_int_equal(symlink("old", fixture_path("new")), 0);
    expect_unprepared(root, RC_TEMP);
    assert_int_equal(unlink(fixture_path("new")), 0);
    assert_int_equal(mkdir(fixture_path("new"), 0500), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(fixture_path("new"), 65534, 65534), 0); /* root may write everywhere */
    expect_unprepared(root, RC_TEMP);
    close(root);
}

/* Not writable for us, though ours: only seen as somebody other than root. */
static void test_unwritable_new_fails_at_prepare(void **state)
{
    (void)state;
    int root = open_maildir();
    assert_int_equal(chmod(fixture_path("new"), 0500), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(fixture_path("new"), 65534, 65534), 0);
        assert_int_equal(chown(fixture_path("tmp"), 65534, 65534), 0);
        assert_int_equal(chmod(fixture_root, 0755), 0);
        assert_int_equal(seteuid(65534), 0);
    }
    struct delivery *d = NULL;
    struct delivery_message m = sample(1);
    refused(RC_TEMP, delivery_prepare(root, &m, &d, e));
    if (geteuid() != 0)
        (void)!seteuid(0);
    assert_int_equal(count_files("tmp"), 0);
    close(root);
}

/* A message in a folder that a crash takes away would be lost: all that is made is synced, and its parent. */
static void test_new_folders_are_synced(void **state)
{
    (void)state;
    char path[400];
    int fd = -1;
    snprintf(path, sizeof path, "%s/a/b/Maildir", fixture_root);
    synced[0] = '\0';
    ok(delivery_open_maildir(AT_FDCWD, str_c(path), true, &fd, e));
    close(fd);
    static const char *const made[] = {"a", "a/b", "a/b/Maildir", "a/b/Maildir/cur", "a/b/Maildir/new"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        if (!was_synced(fixture_path(made[i])))
            fail_msg("%s is not synced", made[i]);
    assert_true(was_synced(fixture_root));
    synced[0] = '\0';
    ok(delivery_open_maildir(AT_FDCWD, str_c(path), true, &fd, e));
    close(fd);
    assert_string_equal(synced, ""); /* what is there costs nothing */
}

static void test_folders_of_the_store_are_synced(void **state)
{
    struct store *st = NULL;
    char path[400];
    snprintf(path, sizeof path, "%s/home/Maildir", fixture_root);
    struct store_conf conf = {.account = S("demo@malle.test"),
                              .root = str_c(path),
                              .hostname = S("mail.malle.test"),
                              .separator = '/'};
    synced[0] = '\0';
    ok(store_open(&conf, &st, e));
    assert_true(was_synced(fixture_root) && was_synced(fixture_path("home")));
    assert_true(was_synced(fixture_path("home/Maildir/cur")));
    store_close(st);
    synced[0] = '\0';
    ok(store_create(*state, S("Box"), USE_NONE, e));
    assert_true(was_synced(fixture_root) && was_synced(fixture_path(".Box")));
    assert_true(was_synced(fixture_path(".Box/cur")));
    fixture_reopen(); /* its lock file goes with it */
    assert_int_equal(rmdir(fixture_path(".Box/tmp")), 0);
    synced[0] = '\0';
    struct box *b = NULL;
    ok(box_open(fixture_store, S("Box"), false, &b, e)); /* makes what is missing */
    assert_true(was_synced(fixture_path(".Box")) && was_synced(fixture_path(".Box/tmp")));
    box_close(b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_commit_and_free),
        TEST(test_free_of_a_prepared_one_aborts),
        TEST(test_find),
        TEST(test_undo),
        TEST(test_undo_of_a_claimed_one),
        TEST(test_rename_without_noreplace),
        TEST(test_bad_new_fails_at_prepare),
        TEST(test_unwritable_new_fails_at_prepare),
        TEST(test_new_folders_are_synced),
        TEST(test_folders_of_the_store_are_synced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
