/* APPEND of several messages, and one that replaces another: all of it or nothing, whatever fails and
 * wherever the process is killed (RFC 3502 §6.3.11, RFC 8508 §3.4). The calls that change folders are this
 * program's own, so that it can die before any of them, or refuse one. */
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int left = -1;            /* calls until the process is killed; -1: it lives */
static int renames_to_fail = -1; /* renames until one fails */

static void step(void)
{
    if (left == 0)
        kill(getpid(), SIGKILL);
    left -= left > 0;
}

int fsync(int fd)
{
    (void)fd;
    step();
    return 0; /* nothing here cuts the power */
}

int unlinkat(int dir, const char *path, int flags)
{
    step();
    return (int)syscall(SYS_unlinkat, dir, path, flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    step();
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    step();
    if (renames_to_fail == 0) {
        renames_to_fail = -1;
        errno = EIO;
        return -1;
    }
    renames_to_fail -= renames_to_fail > 0;
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

static void write_message(struct append *ap, const char *text, unsigned flags)
{
    const struct append_message m = {.flags = flags, .internal_date = 1000000000};
    ok(append_write(ap, str_c(text), e));
    ok(append_finish(ap, &m, e));
}

/* Three messages that wait for their commit. */
static struct append *three(const char *mailbox)
{
    struct append *ap = NULL;
    ok(append_begin(fixture_store, str_c(mailbox), &ap, e));
    write_message(ap, "one\r\n", FLAG_SEEN);
    write_message(ap, "two\r\n", 0);
    write_message(ap, "three\r\n", FLAG_DRAFT);
    return ap;
}

static void expect_three(const char *mailbox)
{
    struct box *b = open_box(fixture_store, mailbox);
    expect_set(box_view(b), "1:3");
    expect_content(b, 1, "one\n");
    expect_content(b, 2, "two\n");
    expect_content(b, 3, "three\n");
    assert_int_equal(message(b, 1).flags, FLAG_SEEN);
    assert_int_equal(message(b, 3).flags, FLAG_DRAFT);
    assert_true(message(b, 2).internal_date == 1000000000);
    box_close(b);
}

/* But for the file that locks are made of, which stays (store/dotlock.h). */
static int waiting_files(void)
{
    DIR *d = opendir(fixture_path("tmp"));
    int n = 0;
    for (const struct dirent *x; (x = readdir(d));)
        n += strncmp(x->d_name, "append.", 7) == 0;
    closedir(d);
    return n;
}

static bool is_noted(const char *path)
{
    return access(fixture_path(path), F_OK) == 0;
}

static void test_several(void **state)
{
    struct append *ap = three("INBOX");
    struct append_result r;
    (void)state;
    assert_int_equal(count_files("cur"), 0);
    ok(append_commit(&ap, &r, e));
    assert_int_equal(r.first, 1);
    assert_int_equal(r.last, 3);
    expect_three("INBOX");
    assert_int_equal(waiting_files(), 0);
    assert_false(is_noted("malle.append"));
}

static void test_none(void **state)
{
    (void)state;
    for (int fails = -1; fails < 3; fails++) {
        struct append *ap = three("INBOX");
        struct append_result r;
        renames_to_fail = fails;
        if (fails < 0)
            append_abort(&ap);
        else
            refused(RC_TEMP, append_commit(&ap, &r, e));
        assert_null(ap);
        assert_int_equal(renames_to_fail, -1);
        assert_int_equal(count_files("cur") + waiting_files(), 0);
        assert_false(is_noted("malle.append"));
        struct box *b = open_box(fixture_store, "INBOX");
        assert_int_equal(box_status(b)->messages, 0);
        box_close(b);
    }
    struct append *ap = three("INBOX");
    struct append_result r;
    ok(append_commit(&ap, &r, e));
}

static void test_too_many(void **state)
{
    struct append *ap = NULL;
    (void)state;
    ok(append_begin(fixture_store, S("INBOX"), &ap, e));
    for (int i = 0; i < APPEND_MESSAGES_MAX; i++)
        write_message(ap, "x\r\n", 0);
    refused(RC_LIMIT, append_write(ap, S("x"), e));
    append_abort(&ap);
    assert_int_equal(waiting_files(), 0);
}

static void test_replace(void **state)
{
    static const char *const dest[] = {"INBOX", "Sent"};
    (void)state;
    ok(store_create(fixture_store, S("Sent"), USE_NONE, e));
    for (int i = 0; i < 2; i++) {
        uid32 uid = append_text(fixture_store, "INBOX", "old\r\n");
        struct box *b = open_box(fixture_store, "INBOX");
        struct append *ap = NULL;
        struct append_result r;
        struct box_events ev = {0};
        ok(append_begin(fixture_store, str_c(dest[i]), &ap, e));
        ok(append_replace(ap, b, uid, e));
        write_message(ap, "new\r\n", 0);
        ok(append_commit(&ap, &r, e));
        assert_int_equal(r.first, i == 0 ? uid + 1 : 1);
        ok(box_sync(b, BOX_SYNC_NO_EXPUNGE, &ev, e));
        box_close(b);
        b = open_box(fixture_store, dest[i]);
        expect_content(b, r.first, "new\n");
        assert_int_equal(box_status(b)->messages, 1);
        box_close(b);
        assert_int_equal(count_files("cur"), 1); /* of INBOX */
    }
    struct box *b = open_box(fixture_store, "INBOX");
    struct append *ap = NULL;
    ok(append_begin(fixture_store, S("Sent"), &ap, e));
    refused(RC_GONE, append_replace(ap, b, 1, e));
    append_abort(&ap);
    box_close(b);
}

/* --- a crash at every step --- */

/* Appends three messages to Sent and replaces the one in INBOX, until it is killed before the given call. */
static void child(int calls)
{
    fixture_store = fixture_open();
    struct box *b = open_box(fixture_store, "INBOX");
    struct append *ap = NULL;
    struct append_result r;
    ok(append_begin(fixture_store, S("Sent"), &ap, e));
    ok(append_replace(ap, b, 1, e));
    left = calls;
    write_message(ap, "one\r\n", FLAG_SEEN);
    write_message(ap, "two\r\n", 0);
    write_message(ap, "three\r\n", FLAG_DRAFT);
    ok(append_commit(&ap, &r, e));
    _exit(0);
}

/* Whether the process lived; *ret_noted: it left something to finish. */
static bool killed_at(int calls, bool *ret_noted)
{
    int status = 0;
    ok(store_create(fixture_store, S("Sent"), USE_NONE, e));
    append_text(fixture_store, "INBOX", "old\r\n");
    fixture_store = store_close(fixture_store);
    pid_t pid = fork();
    if (pid == 0)
        child(calls);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : status == 0);
    *ret_noted = is_noted(".Sent/malle.append");
    fixture_store = fixture_open();
    return !WIFSIGNALED(status);
}

static void test_killed(void **state)
{
    bool lived = false;
    int none = 0, finished = 0;
    for (int calls = 0; !lived; calls++) {
        bool noted;
        assert_true(calls < 1000);
        lived = killed_at(calls, &noted);
        struct box *b = open_box(fixture_store, "Sent");
        uint32_t n = box_status(b)->messages;
        box_close(b);
        if (n != 0)
            expect_three("Sent");
        assert_int_equal(count_files(".Sent/cur"), n);
        assert_int_equal(count_files("cur"), n == 0); /* the old one is there, or they are */
        assert_true(n == 3 || !(lived || noted));
        assert_false(is_noted(".Sent/malle.append"));
        none += n == 0;
        finished += noted;
        fixture_teardown(state);
        fixture_setup(state);
    }
    assert_true(none > 3);
    assert_true(finished >= 5); /* before each rename, the UIDs and the expunge */
}

/* A record that nobody of ours wrote does nothing, and does not stay. */
static void test_foreign_record(void **state)
{
    (void)state;
    append_text(fixture_store, "INBOX", "old\r\n");
    put_file("malle.append", "out ../INBOX\nout /x\n");
    struct box *b = open_box(fixture_store, "INBOX");
    assert_int_equal(box_status(b)->messages, 1);
    box_close(b);
    assert_false(is_noted("malle.append"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_several), TEST(test_none),   TEST(test_too_many),
                                       TEST(test_replace), TEST(test_killed), TEST(test_foreign_record)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
