/* Parking: what a session is told after each of its commands was answered by another one that went on with
 * its record; what does not park; and what becomes of a record when the mailbox is no more what it was. */
#include "store_talk.h"

#include "fmt/parked.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    char *root;
    struct store_talk a, other; /* a parks */
};

static void put_file(const struct world *w, const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", w->root, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("Subject: x\n\nbody\n", f);
    fclose(f);
}

static void deliver(const struct world *w, int number)
{
    char name[100];
    snprintf(name, sizeof name, "new/%d.M%dP1.host", 1600000000 + number, number);
    put_file(w, name);
}

static int setup(void **state)
{
    static struct world w;
    w.root = store_folder_new();
    store_talk_parks = false;
    store_talk_begin(&w.other, w.root);
    store_talk_parks = true;
    store_talk_begin(&w.a, w.root);
    for (int i = 0; i < 5; i++)
        deliver(&w, i);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    store_talk_end(&w->a);
    store_talk_end(&w->other);
    store_folder_remove(w->root);
    return 0;
}

static void wait_parked(struct store_talk *t)
{
    for (int i = 0; i < 10000 && !atomic_load(&t->parked); i++)
        usleep(1000);
    assert_true(atomic_load(&t->parked));
}

/* The command is answered by a session of its own. */
static void expect_parks(struct store_talk *t, const char *command, const char *want)
{
    wait_parked(t);
    store_talk_expect(t, command, want);
}

static void test_what_is_kept(void **state)
{
    struct world *w = *state;
    const char *selected = store_talk_say(&w->a, "SELECT INBOX");
    assert_non_null(strstr(selected, "* 5 EXISTS\r\n* 5 RECENT\r\n"));
    expect_parks(&w->a, "FETCH 2 FLAGS", "* 2 FETCH (FLAGS (\\Recent))\r\nOK");
    expect_parks(&w->a, "UID SEARCH RETURN (SAVE) 2:4", "OK");
    expect_parks(&w->a, "SEARCH $", "* SEARCH 2 3 4\r\nOK");
    store_talk_say(&w->other, "SELECT INBOX");
    store_talk_say(&w->other, "STORE 3 +FLAGS (\\Deleted $New)");
    store_talk_say(&w->other, "EXPUNGE");
    store_talk_say(&w->other, "STORE 1 +FLAGS (\\Seen $Newer)");
    deliver(w, 9);
    /* with numbers an expunge waits (RFC 9051 §7.5.1), whoever answers */
    const char *all = "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded $New $Newer)\r\n"
                      "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded $New "
                      "$Newer \\*)] These flags are kept.\r\n";
    char want[1000];
    snprintf(want, sizeof want,
             "* SEARCH 2 3 4\r\n* 6 EXISTS\r\n* 6 RECENT\r\n%s* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent "
             "$Newer))\r\nOK",
             all);
    expect_parks(&w->a, "SEARCH $", want);
    expect_parks(&w->a, "SEARCH $", "* SEARCH 2 3 4\r\nOK");
    expect_parks(&w->a, "NOOP", "* 3 EXPUNGE\r\nOK");
    expect_parks(&w->a, "FETCH 5 FLAGS", "* 5 FETCH (FLAGS (\\Recent))\r\nOK");
    expect_parks(&w->a, "UNSELECT", "OK");
    expect_parks(&w->a, "FETCH 1 FLAGS", "BAD");
    assert_non_null(strstr(store_talk_say(&w->a, "SELECT INBOX"), "* 5 EXISTS\r\n* 0 RECENT\r\n"));
}

static void test_extensions(void **state)
{
    struct world *w = *state;
    expect_parks(&w->a, "ENABLE QRESYNC IMAP4rev2", "* ENABLED QRESYNC IMAP4rev2\r\nOK");
    store_talk_say(&w->a, "EXAMINE INBOX");
    store_talk_say(&w->other, "SELECT INBOX");
    store_talk_say(&w->other, "UID STORE 2,5 +FLAGS.SILENT (\\Deleted)");
    expect_parks(&w->a, "NOOP",
                 "* 2 FETCH (UID 2 FLAGS (\\Deleted) MODSEQ (3))\r\n"
                 "* 5 FETCH (UID 5 FLAGS (\\Deleted) MODSEQ (3))\r\nOK");
    store_talk_say(&w->other, "EXPUNGE");
    expect_parks(&w->a, "CHECK", "* VANISHED 2,5\r\nOK");
    expect_parks(&w->a, "UID STORE 1 +FLAGS (\\Seen)", "NO [READ-ONLY]");
    expect_parks(&w->a, "SEARCH ALL", "* ESEARCH (TAG \"t6\") ALL 1:3\r\nOK");
    expect_parks(&w->a, "ENABLE UIDONLY", "* ENABLED UIDONLY\r\nOK");
    expect_parks(&w->a, "FETCH 1 FLAGS", "BAD [UIDREQUIRED]");
}

static void read_until(struct store_talk *t, const char *end)
{
    struct buf got = BUF_INIT(8 << 20);
    while (!str_ends(buf_str(&got), str_c(end))) {
        char part[4096];
        struct pollfd p = {.fd = t->fd, .events = POLLIN};
        if (poll(&p, 1, 10000) != 1)
            fail_msg("only: %s", buf_cstr(&got));
        ssize_t n = read(t->fd, part, sizeof part);
        assert_true(n > 0);
        buf_put(&got, part, (size_t)n);
    }
    buf_deinit(&got);
}

static void test_idle(void **state)
{
    struct world *w = *state;
    store_talk_say(&w->a, "SELECT INBOX");
    store_talk_send(&w->a, S("i1 IDLE\r\n"));
    read_until(&w->a, "+ idling\r\n");
    wait_parked(&w->a); /* else it tells each change by itself */
    store_talk_say(&w->other, "SELECT INBOX");
    store_talk_say(&w->other, "STORE 2 +FLAGS (\\Seen)");
    deliver(w, 9);
    store_talk_send(&w->a, S("DONE\r\n"));
    read_until(&w->a, "* 6 EXISTS\r\n* 6 RECENT\r\n* 2 FETCH (UID 2 FLAGS (\\Seen \\Recent))\r\n"
                      "i1 OK IDLE completed.\r\n");
    expect_parks(&w->a, "NOOP", "OK");
}

/* The session must be one and the same for what stands between two of its answers. */
static void test_what_does_not_park(void **state)
{
    struct world *w = *state;
    wait_parked(&w->a);
    store_talk_send(&w->a, S("x NO"));
    usleep(20000);
    unsigned times = w->a.parked_times;
    store_talk_send(&w->a, S("OP\r\n"));
    read_until(&w->a, "x OK NOOP completed.\r\n");
    wait_parked(&w->a);
    assert_int_equal(w->a.parked_times, times + 1);
    store_talk_send(&w->a, S("x CREATE {3}\r\n"));
    read_until(&w->a, "+ OK\r\n");
    times = w->a.parked_times;
    usleep(20000);
    store_talk_send(&w->a, S("new\r\n"));
    read_until(&w->a, "CREATE completed.\r\n");
    wait_parked(&w->a);
    assert_int_equal(w->a.parked_times, times + 1);
}

/* The time after which it parks is none for the answer: a client that reads slowly gets all of it. */
static void test_large_answer(void **state)
{
    struct world *w = *state;
    struct buf text = BUF_INIT(8 << 20);
    buf_puts(&text, S("Subject: large\n\n"));
    while (text.n < 4 << 20)
        buf_puts(&text, S("one line of many that are all alike\n"));
    store_talk_append(&w->a, "INBOX", "", buf_str(&text));
    store_talk_say(&w->a, "SELECT INBOX");
    store_talk_send(&w->a, S("x FETCH 6 BODY.PEEK[]\r\n"));
    usleep(100000);
    read_until(&w->a, "x OK FETCH completed.\r\n");
    buf_deinit(&text);
}

/* Every second of 5,000 messages is gone: that is no record of 4 KiB, and the session lives on. */
static void test_too_many_holes(void **state)
{
    struct world *w = *state;
    for (int i = 1; i <= 5000; i++) {
        char name[100];
        snprintf(name, sizeof name, "cur/%d.M%dP1.host:2,%s", 1000000000 + i, i, i % 2 ? "T" : "");
        put_file(w, name);
    }
    store_talk_say(&w->a, "SELECT INBOX");
    expect_parks(&w->a, "NOOP", "OK");
    store_talk_say(&w->a, "EXPUNGE");
    usleep(20000);
    unsigned times = w->a.parked_times;
    store_talk_expect(&w->a, "NOOP", "OK");
    usleep(20000);
    store_talk_expect(&w->a, "NOOP", "OK");
    assert_int_equal(w->a.parked_times, times);
    store_talk_say(&w->a, "UNSELECT");
    expect_parks(&w->a, "NOOP", "OK");
}

static void test_deleted_mailbox(void **state)
{
    struct world *w = *state;
    store_talk_say(&w->other, "CREATE gone");
    store_talk_say(&w->a, "SELECT gone");
    wait_parked(&w->a);
    store_talk_say(&w->other, "DELETE gone");
    store_talk_say(&w->other, "CREATE gone");
    store_talk_send(&w->a, S("x NOOP\r\n"));
    read_until(&w->a, "* BYE The selected mailbox was deleted.\r\n");
}

/* What a session says that goes on with this record, until it ends; the client has said nothing. */
static void expect_end(const struct world *w, str record, const char *want, int status)
{
    int fds[2];
    char got[1000] = "";
    struct store *st = NULL;
    struct err e = {0};
    const struct store_conf conf = {.account = S("demo@malle.test"),
                                    .root = str_c(w->root),
                                    .separator = '/',
                                    .mailbox_max = 100,
                                    .keyword_max = 64};
    assert_int_equal(store_open(&conf, &st, &e), RC_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct imap_start start = {
        .stream = stream_new(fds[0], 65536), .store = st, .ops.wake_fd = -1, .resume = record};
    assert_int_equal(imap_session(&start), status);
    stream_free(start.stream);
    store_close(st);
    assert_true(read(fds[1], got, sizeof got - 1) >= 0);
    assert_string_equal(got, want);
    close(fds[1]);
}

static void test_records(void **state)
{
    struct world *w = *state;
    AUTO(buf_deinit) struct buf b = BUF_INIT(PARKED_MAX);
    struct parked silent = {.deadline_ms = 1}, idling = {.deadline_ms = 1, .idling = true, .tag = S("i")},
                  elsewhere = {.deadline_ms = INT64_MAX, .selected = true, .mailbox = S("INBOX")};
    parked_put(&b, &silent);
    expect_end(w, buf_str(&b), "* BYE Disconnected for inactivity.\r\n", 0);
    buf_reset(&b);
    parked_put(&b, &idling);
    expect_end(w, buf_str(&b), "* BYE Disconnected for inactivity.\r\n", 0);
    buf_reset(&b);
    parked_put(&b, &elsewhere);
    expect_end(w, buf_str(&b), "* BYE The selected mailbox was deleted.\r\n", 0);
    expect_end(w, S("nonsense"), "* BYE The session cannot go on.\r\n", 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_kept),       TEST(test_extensions),   TEST(test_idle),
        TEST(test_what_does_not_park), TEST(test_large_answer), TEST(test_too_many_holes),
        TEST(test_deleted_mailbox),    TEST(test_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
