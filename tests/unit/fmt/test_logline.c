/* fmt/logline: the lines that malle writes, in all three forms of the beginning, and what they tell. */
#include "fmt/logline.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ID "0VTX2K1B3C4Z1SLB"

static void expect(str have, const char *want)
{
    if (!str_eq(have, str_c(want)))
        fail_msg("\"" STR_FMT "\" instead of \"%s\"", STR_ARG(have), want);
}

static void beginnings(void **state)
{
    static const struct {
        const char *line, *role, *id, *text;
        int64_t seconds; /* 0: no date, but 27 November (or 7) 01:15:33 */
        int day;
    } rows[] = {
        {"Nov 27 01:15:33 mail.example malle/smtp[12]: " ID ": removed\n", "smtp", ID, "removed", 0, 27},
        {"Nov  7 01:15:33 mail malle/queue[12]: NOQUEUE: reject: x", "queue", "NOQUEUE", "reject: x", 0, 7},
        {"Nov 27 01:15:33 mail malle/smtpd[12]: connect from a[192.0.2.1]", "smtpd", "",
         "connect from a[192.0.2.1]", 0, 27},
        {"2026-11-27T01:15:33.123456+01:00 mail malle/smtp[1]: " ID ": removed", "smtp", ID, "removed",
         1795738533, 0},
        {"{\"time\":\"2026-11-27T00:15:33.770354Z\",\"level\":\"info\",\"tag\":\"malle/"
         "smtpd\",\"pid\":22841,\"text\":\"" ID ": say \\\"a\\\\b\\\"\"}\n",
         "smtpd", ID, "say \"a\\b\"", 1795738533, 0},
        {"Nov 27 01:15:33 h malle/master[1]: warning: x: y", "master", "", "x: y", 0, 27},
        {"Nov 27 01:15:33 h postfix/submission/smtpd[1]: warning: " ID ": y", "smtpd", ID, "y", 0, 27},
        {"Nov 27 01:15:33 h dovecot: imap-login: Login: user=<a>", "dovecot", "",
         "imap-login: Login: user=<a>", 0, 27},
        {"Nov 27 01:15:33 h dovecot: auth: Error: a: b", "dovecot", "", "a: b", 0, 27},
    };
    AUTO(buf_deinit) struct buf room = BUF_INIT(1000);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct logline l;
        assert_int_equal(logline_parse(str_c(rows[i].line), &room, &l), RC_OK);
        expect(l.role, rows[i].role);
        expect(l.id, rows[i].id);
        expect(l.text, rows[i].text);
        assert_int_equal(l.has_date, rows[i].seconds != 0);
        if (l.has_date) {
            assert_int_equal(l.date.seconds, rows[i].seconds);
            continue;
        }
        assert_int_equal(l.clock.month, 10);
        assert_int_equal(l.clock.day, rows[i].day);
        assert_int_equal(l.clock.hour * 10000 + l.clock.minute * 100 + l.clock.second, 11533);
    }
}

static void levels(void **state)
{
    static const struct {
        const char *line, *level, *prefix;
    } rows[] = {
        {"Nov 27 01:15:33 h malle/queue[1]: " ID ": removed", "Info", ""},
        {"Nov 27 01:15:33 h malle/queue[1]: Warning: x", "Info", ""},
        {"Nov 27 01:15:33 h postfix/qmgr[1]: warning: x", "Warning", ""},
        {"Nov 27 01:15:33 h malle/queue[1]: error: x", "Error", ""},
        {"Nov 27 01:15:33 h postfix/postsuper[1]: fatal: x", "Fatal", ""},
        {"Nov 27 01:15:33 h postfix/postsuper[1]: panic: x", "Panic", ""},
        {"Nov 27 01:15:33 h dovecot: warning: x", "Info", ""},
        {"Nov 27 01:15:33 h dovecot: imap(a)<1><b>: Warning: x", "Warning", "imap(a)<1><b>"},
        {"Nov 27 01:15:33 h dovecot: auth: x: Error: y", "Info", ""},
        {"{\"time\":\"2026-11-27T00:15:33.770354Z\",\"level\":\"warn\",\"tag\":\"malle/"
         "smtpd\",\"pid\":1,\"text\":\"x\"}\n",
         "Warning", ""},
    };
    AUTO(buf_deinit) struct buf room = BUF_INIT(1000);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct logline l;
        assert_int_equal(logline_parse(str_c(rows[i].line), &room, &l), RC_OK);
        assert_string_equal(logline_level_name(l.level), rows[i].level);
        expect(l.prefix, rows[i].prefix);
    }
}

static void no_lines_of_ours(void **state)
{
    static const char *const rows[] = {
        "",
        "\n",
        "malle: ready",
        "Nov 27 01:15:33 mail cron[12]: " ID ": removed",
        "Nov 27 01:15:33 mail /smtp[12]: " ID ": removed",
        "Nov 27 01:15:33 mail malle/[12]: x",
        "Nov 27 01:15:33 mail malle/smtp: x",
        "Nov 27 25:15:33 m malle/smtp[1]: x",
        "ovN 27 01:15:33 m malle/smtp[1]: x",
        "Nov 0 01:15:33 m malle/smtp[1]: x",
        "Nov 27 01:15 m malle/smtp[1]: x",
        "2026-13-27T01:15:33Z m malle/smtp[1]: x",
        "{}",
        "{\"time\":\"\"}",
        "{\"time\":\"x\",\"level\":\"info\",\"tag\":\"malle/smtpd\",\"pid\":1,\"text\":\"a\"}",
    };
    AUTO(buf_deinit) struct buf room = BUF_INIT(1000);
    struct logline l;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (logline_parse(str_c(rows[i]), &room, &l) != RC_INVALID)
            fail_msg("\"%s\" was taken", rows[i]);
}

static struct logline_facts facts(const char *text)
{
    struct logline l = {.id = S(ID), .text = str_c(text)};
    struct logline_facts f;
    logline_read(&l, &f);
    return f;
}

static void arrival(void **state)
{
    struct logline_facts f =
        facts("client=mx.example[192.0.2.1], sasl_method=PLAIN, sasl_username=joe@example.org");
    assert_int_equal(f.event, LOGLINE_CLIENT);
    expect(f.client, "mx.example[192.0.2.1]");
    expect(f.method, "PLAIN");
    expect(f.account, "joe@example.org");
    expect(f.uid, "");
    f = facts("uid=1000 from=<joe@example.org>");
    assert_int_equal(f.event, LOGLINE_CLIENT);
    expect(f.sender, "joe@example.org");
    expect(f.uid, "1000");
    f = facts("message-id=<a b@c>");
    assert_int_equal(f.event, LOGLINE_MESSAGE_ID);
    expect(f.message_id, "<a b@c>");
    f = facts("from=<>, size=168, nrcpt=4 (queue active)");
    assert_int_equal(f.event, LOGLINE_RECEIVED);
    expect(f.sender, "");
    expect(f.size, "168");
    expect(f.recipients, "4");
    assert_int_equal(facts("from=<a@b>, status=expired, returned to sender").event, LOGLINE_EXPIRED);
}

static void deliveries(void **state)
{
    struct logline_facts f = facts("to=<a b@c>, orig_to=<d@e>, relay=mx.example[192.0.2.1]:25, delay=1.7, "
                                   "delays=1.6/0/0/0.05, dsn=4.2.1, "
                                   "status=deferred (host mx.example[192.0.2.1]:25 said: 450 4.2.1 busy, "
                                   "status=sent (x) to=<y> (in reply to RCPT TO command))");
    str host, words;
    assert_int_equal(f.event, LOGLINE_DELIVERY);
    expect(f.recipient, "a b@c");
    expect(f.original, "d@e");
    expect(f.relay, "mx.example[192.0.2.1]:25");
    expect(f.delay, "1.7");
    expect(f.dsn, "4.2.1");
    expect(f.status, "deferred");
    assert_true(logline_said(f.reply, &host, &words));
    expect(host, "mx.example[192.0.2.1]:25");
    expect(words, "450 4.2.1 busy, status=sent (x) to=<y>");
    f = facts("to=<a@b>, relay=local, delay=0.02, dsn=2.0.0, status=sent (delivered to maildir)");
    expect(f.original, "");
    expect(f.reply, "delivered to maildir");
    assert_false(logline_said(f.reply, &host, &words));
    f = facts("saved to INBOX of joe@example.org");
    assert_int_equal(f.event, LOGLINE_SAVED);
    expect(f.mailbox, "INBOX");
    expect(f.account, "joe@example.org");
}

static void ends(void **state)
{
    struct logline_facts f = facts("sender non-delivery notification: 4jbFpb2s77z1xx0C");
    assert_int_equal(f.event, LOGLINE_NOTIFICATION);
    expect(f.other, "4jbFpb2s77z1xx0C");
    assert_int_equal(facts("sender hangs up").event, LOGLINE_OTHER);
    assert_int_equal(facts("removed").event, LOGLINE_REMOVED);
    f = facts("reject: RCPT from a[192.0.2.1]: 550 5.1.1 <x; from=<y>: no; from=<s@t> to=<r@s> proto=ESMTP "
              "helo=<h>");
    assert_int_equal(f.event, LOGLINE_REJECT);
    expect(f.stage, "RCPT");
    expect(f.client, "a[192.0.2.1]");
    expect(f.reply, "550 5.1.1 <x; from=<y>: no");
    expect(f.sender, "s@t");
    expect(f.recipient, "r@s");
    expect(f.protocol, "ESMTP");
    expect(f.helo, "h");
    f = facts("something else");
    assert_int_equal(f.event, LOGLINE_OTHER);
    expect(f.reply, "something else");
    assert_string_equal(logline_event_name(LOGLINE_REJECT), "rejected");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(beginnings),       cmocka_unit_test(levels),
                                       cmocka_unit_test(no_lines_of_ours), cmocka_unit_test(arrival),
                                       cmocka_unit_test(deliveries),       cmocka_unit_test(ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
