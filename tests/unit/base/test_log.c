/* base/log: the three shapes, cutting, cleaning, levels, and whole lines from many threads. Datagram sockets
 * are the sinks, so that one receive sees exactly one write. */
#include "base/log.h"

#include "base/clock.h"
#include "base/str.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int sink[2]; /* read from 0, log to 1 */

static int set_up(void **state)
{
    setenv("TZ", "CET-1", 1);
    return socketpair(AF_UNIX, SOCK_DGRAM, 0, sink);
}

static int tear_down(void **state)
{
    close(sink[0]);
    close(sink[1]);
    return 0;
}

static size_t receive(char *line, size_t size)
{
    ssize_t n = recv(sink[0], line, size - 1, MSG_DONTWAIT);
    line[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* Puts the wall clock at 2026-11-03 09:05:07 UTC (10:05:07 in the zone of the test), at most 60 s later. */
static void set_time(void)
{
    clock_inject_offset(0);
    clock_inject_offset(1793696707000 - clock_wall() / 1000);
}

/* The line must be head, [this pid], tail; its seconds are not compared (the clock runs on). */
static void expect(const char *stamp, const char *head, const char *tail)
{
    char line[4096], rest[4096];
    receive(line, sizeof line);
    assert_memory_equal(line, stamp, strlen(stamp));
    snprintf(rest, sizeof rest, "%s[%d]: %s", head, (int)getpid(), tail);
    assert_string_equal(line + strlen(stamp) + 2, rest);
}

static void text_shape(void **state)
{
    set_time();
    log_init("malle/smtpd", "mx.example", sink[1], LOG_TEXT, LOG_LEVEL_INFO);
    assert_int_equal(log_fd(), sink[1]);
    log_info("4bXk: client=%s[%s]", "localhost", "127.0.0.1");
    expect("Nov  3 10:05:", " mx.example malle/smtpd", "4bXk: client=localhost[127.0.0.1]\n");
    log_warn("x");
    expect("Nov  3 10:05:", " mx.example malle/smtpd", "warning: x\n");
}

/* Dovecot names a process in the text, where it does. */
static void expect_dovecot(const char *tail)
{
    char line[4096];
    receive(line, sizeof line);
    assert_string_equal(strstr(line, " mx.example dovecot: "), tail);
}

static void names_of_roles(void **state)
{
    set_time();
    log_init(NULL, "mx.example", sink[1], LOG_TEXT, LOG_LEVEL_INFO);
    log_set_names(&(struct log_names){.first = "malle", .second = "imap", .prefix = "imap(joe): "});
    log_error("x");
    expect("Nov  3 10:05:", " mx.example malle/imap", "imap(joe): error: x\n");
    log_info_of(LOG_AS_QMGR, "removed");
    expect("Nov  3 10:05:", " mx.example malle/imap", "removed\n");
    log_info_of(LOG_AS_DOVECOT, "imap-login: Login");
    expect("Nov  3 10:05:", " mx.example malle/imap", "imap-login: Login\n");
    log_info_of(LOG_AS_MALLE, "saved");
    expect("Nov  3 10:05:", " mx.example malle/imap", "saved\n");
    log_thread_name("other");
    log_info_of(LOG_AS_QMGR, "x");
    expect("Nov  3 10:05:", " mx.example other/imap", "x\n");
    log_thread_name(NULL);
}

static void names_of_programs(void **state)
{
    char line[4096];
    set_time();
    log_init(NULL, "mx.example", sink[1], LOG_TEXT, LOG_LEVEL_INFO);
    log_set_names(&(struct log_names){.first = "postfix", .second = "smtpd", .programs = true});
    log_warn("x");
    expect("Nov  3 10:05:", " mx.example postfix/smtpd", "warning: x\n");
    log_thread_name("postfix/submission");
    log_error("x");
    expect("Nov  3 10:05:", " mx.example postfix/submission/smtpd", "error: x\n");
    log_info_of(LOG_AS_CLEANUP, "x");
    expect("Nov  3 10:05:", " mx.example postfix/cleanup", "x\n");
    log_warn_of(LOG_AS_LOCAL, "x");
    expect("Nov  3 10:05:", " mx.example postfix/local", "warning: x\n");
    log_thread_name(NULL);
    log_info_of(LOG_AS_DOVECOT, "lmtp(joe): x");
    expect_dovecot(" mx.example dovecot: lmtp(joe): x\n");
    log_info_of(LOG_AS_MALLE, "nobody's");
    assert_int_equal(receive(line, sizeof line), 0);
    log_set_names(
        &(struct log_names){.first = "postfix", .second = "", .prefix = "auth: ", .programs = true});
    log_info("x");
    expect_dovecot(" mx.example dovecot: auth: x\n");
    log_warn("x");
    expect_dovecot(" mx.example dovecot: auth: Warning: x\n");
    log_error("x");
    expect_dovecot(" mx.example dovecot: auth: Error: x\n");
}

static void syslog_shape(void **state)
{
    set_time();
    log_init("malle/smtpd", "mx.example", sink[1], LOG_SYSLOG, LOG_LEVEL_DEBUG);
    log_error("e");
    expect("<19>Nov  3 10:05:", " malle/smtpd", "error: e");
    log_warn("w");
    expect("<20>Nov  3 10:05:", " malle/smtpd", "warning: w");
    log_info("i");
    expect("<22>Nov  3 10:05:", " malle/smtpd", "i");
    log_debug("d");
    expect("<23>Nov  3 10:05:", " malle/smtpd", "d");
    log_set_facility(17);
    log_line(LOG_LEVEL_FATAL, "f");
    expect("<138>Nov  3 10:05:", " malle/smtpd", "fatal: f");
    log_set_facility(2);
}

static void json_shape(void **state)
{
    set_time();
    log_init("malle/imap", "mx.example", sink[1], LOG_JSON, LOG_LEVEL_INFO);
    log_warn("a \"b\" \\ \n \xc3\xa9 \xff");
    char line[4096], rest[200];
    receive(line, sizeof line);
    assert_memory_equal(line, "{\"time\":\"2026-11-03T09:05:", 26);
    snprintf(rest, sizeof rest,
             "Z\",\"level\":\"warn\",\"tag\":\"malle/imap\",\"pid\":%d,\"text\":\"a \\\"b\\\" \\\\ ? "
             "\xc3\xa9 ?\"}\n",
             (int)getpid());
    assert_string_equal(line + strlen("{\"time\":\"2026-11-03T09:05:07.123456"), rest);
}

static void control_bytes_become_question_marks(void **state)
{
    log_init("t", "h", sink[1], LOG_TEXT, LOG_LEVEL_INFO);
    log_info("a\r\nb\tc\x1b[31m\x7f d\xc2\x9b e\xc3\xa9 f\xc3 g\xed\xa0\x80");
    char line[4096];
    receive(line, sizeof line);
    assert_string_equal(strchr(line, ']') + 3, "a??b?c?[31m? d? e\xc3\xa9 f? g???\n");
}

static void long_lines_are_cut(void **state)
{
    static char text[5000];
    for (int shape = LOG_TEXT; shape <= LOG_JSON; shape++) {
        for (size_t shift = 0; shift < 4;
             shift++) { /* quotation marks and é fall on the cut at every offset */
            size_t n = shift;
            memset(text, 'x', sizeof text - 1);
            for (; n + 3 < sizeof text; n += 3)
                memcpy(text + n, "\"\xc3\xa9", 3);
            log_init("t", "h", sink[1], (enum log_shape)shape, LOG_LEVEL_INFO);
            log_info("%s", text);
            char line[6000];
            size_t size = receive(line, sizeof line);
            assert_in_range(size, 1900, 2000);
            str end = shape == LOG_TEXT ? S("\n") : shape == LOG_SYSLOG ? S("") : S("\"}\n");
            assert_true(str_ends(str_mem(line, size), end));
            assert_int_not_equal((unsigned char)line[size - 1 - end.n], 0xc3);
            if (shape == LOG_JSON) /* the last escape is whole */
                assert_true(line[size - 1 - end.n] != '\\');
        }
    }
}

static void levels_filter(void **state)
{
    char line[4096];
    log_init("t", "h", sink[1], LOG_TEXT, LOG_LEVEL_WARN);
    assert_false(log_debugging());
    log_info("no");
    log_debug("no");
    assert_int_equal(receive(line, sizeof line), 0);
    log_warn("yes");
    assert_true(receive(line, sizeof line) > 0);
    log_init("t", "h", sink[1], LOG_TEXT, LOG_LEVEL_DEBUG);
    assert_true(log_debugging());
    log_debug("yes");
    assert_true(receive(line, sizeof line) > 0);
}

static void errno_is_kept(void **state)
{
    log_init("t", "h", -1, LOG_TEXT, LOG_LEVEL_INFO);
    errno = ENOENT;
    log_info("nowhere");
    assert_int_equal(errno, ENOENT);
}

#define THREADS 4
#define LINES   200

static void *write_lines(void *arg)
{
    const char *letter = arg;
    for (int i = 0; i < LINES; i++) {
        log_set_names(&(struct log_names){.first = i % 2 ? "odd" : "even", .second = ""});
        log_info("%c%c%c%c", *letter, *letter, *letter, *letter);
    }
    return NULL;
}

static void threads_do_not_mix(void **state)
{
    static char letters[] = "abcd";
    pthread_t t[THREADS];
    int seen[THREADS] = {0}, ends[2];
    assert_int_equal(pipe(ends), 0); /* a datagram queue would hold ten lines only; 64 KiB hold them all */
    log_init("even", "h", ends[1], LOG_TEXT, LOG_LEVEL_INFO);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, write_lines, &letters[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    close(ends[1]);
    FILE *f = fdopen(ends[0], "r");
    assert_non_null(f);
    char line[200];
    while (fgets(line, sizeof line, f)) {
        const char *text = strstr(line, "]: ");
        assert_non_null(text);
        assert_true(strstr(line, " odd[") || strstr(line, " even["));
        char wanted[] = {text[3], text[3], text[3], text[3], '\n', '\0'};
        assert_string_equal(text + 3, wanted);
        seen[text[3] - 'a']++;
    }
    fclose(f);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(seen[i], LINES);
}

#define log_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        log_test(text_shape),         log_test(names_of_roles), log_test(names_of_programs),
        log_test(syslog_shape),       log_test(json_shape),     log_test(control_bytes_become_question_marks),
        log_test(long_lines_are_cut), log_test(levels_filter),  log_test(errno_is_kept),
        log_test(threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
