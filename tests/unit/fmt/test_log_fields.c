/* log_fields and log_delivery: texts for the log with the variables of each kind, as Dovecot 2.3 makes them.
 */
#include "fmt/log_delivery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *put(enum log_fields_kind kind, const char *format, enum rc expected)
{
    static char text[2000];
    struct log_value values[LOG_IMAP_FIELDS + LOG_POP3_FIELDS];
    AUTO(buf_deinit) struct buf out = BUF_INIT(sizeof text);
    struct log_fields f = {.kind = kind, .values = values};
    struct err e = {0};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        values[i] = (struct log_value){.number = 10 + i};
    log_fields_name(&f, S("joe@malle.test"));
    f.users[LOG_SESSION] = S("a/+b");
    f.users[LOG_RIP] = S("192.0.2.1");
    buf_putc(&out, '>');
    assert_int_equal(log_fields_put(&f, str_c(format), &out, &e), expected);
    assert_int_equal(e.rc, expected);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    return text;
}

static void imap(void **state)
{
    assert_string_equal(put(LOG_FIELDS_IMAP,
                            "in=%i out=%o deleted=%{deleted} expunged=%{expunged} trashed=%{trashed} "
                            "hdr_count=%{fetch_hdr_count} hdr_bytes=%{fetch_hdr_bytes} "
                            "body_count=%{fetch_body_count} body_bytes=%{fetch_body_bytes}",
                            RC_OK),
                        ">in=10 out=11 deleted=16 expunged=17 trashed=18 hdr_count=12 hdr_bytes=13 "
                        "body_count=14 body_bytes=15");
    assert_string_equal(put(LOG_FIELDS_IMAP, "%u %n %Ud %r %{session} %{appended} %{input} 100%%", RC_OK),
                        ">joe@malle.test joe MALLE.TEST 192.0.2.1 a/+b 19 10 100%");
}

static void pop3(void **state)
{
    assert_string_equal(put(LOG_FIELDS_POP3, "top=%t/%p, retr=%r/%b, del=%d/%m, size=%s", RC_OK),
                        ">top=12/13, retr=14/15, del=16/18, size=19");
    assert_string_equal(put(LOG_FIELDS_POP3, "%i %o %{deleted_bytes} %u", RC_OK), ">10 11 17 joe@malle.test");
}

static void unknown(void **state)
{
    assert_string_equal(put(LOG_FIELDS_IMAP, "x%t", RC_GONE), ">");
    assert_string_equal(put(LOG_FIELDS_POP3, "%{nosuch}", RC_GONE), ">");
    assert_string_equal(put(LOG_FIELDS_DELIVER, "%u", RC_GONE), ">");
    assert_string_equal(put(LOG_FIELDS_DELIVER, "%{if;a;eq;b;c;d}", RC_PERM), ">");
    assert_string_equal(put(LOG_FIELDS_IMAP, "%", RC_INVALID), ">");
}

static void without_values(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(100);
    const struct log_fields f = {.kind = LOG_FIELDS_IMAP};
    struct err e = {0};
    assert_int_equal(log_fields_put(&f, S("in=%i u=%u"), &out, &e), RC_OK);
    assert_string_equal(buf_cstr(&out), "in= u=");
}

static const char *deliver(const char *message, const char *format)
{
    static char text[LOG_DELIVERY_MAX];
    AUTO(buf_deinit) struct buf out = BUF_INIT(sizeof text);
    struct headscan head;
    struct err e = {0};
    headscan_init(&head);
    for (const char *p = message; *p; p++) /* at every byte */
        headscan_feed(&head, str_mem(p, 1));
    const struct log_delivery d = {.head = &head,
                                   .message = S("saved mail to INBOX"),
                                   .sender = S("s@x.example"),
                                   .recipient = S("r@x.example"),
                                   .bytes = 1,
                                   .crlf_bytes = 2,
                                   .delivery_ms = 3,
                                   .session_ms = 4};
    assert_int_equal(log_delivery_put(&d, str_c(format), &out, &e), RC_OK);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    return text;
}

static void deliveries(void **state)
{
    const char *full =
        "Message-ID: <a@b>\r\nSubject: =?utf-8?q?K=C3=B6ln?=\r\n  two\r\nFrom: Joe <joe@x.example>,\n"
        " other@x.example\nSubject: second\n\nSubject: body\n";
    assert_string_equal(deliver(full, "msgid=%m: %$"), "msgid=<a@b>: saved mail to INBOX");
    assert_string_equal(deliver(full, "%{message} s=%s f=%f"),
                        "saved mail to INBOX s=K\xc3\xb6ln  two f=joe@x.example");
    assert_string_equal(deliver(full, "%e %{to_envelope} %p %w %{delivery_time} %{session_time}"),
                        "s@x.example r@x.example 1 2 3 4");
    assert_string_equal(deliver("\nbody\n", "msgid=%m s=%s f=%f."), "msgid=unspecified s= f=.");
    assert_string_equal(deliver("From: group: a@b;\n\n", "%f"), "a@b");
    assert_string_equal(deliver("From: \n\n", "%f."), ".");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imap),           cmocka_unit_test(pop3),       cmocka_unit_test(unknown),
        cmocka_unit_test(without_values), cmocka_unit_test(deliveries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
