/* Which UID a message gets when another program gives UIDs in the same folder and at the same time. It has
 * the lock, and does what it has to do while this one waits for it. */
#include "fixture.h"

#include <sys/wait.h>

enum { WAIT_MS = 10000 };

static _Noreturn void other_program(void (*act)(void))
{
    for (int i = 0; i < WAIT_MS && !find_file("tmp", "lock.")[0]; i++)
        usleep(1000);
    act();
    _exit(unlink(fixture_path("dovecot-uidlist.lock")) != 0);
}

/* INBOX has the messages 1 and 2, and the other program its lock. */
static struct box *begin(pid_t *ret, void (*act)(void))
{
    put_file("cur/1001.M1P1.host:2,", "one\n");
    put_file("cur/1002.M1P1.host:2,", "two\n");
    box_close(open_box(fixture_store, "INBOX"));
    fixture_reopen(); /* nothing is left of the lock that was needed for that */
    assert_string_equal(find_file("tmp", "lock."), "");
    struct box *b = open_box(fixture_store, "INBOX");
    assert_string_equal(find_file("tmp", "lock."), "");
    put_file("dovecot-uidlist.lock", "1:elsewhere");
    *ret = fork();
    assert_true(*ret >= 0);
    if (*ret == 0)
        other_program(act);
    return b;
}

static void await(pid_t other)
{
    int status;
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(status, 0);
}

static void number(const char *lines)
{
    int fd = open(fixture_path("dovecot-uidlist"), O_WRONLY | O_APPEND);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, lines, strlen(lines)), (ssize_t)strlen(lines));
    close(fd);
}

/* Ends as `want` says the uidlist ends. */
static void expect_uidlist_end(const char *want)
{
    const char *text = get_file("dovecot-uidlist");
    assert_true(strlen(text) > strlen(want));
    assert_string_equal(text + strlen(text) - strlen(want), want);
}

static void number_and_deliver(void)
{
    put_file("new/1004.M1P1.host", "four\n");
    number("3 :1003.M1P1.host\n4 :1004.M1P1.host\n");
}

static void test_while_a_merge_waits(void **state)
{
    (void)state;
    pid_t other;
    struct box *b = begin(&other, number_and_deliver);
    put_file("new/1003.M1P1.host", "three\n");
    put_file("new/1005.M1P1.host", "five\n");
    expect_sync(b, 0, "=5/3 ");
    await(other);
    expect_set(box_view(b), "1:5");
    expect_content(b, 3, "three\n");
    expect_content(b, 4, "four\n");
    expect_content(b, 5, "five\n");
    expect_uidlist_end("\n4 :1004.M1P1.host\n5 :1005.M1P1.host\n");
    box_close(b);
}

static void deliver_and_number(void)
{
    put_file("new/1003.M1P1.host", "three\n");
    number("3 :1003.M1P1.host\n");
}

static void test_while_an_append_waits(void **state)
{
    (void)state;
    pid_t other;
    struct box *b = begin(&other, deliver_and_number);
    assert_int_equal(append_text(fixture_store, "INBOX", "four\r\n"), 4);
    await(other);
    expect_sync(b, 0, "=4/1 ");
    expect_content(b, 3, "three\n");
    expect_content(b, 4, "four\n");
    box_close(b);
}

static void number_and_expunge(void)
{
    number("3 :1003.M1P1.host\n");
}

static void test_gone_before_it_was_seen(void **state)
{
    (void)state;
    pid_t other;
    struct box *b = begin(&other, number_and_expunge);
    put_file("new/1004.M1P1.host", "four\n");
    expect_sync(b, 0, "=3/1 ");
    await(other);
    expect_set(box_view(b), "1:2,4");
    box_close(b);
}

static void number_and_rename(void)
{
    char to[800];
    snprintf(to, sizeof to, "%s", fixture_path("cur/1003.M1P1.host:2,S"));
    assert_int_equal(rename(fixture_path("new/1003.M1P1.host"), to), 0);
    number("3 :1003.M1P1.host\n");
}

static void test_renamed_after_the_scan(void **state)
{
    (void)state;
    pid_t other;
    struct box *b = begin(&other, number_and_rename);
    put_file("new/1003.M1P1.host", "three\n");
    put_file("new/1004.M1P1.host", "four\n");
    expect_sync(b, 0, "=4/1 ");
    await(other);
    expect_content(b, 3, "three\n");
    expect_content(b, 4, "four\n");
    assert_int_equal(message(b, 3).flags, FLAG_SEEN);
    box_close(b);
}

/* --- the uidlist has another UID than the index --- */

static struct box *three_messages(void)
{
    put_file("cur/1001.M1P1.host:2,", "one\n");
    put_file("cur/1002.M1P1.host:2,", "two\n");
    put_file("cur/1003.M1P1.host:2,", "three\n");
    return open_box(fixture_store, "INBOX");
}

/* Its header, and other lines. */
static void rewrite_uidlist(const char *lines)
{
    char text[1000];
    const char *old = get_file("dovecot-uidlist");
    snprintf(text, sizeof text, "%.*s\n%s", (int)(strchr(old, '\n') - old), old, lines);
    put_file("dovecot-uidlist", text);
}

static void test_other_uid(void **state)
{
    (void)state;
    struct box *b = three_messages();
    change(b, "2", FLAGS_ADD, FLAG_FLAGGED, "work");
    expect_sync(b, 0, "!2(2) ");
    rewrite_uidlist("1 :1001.M1P1.host\n3 :1003.M1P1.host\n7 :1002.M1P1.host\n");
    expect_sync(b, 0, "-2(2) =3/0 ");
    expect_set(box_view(b), "1,3,7");
    expect_content(b, 7, "two\n");
    assert_int_equal(message(b, 7).flags, FLAG_FLAGGED);
    assert_int_equal(message(b, 7).keywords, 1);
    assert_int_equal(box_status(b)->uidnext, 8);
    struct uidset vanished = {0};
    ok(box_vanished_since(b, 1, &vanished, e));
    expect_set(&vanished, "2");
    uidset_deinit(&vanished);
    expect_uidlist_end("\n7 :1002.M1P1.host\n");
    box_close(b);
    assert_string_equal(find_file("cur", "1002."), "1002.M1P1.host:2,Fa");
}

/* RFC 9051 §2.3.1.1: it cannot have a UID below one that clients know. */
static void test_other_uid_too_late(void **state)
{
    (void)state;
    struct box *b = three_messages();
    rewrite_uidlist("1 :1001.M1P1.host\n2 :1003.M1P1.host\n");
    expect_sync(b, 0, "-3(3) =3/0 ");
    expect_set(box_view(b), "1:2,4");
    expect_content(b, 2, "two\n");
    expect_content(b, 4, "three\n");
    expect_uidlist_end("\n4 :1003.M1P1.host\n");
    box_close(b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_while_a_merge_waits),
        TEST(test_while_an_append_waits),
        TEST(test_gone_before_it_was_seen),
        TEST(test_renamed_after_the_scan),
        TEST(test_other_uid),
        TEST(test_other_uid_too_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
