/* mail_log: events and fields by their names, and lines as Dovecot's plugin makes them. */
#include "fmt/mail_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void words(void **state)
{
    struct mail_log_terms t;
    str unknown;
    mail_log_parse(S("delete, expunge\tflag_change"), S(" uid box,msgid "), &t, &unknown);
    assert_int_equal(t.events, MAIL_LOG_DELETE | MAIL_LOG_EXPUNGE | MAIL_LOG_FLAG_CHANGE);
    assert_int_equal(t.fields, MAIL_LOG_UID | MAIL_LOG_BOX | MAIL_LOG_MSGID);
    assert_null(unknown.p);
    mail_log_parse(S("append save other"), S("size date"), &t, &unknown);
    assert_int_equal(t.events, MAIL_LOG_SAVE);
    assert_int_equal(t.fields, MAIL_LOG_SIZE);
    assert_true(str_eq(unknown, S("append")));
    mail_log_parse(S(""), S(""), &t, NULL);
    assert_int_equal(t.events | t.fields, 0);
}

static const char *put(unsigned fields, const struct mail_log_message *m)
{
    static char text[1000];
    AUTO(buf_deinit) struct buf out = BUF_INIT(sizeof text);
    buf_puts(&out, S("x: "));
    mail_log_put(fields, S("INBOX"), m, &out);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    return text;
}

static void lines(void **state)
{
    const unsigned all = 255;
    struct mail_log_message m = {.uid = 7,
                                 .msgid = S(" <1@c.example>\n"),
                                 .from = S(" \"Carl, x\" <c@c.example>\r\n"),
                                 .subject = S(" =?utf-8?q?K=C3=B6ln?=\r\n"),
                                 .size = 98,
                                 .vsize = 103,
                                 .flags = S("\\Seen $work")};
    assert_string_equal(put(all, &m),
                        "x: box=INBOX, uid=7, msgid=<1@c.example>, size=98, vsize=103, "
                        "from=\"Carl, x\" <c@c.example>, subject=K\xc3\xb6ln, flags=(\\Seen $work)");
    assert_string_equal(put(MAIL_LOG_SIZE | MAIL_LOG_MSGID, &m), "x: msgid=<1@c.example>, size=98");
    m = (struct mail_log_message){.msgid = S("<a\n b>"), .from = S(""), .subject = S(""), .flags = S("")};
    assert_string_equal(put(all, &m),
                        "x: box=INBOX, msgid=<a? b>, size=0, vsize=0, from=, subject=, flags=()");
}

static void long_texts(void **state)
{
    struct mail_log_message m = {
        .subject = S("12345678901234567890123456789012345678901234567890123456789012345678901234567890")};
    assert_int_equal(strlen(put(MAIL_LOG_SUBJECT, &m)), strlen("x: subject=") + 80);
    m.subject =
        S("1234567890123456789012345678901234567890123456789012345678901234567890123456789\xc3\xa9\xc3\xa9");
    assert_true(str_ends(str_c(put(MAIL_LOG_SUBJECT, &m)), S("567...")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(words), cmocka_unit_test(lines),
                                       cmocka_unit_test(long_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
