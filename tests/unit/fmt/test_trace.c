/* What a server writes about a message and reads of its header: received, queue_id, headscan. */
#include "fmt/headscan.h"
#include "fmt/queue_id.h"
#include "fmt/received.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void received_lines(void **state)
{
    struct received r = {
        .helo = S("[192.0.2.7]"),
        .name = S("unknown"),
        .address = S("192.0.2.7"),
        .by = S("mx.example.org"),
        .with = S("ESMTP"),
        .id = S("4bXkQ12zYzXw"),
        .recipient = S("a@example.org"),
        .date = {.seconds = 1795424400, .zone_minutes = 60},
    };
    struct buf b = BUF_INIT(4096);
    received_put(&b, &r);
    assert_string_equal(buf_cstr(&b), "Received: from [192.0.2.7] (unknown [192.0.2.7])\n"
                                      "\tby mx.example.org (malle) with ESMTP id 4bXkQ12zYzXw\n"
                                      "\tfor <a@example.org>; Mon, 23 Nov 2026 10:00:00 +0100\n");
    r.helo = S("evil) with\r\nX: \"(");
    r.address = S("2001:db8::1");
    r.recipient = STR_NONE;
    r.tls_version = S("TLSv1.3");
    r.tls_cipher = S("TLS_AES_256_GCM_SHA384");
    r.tls_bits = r.tls_alg_bits = 256;
    buf_reset(&b);
    received_put(&b, &r);
    assert_string_equal(buf_cstr(&b), "Received: from evil??with??X:??? (unknown [IPv6:2001:db8::1])\n"
                                      "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n"
                                      "\tby mx.example.org (malle) with ESMTP id 4bXkQ12zYzXw;\n"
                                      "\tMon, 23 Nov 2026 10:00:00 +0100\n");
    r.local_user = S("joe)\n");
    r.local_uid = 1000;
    r.recipient = S("a@example.org");
    buf_reset(&b);
    received_put(&b, &r);
    assert_string_equal(buf_cstr(&b), "Received: by mx.example.org (malle, from user joe??, uid 1000)\n"
                                      "\tid 4bXkQ12zYzXw\n"
                                      "\tfor <a@example.org>; Mon, 23 Nov 2026 10:00:00 +0100\n");
    buf_reset(&b);
    received_put_return_path(&b, STR_NONE);
    received_put_return_path(&b, S("a@b"));
    received_put_delivered_to(&b, S("c@d"));
    assert_string_equal(buf_cstr(&b), "Return-Path: <>\nReturn-Path: <a@b>\nDelivered-To: c@d\n");
    buf_deinit(&b);
}

/* RFC 3848, RFC 6531 §4.3 */
static void with_keywords(void **state)
{
    static const struct {
        struct received_with with; /* lmtp, extended, tls, authenticated, utf8 */
        const char *want;
    } rows[] = {
        {{false, false, false, false, false}, "SMTP"},   {{false, true, false, false, false}, "ESMTP"},
        {{false, true, true, false, false}, "ESMTPS"},   {{false, true, false, true, false}, "ESMTPA"},
        {{false, true, true, true, false}, "ESMTPSA"},   {{true, true, false, false, false}, "LMTP"},
        {{true, true, true, true, false}, "LMTPSA"},     {{false, true, false, false, true}, "UTF8SMTP"},
        {{false, true, true, true, true}, "UTF8SMTPSA"}, {{true, true, true, false, true}, "UTF8LMTPS"},
        {{false, false, true, false, false}, "SMTP"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(str_eq(received_with_keyword(rows[i].with), str_c(rows[i].want)));
}

static void ids(void **state)
{
    char a[QUEUE_ID_SIZE], b[QUEUE_ID_SIZE];
    assert_true(str_eq(queue_id_format(0, 0, a), S("00000000000Z0")));
    assert_true(str_eq(queue_id_format(31 * 31 + 30, 30, a), S("0000000010ZZ10")));
    usec at = (usec)1795424400 * 1000000;
    for (int i = 0; i < 200; i++, at += 333333) {
        (void)queue_id_format(at, UINT32_MAX, a);
        (void)queue_id_format(at + 1, 0, b);
        assert_true(strcmp(a, b) < 0);
        assert_true(queue_id_valid(str_c(a)) && queue_id_valid(str_c(b)));
    }
    static const char *const others[] = {"",
                                         "NOQUEUE",
                                         "00000000000Z",
                                         "0000000000Z0",
                                         "00000A00000Z0",
                                         "00000000000z0",
                                         "000000000000Z0",
                                         "00000000000Z000000000000"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(queue_id_valid(str_c(others[i])));
}

static void header_facts(void **state)
{
    static const struct {
        str text;
        unsigned received, delivered_to;
        uint64_t fields;
        bool date, id, from;
        const char *message_id;
    } rows[] = {
        {S("From: a\nDate: b\nMessage-ID: <c@d>\n\nReceived: x\n"), 0, 0, 3, true, true, true, "<c@d>"},
        {S("Received: a\n\tb\nreceived : c\nRECEIVED:\nDelivered-To: e\nReceived-SPF: f\n\n"), 3, 1, 5, false,
         false, false, ""},
        {S("Message-Id:\n <a@\n\tb>\nMessage-ID: <2>\n\n"), 0, 0, 2, false, true, false, "<a@b>"},
        {S("no header at all\nReceived: x\n"), 0, 0, 0, false, false, false, ""},
        {S(" folded first\nReceived: x\n"), 0, 0, 0, false, false, false, ""},
        {S("\nReceived: x\n"), 0, 0, 0, false, false, false, ""},
        {S(": x\n"), 0, 0, 0, false, false, false, ""},
        {S("Received: x"), 1, 0, 1, false, false, false, ""},
        {S(""), 0, 0, 0, false, false, false, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t cut = 0; cut <= rows[i].text.n; cut++) {
            struct headscan h;
            headscan_init(&h);
            headscan_feed(&h, str_sub(rows[i].text, 0, cut));
            headscan_feed(&h, str_from(rows[i].text, cut));
            assert_int_equal(h.received, rows[i].received);
            assert_int_equal(h.delivered_to, rows[i].delivered_to);
            assert_int_equal(h.fields, rows[i].fields);
            assert_int_equal(h.has_date, rows[i].date);
            assert_int_equal(h.has_message_id, rows[i].id);
            assert_int_equal(h.has_from, rows[i].from);
            assert_true(str_eq(str_mem(h.message_id, h.message_id_n), str_c(rows[i].message_id)));
        }
    }
}

/* RFC 8689 §3, RFC 6758 §3.1 and §4 */
static void header_wishes(void **state)
{
    static const struct {
        str text;
        bool no_tls;
        int priority; /* 99: none */
    } rows[] = {
        {S("TLS-Required: No\n"), true, 99},
        {S("tls-required:\n nO \n\n"), true, 99},
        {S("TLS-Required: Nope\n\n"), false, 99},
        {S("TLS-Required: N\n ope\n\n"), false, 99},
        {S("TLS-Required: Yes\nTLS-Required: No\n\n"), false, 99},
        {S("TLS-Required-X: No\nX: y\n\nTLS-Required: No\n"), false, 99},
        {S("MT-Priority: -3\n\n"), false, -3},
        {S("MT-Priority: 9 (very important, and so on)\nX: 1\n"), false, 9},
        {S("MT-Priority: 9\nMT-Priority: 1\n"), false, 99},
        {S("MT-Priority: 10\n\n"), false, 99},
        {S("MT-Priority: -0\nTLS-Required: No\n"), true, 99},
        {S("MT-Priority: x\n\n"), false, 99},
        {S("MT-Priority:\n\n"), false, 99},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t cut = 0; cut <= rows[i].text.n; cut++) {
            struct headscan h;
            headscan_init(&h);
            headscan_feed(&h, str_sub(rows[i].text, 0, cut));
            headscan_feed(&h, str_from(rows[i].text, cut));
            assert_int_equal(h.tls_required_no, rows[i].no_tls);
            assert_int_equal(h.priority_valid ? h.priority : 99, rows[i].priority);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(received_lines), cmocka_unit_test(with_keywords), cmocka_unit_test(ids),
        cmocka_unit_test(header_facts),   cmocka_unit_test(header_wishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
