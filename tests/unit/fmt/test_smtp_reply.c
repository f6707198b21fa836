/* fmt/smtp_reply: replies of RFC 5321 and RFC 2034, split at every byte; what is no reply; limits. */
#include "fmt/smtp_reply.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Feeds in two pieces; returns the last event, and how much of input was taken. */
static enum smtp_reply_event feed_split(struct smtp_reply *r, str input, size_t split, size_t *ret_taken,
                                        enum rc *ret_rc)
{
    enum smtp_reply_event event = SMTP_REPLY_MORE;
    size_t at = 0;
    memset(r, 0, sizeof *r);
    while (at < input.n && (event == SMTP_REPLY_MORE || event == SMTP_REPLY_LINE)) {
        size_t taken = 0, n = at < split ? split - at : input.n - at;
        event = smtp_reply_feed(r, str_sub(input, at, n), &taken, ret_rc);
        assert_true(taken > 0 && taken <= n);
        at += taken;
    }
    *ret_taken = at;
    return event;
}

struct reply_case {
    str input;
    int code;
    const char *enhanced, *said;
    unsigned lines;
    size_t rest; /* bytes that belong to the next reply */
};

static void check(const struct reply_case *c)
{
    for (size_t split = 0; split <= c->input.n; split++) {
        static struct smtp_reply r;
        size_t taken;
        enum rc rc = RC_OK;
        assert_int_equal(feed_split(&r, c->input, split, &taken, &rc), SMTP_REPLY_DONE);
        assert_int_equal(r.code, c->code);
        assert_string_equal(r.enhanced, c->enhanced);
        assert_int_equal(r.lines, c->lines);
        assert_int_equal(taken, c->input.n - c->rest);
        assert_int_equal(r.said_n, strlen(c->said));
        assert_memory_equal(r.said, c->said, r.said_n);
    }
}

static void replies_are_read(void **state)
{
    static const struct reply_case cases[] = {
        {S("250 OK\r\n"), 250, "", "250 OK", 1, 0},
        {S("220 xyz.com Simple Mail Transfer Service Ready\r\n"), 220, "",
         "220 xyz.com Simple Mail Transfer Service Ready", 1, 0},
        {S("250\r\n"), 250, "", "250", 1, 0},
        {S("250 \r\n"), 250, "", "250 ", 1, 0},
        {S("354 go\n"), 354, "", "354 go", 1, 0},
        {S("250-foo.com greets bar.com\r\n250-8BITMIME\r\n250 HELP\r\n"), 250, "",
         "250-foo.com greets bar.com 250-8BITMIME 250 HELP", 3, 0},
        /* RFC 2034 §5 */
        {S("550-5.1.1 Mailbox \"nosuchuser\" does not exist\r\n550 5.1.1 sorry\r\n250 next\r\n"), 550,
         "5.1.1", "550-5.1.1 Mailbox \"nosuchuser\" does not exist 550 5.1.1 sorry", 2, 10},
        {S("550-5.1.1 first\r\n550 no code here\r\n"), 550, "5.1.1", "550-5.1.1 first 550 no code here", 2,
         0},
        {S("451 4.7.1\r\n"), 451, "4.7.1", "451 4.7.1", 1, 0},
        {S("250 2.1.5 ok\r\n"), 250, "2.1.5", "250 2.1.5 ok", 1, 0},
        {S("550 4.1.1 another class\r\n"), 550, "", "550 4.1.1 another class", 1, 0},
        {S("550 5.1.1, sorry\r\n"), 550, "", "550 5.1.1, sorry", 1, 0},
        {S("550 5.1234.1 x\r\n"), 550, "", "550 5.1234.1 x", 1, 0},
        {S("550 5.123.456 x\r\n"), 550, "5.123.456", "550 5.123.456 x", 1, 0},
        {S("550 5..1 x\r\n"), 550, "", "550 5..1 x", 1, 0},
        {S("220 192.0.2.1 ready\r\n"), 220, "", "220 192.0.2.1 ready", 1, 0},
        /* codes that differ: the last one counts */
        {S("250-ok\r\n450 no\r\n"), 450, "", "250-ok 450 no", 2, 0},
        /* what people must not see raw */
        {S("550 a\x1b[31m\x7f\r b\r\n"), 550, "", "550 a?[31m?? b", 1, 0},
        {S("550 caf\xc3\xa9 \xff \xc2\x85\r\n"), 550, "", "550 caf\xc3\xa9 ? ??", 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
}

static void garbage_is_no_reply(void **state)
{
    static const str cases[] = {
        S("\r\n"),
        S("25\r\n"),
        S("hello\r\n"),
        S("250OK\r\n"),
        S("150 no\r\n"),
        S("650 no\r\n"),
        S(" 250 OK\r\n"),
        S("2500 OK\r\n"),
        S("250-a\r\nb\r\n"),
        S("SSH-2.0-x\r\n"),
        S("+OK POP3\r\n"),
        {"2\0"
         "50 x\r\n",
         9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t split = 0; split <= cases[i].n; split++) {
            static struct smtp_reply r;
            size_t taken;
            enum rc rc = RC_OK;
            assert_int_equal(feed_split(&r, cases[i], split, &taken, &rc), SMTP_REPLY_BAD);
            assert_int_equal(rc, RC_INVALID);
        }
    static struct smtp_reply r;
    size_t taken;
    enum rc rc = RC_OK;
    (void)feed_split(&r, S("250-a\r\nwhat is this\r\n"), 3, &taken, &rc);
    assert_true(str_eq(str_mem(r.said, r.said_n), S("250-a what is this")));
}

static void each_line_is_shown(void **state)
{
    static struct smtp_reply r;
    enum rc rc = RC_OK;
    str in = S("250-one two\r\n250-\r\n250 three\r\n");
    static const char *texts[] = {"one two", "", "three"};
    for (size_t i = 0; i < 3; i++) {
        size_t taken = 0;
        enum smtp_reply_event event = smtp_reply_feed(&r, in, &taken, &rc);
        assert_int_equal(event, i < 2 ? SMTP_REPLY_LINE : SMTP_REPLY_DONE);
        assert_true(str_eq(r.text, str_c(texts[i])));
        in = str_from(in, taken);
    }
    assert_int_equal(in.n, 0);
}

static bool shout(void *ctx, char *line, size_t *n)
{
    *n -= *n > 4;
    line[0] = line[0] == '2' ? '4' : line[0];
    return *(bool *)ctx;
}

static void lines_are_filtered(void **state)
{
    bool says = true;
    struct smtp_reply r = {.filter = shout, .filter_ctx = &says};
    enum rc rc = RC_OK;
    size_t taken = 0;
    assert_int_equal(smtp_reply_feed(&r, S("250-one\r\n"), &taken, &rc), SMTP_REPLY_LINE);
    assert_true(str_eq(r.text, S("on")) && r.code == 450);
    assert_int_equal(smtp_reply_feed(&r, S("250 two\r\n"), &taken, &rc), SMTP_REPLY_DONE);
    assert_true(str_eq(str_mem(r.said, r.said_n), S("450-on 450 tw")));
    says = false;
    assert_int_equal(smtp_reply_feed(&r, S("250 two\r\n"), &taken, &rc), SMTP_REPLY_BAD);
    assert_int_equal(rc, RC_INVALID);
}

static void sizes_have_limits(void **state)
{
    static struct smtp_reply r;
    static char long_line[SMTP_REPLY_LINE_MAX * 2];
    size_t taken;
    enum rc rc = RC_OK;
    memset(long_line, 'x', sizeof long_line);
    memcpy(long_line, "550 5.7.1 ", 10);
    long_line[sizeof long_line - 1] = '\n';
    assert_int_equal(feed_split(&r, str_mem(long_line, sizeof long_line), 100, &taken, &rc), SMTP_REPLY_DONE);
    assert_int_equal(r.code, 550);
    assert_string_equal(r.enhanced, "5.7.1");
    assert_int_equal(r.said_n, SMTP_REPLY_SAID_MAX);

    enum smtp_reply_event event = SMTP_REPLY_LINE;
    unsigned lines = 0;
    memset(&r, 0, sizeof r);
    while (event == SMTP_REPLY_LINE && lines < 100000) {
        event = smtp_reply_feed(&r, S("250-x\r\n"), &taken, &rc);
        lines++;
    }
    assert_int_equal(event, SMTP_REPLY_BAD);
    assert_int_equal(rc, RC_LIMIT);
    assert_int_equal(lines, SMTP_REPLY_LINES_MAX + 1);

    memset(&r, 0, sizeof r);
    event = SMTP_REPLY_MORE;
    size_t bytes = 0;
    while (event == SMTP_REPLY_MORE && bytes < 10000000) {
        event = smtp_reply_feed(&r, S("250 xxxxxxxxxxxxxxxxxx"), &taken, &rc);
        bytes += taken;
    }
    assert_int_equal(event, SMTP_REPLY_BAD);
    assert_int_equal(rc, RC_LIMIT);
    assert_true(bytes <= SMTP_REPLY_BYTES_MAX + 22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_read),   cmocka_unit_test(garbage_is_no_reply),
        cmocka_unit_test(each_line_is_shown), cmocka_unit_test(lines_are_filtered),
        cmocka_unit_test(sizes_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
