/* pop3/session: the TRANSACTION and UPDATE states over a store in memory. */
#include "pop3/session.h"

#include "mem_store.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

struct talk {
    struct pop3_start start;
    int status;
};

static void *serve(void *arg)
{
    struct talk *t = arg;
    t->status = pop3_session(&t->start);
    stream_freep(&t->start.stream);
    return NULL;
}

/* All that a session answers to input; the caller frees it. */
static char *talk(struct store *st, str input, int want_status)
{
    int fds[2];
    pthread_t thread;
    struct buf got = BUF_INIT(1 << 20);
    char chunk[4096];
    ssize_t n;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    struct talk t = {
        .start = {
            .stream = stream_new(fds[1], 16384), .store = st, .account = S("demo"), .timeout_ms = 5000}};
    assert_int_equal(write(fds[0], input.p, input.n), input.n);
    shutdown(fds[0], SHUT_WR);
    assert_int_equal(pthread_create(&thread, NULL, serve, &t), 0);
    while ((n = read(fds[0], chunk, sizeof chunk)) > 0)
        buf_put(&got, chunk, (size_t)n);
    pthread_join(thread, NULL);
    close(fds[0]);
    assert_int_equal(t.status, want_status);
    char *answer = str_dup(buf_str(&got));
    buf_deinit(&got);
    return answer;
}

static void expect(struct store *st, const char *input, const char *answer)
{
    char *got = talk(st, str_c(input), 0);
    assert_true(str_starts(str_c(got), S("+OK Logged in.\r\n")));
    assert_string_equal(got + 16, answer);
    free(got);
}

/* Two messages of known content, numbers 1 and 2. */
static struct store *two_messages(void)
{
    struct store *st = mem_store_new();
    static const uid32 before[] = {1, 2, 4};
    for (size_t i = 0; i < 3; i++)
        mem_store_expunge(st, "INBOX", before[i]);
    mem_store_deliver(st, "INBOX", "Subject: a\n\n.dot\nline 2\n");
    mem_store_deliver(st, "INBOX", "Subject: b\r\n\r\nbody");
    return st;
}

static void commands_answer(void **state)
{
    static const struct {
        const char *input, *answer;
    } rows[] = {
        {"STAT\r\n", "+OK 2 46\r\n"},
        {"LIST\r\n", "+OK 2 messages (46 octets)\r\n1 28\r\n2 18\r\n.\r\n"},
        {"LIST 2\r\n", "+OK 2 18\r\n"},
        {"LIST 3\r\n", "-ERR There is no message 3.\r\n"},
        {"RETR 1\r\n", "+OK 28 octets\r\nSubject: a\r\n\r\n..dot\r\nline 2\r\n.\r\n"},
        {"RETR 2\r\n", "+OK 18 octets\r\nSubject: b\r\n\r\nbody\r\n.\r\n"},
        {"TOP 1 0\r\n", "+OK\r\nSubject: a\r\n\r\n.\r\n"},
        {"TOP 1 1\r\n", "+OK\r\nSubject: a\r\n\r\n..dot\r\n.\r\n"},
        {"TOP 1 99\r\n", "+OK\r\nSubject: a\r\n\r\n..dot\r\nline 2\r\n.\r\n"},
        {"TOP 9 1\r\n", "-ERR There is no message 9.\r\n"},
        {"DELE 1\r\nSTAT\r\nLIST 1\r\nDELE 1\r\nRSET\r\nLIST 1\r\n",
         "+OK Marked to be deleted.\r\n+OK 1 18\r\n-ERR There is no message 1.\r\n-ERR There is no message "
         "1.\r\n"
         "+OK\r\n+OK 1 28\r\n"},
        {"NOOP\r\n", "+OK\r\n"},
        {"CAPA\r\n", "+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nEXPIRE NEVER\r\nAUTH-RESP-CODE\r\n"
                     "IMPLEMENTATION malle\r\n.\r\n"},
        {"USER joe\r\n", "-ERR Already logged in.\r\n"},
        {"RETR\r\n", "-ERR Wrong arguments.\r\n"},
        {"XYZZY\r\n", "-ERR Unknown command.\r\n"},
        {"QUIT\r\n", "+OK Logging out, 0 messages deleted.\r\n"},
    };
    struct store *st = two_messages();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(st, rows[i].input, rows[i].answer);
    store_close(st);
}

static void uidl_is_one_word_per_message(void **state)
{
    struct store *st = two_messages();
    char *all = talk(st, S("UIDL\r\n"), 0), *one = talk(st, S("UIDL 2\r\n"), 0);
    char id1[80], id2[80], again[80];
    assert_int_equal(sscanf(all, "+OK Logged in.\r\n+OK\r\n1 %70[!-~]\r\n2 %70[!-~]\r\n.", id1, id2), 2);
    assert_int_equal(sscanf(one, "+OK Logged in.\r\n+OK 2 %70[!-~]", again), 1);
    assert_string_not_equal(id1, id2);
    assert_string_equal(id2, again);
    free(all);
    free(one);
    store_close(st);
}

static void only_quit_deletes(void **state)
{
    struct store *st = two_messages();
    expect(st, "DELE 1\r\n", "+OK Marked to be deleted.\r\n"); /* the connection is lost */
    expect(st, "STAT\r\n", "+OK 2 46\r\n");
    expect(st, "DELE 1\r\nQUIT\r\n", "+OK Marked to be deleted.\r\n+OK Logging out, 1 messages deleted.\r\n");
    expect(st, "STAT\r\n", "+OK 1 18\r\n");
    store_close(st);
}

static void retrieved_messages_are_seen_after_quit(void **state)
{
    struct store *st = two_messages();
    struct store_status status;
    struct err e;
    free(talk(st, S("RETR 1\r\n"), 0));
    assert_int_equal(store_status(st, S("INBOX"), &status, &e), RC_OK);
    assert_int_equal(status.unseen, 2);
    free(talk(st, S("RETR 1\r\nQUIT\r\n"), 0));
    assert_int_equal(store_status(st, S("INBOX"), &status, &e), RC_OK);
    assert_int_equal(status.unseen, 1);
    store_close(st);
}

static void store_that_fails_is_told(void **state)
{
    struct store *st = two_messages();
    mem_store_fail(st, RC_TEMP);
    char *got = talk(st, S("STAT\r\n"), 1);
    assert_true(str_starts(str_c(got), S("-ERR [SYS/TEMP] ")));
    free(got);
    store_close(st);
}

static void pipelined_commands_are_answered_in_order(void **state)
{
    struct store *st = two_messages();
    struct buf in = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);
    for (int i = 0; i < 300; i++) {
        buf_puts(&in, i % 3 ? S("NOOP\r\n") : S("LIST 2\r\n"));
        buf_puts(&want, i % 3 ? S("+OK\r\n") : S("+OK 2 18\r\n"));
    }
    expect(st, buf_cstr(&in), buf_cstr(&want));
    buf_deinit(&in);
    buf_deinit(&want);
    store_close(st);
}

static void rubbish_ends_the_session(void **state)
{
    struct store *st = two_messages();
    struct buf in = BUF_INIT(1 << 20);
    for (int i = 0; i < 40; i++)
        buf_puts(&in, S("XYZZY\r\n"));
    char *got = talk(st, buf_str(&in), 0);
    assert_true(str_ends(str_c(got), S("-ERR Too many invalid commands.\r\n")));
    free(got);
    buf_reset(&in);
    while (in.n < 20000)
        buf_puts(&in, S("xxxxxxxxxx"));
    buf_puts(&in, S("\r\nNOOP\r\n"));
    expect(st, buf_cstr(&in), "-ERR The line is too long.\r\n+OK\r\n");
    buf_deinit(&in);
    store_close(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_answer),
        cmocka_unit_test(uidl_is_one_word_per_message),
        cmocka_unit_test(only_quit_deletes),
        cmocka_unit_test(retrieved_messages_are_seen_after_quit),
        cmocka_unit_test(store_that_fails_is_told),
        cmocka_unit_test(pipelined_commands_are_answered_in_order),
        cmocka_unit_test(rubbish_ends_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
