/* dsn and xtext: whole notifications as text, their parts as a reader of MIME finds them, and hostile words.
 */
#include "base/utf8.h"
#include "fmt/dsn.h"
#include "fmt/header.h"
#include "fmt/mime.h"
#include "fmt/xtext.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena *arena;

static const struct dsn_rcpt failed = {
    .recipient = S("louisl@larry.slip.umd.edu"),
    .orcpt_type = S("rfc822"),
    .orcpt = S("louisl@larry.slip.umd.edu"),
    .action = DSN_FAILED,
    .status = S("4.0.0"),
    .remote_mta = S("larry.slip.umd.edu"),
    .diagnostic = S("426 connection timed out"),
    .last_attempt = 773514589,
};

/* The first example of RFC 3464, Appendix E */
static const struct dsn example = {
    .hostname = S("cs.utk.edu"),
    .to = S("owner-info-mime@cs.utk.edu"),
    .id = S("4bXk1"),
    .message_id = S("<199407072116.RAA14128@CS.UTK.EDU>"),
    .envid = S("QQ 314"),
    .received_from = S("client.example"),
    .arrival = {773514000, 0},
    .now = {773514600, 0},
    .seed = S("0123456789abcdef"),
    .rcpts = &failed,
    .rcpt_count = 1,
    .content = DSN_CONTENT_HEADER,
};

#define MESSAGE "From: <a@cs.utk.edu>\nSubject: x\n\nbody\n"

static const char want[] = "From: Mail Delivery System <MAILER-DAEMON@cs.utk.edu>\n"
                           "To: <owner-info-mime@cs.utk.edu>\n"
                           "Subject: Undelivered Mail Returned to Sender\n"
                           "Date: Wed, 06 Jul 1994 17:10:00 +0000\n"
                           "Message-ID: <773514600.3031323334353637@cs.utk.edu>\n"
                           "References: <199407072116.RAA14128@CS.UTK.EDU>\n"
                           "Auto-Submitted: auto-replied\n"
                           "MIME-Version: 1.0\n"
                           "Content-Type: multipart/report; report-type=delivery-status;\n"
                           " boundary=\"=_30313233343536373839616263646566\"\n"
                           "\n"
                           "This is a delivery status notification in MIME format.\n"
                           "\n"
                           "--=_30313233343536373839616263646566\n"
                           "Content-Description: Notification\n"
                           "Content-Type: text/plain; charset=us-ascii\n"
                           "\n"
                           "This is the mail server cs.utk.edu.\n"
                           "\n"
                           "Your message could not be delivered to everybody it was sent to. Where it\n"
                           "says \"not delivered\" below, it will not be tried again.\n"
                           "\n"
                           "<louisl@larry.slip.umd.edu>:\n"
                           "  not delivered.\n"
                           "  The server larry.slip.umd.edu said:\n"
                           "      426 connection timed out\n"
                           "\n"
                           "The header of the message is attached.\n"
                           "If you need help, write to <postmaster@cs.utk.edu>\n"
                           "and name the message's number, 4bXk1.\n"
                           "\n"
                           "--=_30313233343536373839616263646566\n"
                           "Content-Description: Delivery report\n"
                           "Content-Type: message/delivery-status\n"
                           "\n"
                           "Original-Envelope-Id: QQ 314\n"
                           "Reporting-MTA: dns; cs.utk.edu\n"
                           "Received-From-MTA: dns; client.example\n"
                           "Arrival-Date: Wed, 06 Jul 1994 17:00:00 +0000\n"
                           "X-Malle-Queue-Id: 4bXk1\n"
                           "\n"
                           "Original-Recipient: rfc822; louisl@larry.slip.umd.edu\n"
                           "Final-Recipient: rfc822; louisl@larry.slip.umd.edu\n"
                           "Action: failed\n"
                           "Status: 4.0.0\n"
                           "Remote-MTA: dns; larry.slip.umd.edu\n"
                           "Diagnostic-Code: smtp; 426 connection timed out\n"
                           "Last-Attempt-Date: Wed, 06 Jul 1994 17:09:49 +0000\n"
                           "\n"
                           "--=_30313233343536373839616263646566\n"
                           "Content-Description: Header of the message\n"
                           "Content-Type: text/rfc822-headers\n"
                           "\n"
                           "From: <a@cs.utk.edu>\n"
                           "Subject: x\n"
                           "\n"
                           "--=_30313233343536373839616263646566--\n";

static void whole_text(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 16);
    dsn_put(&out, &example, S(MESSAGE));
    assert_string_equal(buf_cstr(&out), want);
}

/* The n-th part of a report, from 1. */
static const struct mime_part *part_of(const struct mime_part *root, uint32_t n)
{
    const struct mime_part *part = mime_find(root, &n, 1);
    assert_non_null(part);
    return part;
}

static str body_of(str raw, const struct mime_part *part)
{
    return str_sub(raw, part->body.start, part->body.end - part->body.start);
}

static const struct mime_part *parse(str raw)
{
    struct mime_part *root;
    arena_reset(arena);
    assert_int_equal(mime_parse(raw, arena, NULL, &root), RC_OK);
    assert_true(mime_is(root, S("multipart"), S("report")));
    return root;
}

static void returns_the_message_byte_for_byte(void **state)
{
    static const char *const messages[] = {MESSAGE, "Subject: x\n\nno line end", "\n", "a: b\n\n\xc3\xa9\n",
                                           "x: y\n\n--=_3031\n\n"};
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 16);
        struct dsn d = example;
        d.content = DSN_CONTENT_FULL;
        dsn_put(&out, &d, str_c(messages[i]));
        const struct mime_part *root = parse(buf_str(&out)), *third = part_of(root, 3);
        assert_true(mime_is(third, S("message"), S("rfc822")));
        assert_true(str_eq(body_of(buf_str(&out), third), str_c(messages[i])));
        bool eight = !utf8_is_ascii(str_c(messages[i]));
        assert_true(str_eq(third->encoding, eight ? S("8bit") : STR_NONE));
        assert_true(str_eq(root->encoding, eight ? S("8bit") : STR_NONE));
    }
}

static bool has(const struct buf *b, const char *text)
{
    return str_find(buf_str(b), str_c(text)) >= 0;
}

static void delays(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 16);
    struct dsn_rcpt r = {.recipient = S("a@b"),
                         .action = DSN_DELAYED,
                         .status = S("4.4.1"),
                         .diagnostic = S("connect to b[192.0.2.1]:25: Connection timed out"),
                         .will_retry_until = 773600000};
    struct dsn d = example;
    d.rcpts = &r;
    d.envid = STR_NONE;
    dsn_put(&out, &d, S(MESSAGE));
    assert_true(has(&out, "Subject: Delayed Mail (still being retried)\n"));
    assert_true(has(&out, "<a@b>:\n  not delivered yet.\n  The mail server did not answer.\n  The reason:\n"
                          "      connect to b[192.0.2.1]:25: Connection timed out\n"
                          "  It will be tried until Thu, 07 Jul 1994 16:53:20 +0000.\n"));
    assert_true(has(&out, "\nFinal-Recipient: rfc822; a@b\nAction: delayed\nStatus: 4.4.1\n"
                          "Diagnostic-Code: x-malle; connect to b[192.0.2.1]:25: Connection timed out\n"
                          "Will-Retry-Until: Thu, 07 Jul 1994 16:53:20 +0000\n"));
    assert_false(has(&out, "Original-Recipient"));
    assert_false(has(&out, "Original-Envelope-Id"));
}

static void successes(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 16);
    struct dsn_rcpt r[] = {{.recipient = S("a@b"), .action = DSN_DELIVERED, .status = S("2.1.5")},
                           {.recipient = S("c@d"),
                            .action = DSN_RELAYED,
                            .remote_mta = S("mx.d"),
                            .orcpt_type = S("rfc822"),
                            .orcpt = S("list@b")},
                           {.recipient = S("e@f"), .action = DSN_EXPANDED, .status = S("nonsense")}};
    struct dsn d = example;
    d.rcpts = r;
    d.rcpt_count = 3;
    dsn_put(&out, &d, S(MESSAGE));
    assert_true(has(&out, "Subject: Successful Mail Delivery Report\n"));
    assert_true(has(&out, "Final-Recipient: rfc822; a@b\nAction: delivered\nStatus: 2.1.5\n\n"
                          "Original-Recipient: rfc822; list@b\nFinal-Recipient: rfc822; c@d\n"
                          "Action: relayed\nStatus: 2.0.0\nRemote-MTA: dns; mx.d\n\n"
                          "Final-Recipient: rfc822; e@f\nAction: expanded\nStatus: 2.0.0\n"));
    assert_true(has(&out, "<c@d>\n(you wrote to <list@b>):\n"));
}

/* What a remote server says neither ends a line nor a part, nor makes a line too long. */
static void hostile_words(void **state)
{
    static const char words[] =
        "550 x\r\n\r\n--=_30313233343536373839616263646566--\nBcc: y\x1b[2J\x7f\xc3\xa9\0z";
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 16);
    char longest[5000];
    memset(longest, 'w', sizeof longest);
    struct dsn_rcpt r[] = {
        {.recipient = S("a@b\nBcc: c@d"),
         .orcpt_type = S("x\ny"),
         .orcpt = S("a\nb"),
         .status = S("5.1.1\nX: y"),
         .remote_mta = S("mx\n\nboo"),
         .diagnostic = str_mem(words, sizeof words - 1)},
        {.recipient = S("a@b"), .remote_mta = S("mx"), .diagnostic = str_mem(longest, sizeof longest)}};
    struct dsn d = example;
    d.rcpts = r;
    d.rcpt_count = 2;
    d.message_id = S("<a@b>\nBcc: x");
    d.to = S("a@b\nBcc: x");
    d.envid = S("a\nb");
    d.received_from = S("a\tb\n\nc");
    dsn_put(&out, &d, S(MESSAGE));
    const struct mime_part *root = parse(buf_str(&out));
    (void)part_of(root, 3);
    assert_null(mime_find(root, (uint32_t[]){4}, 1));
    assert_false(has(&out, "\nBcc:"));
    assert_false(has(&out, "\nX:"));
    assert_true(has(
        &out, "Diagnostic-Code: smtp; 550 x --=_30313233343536373839616263646566-- Bcc: y\n    [2J ?? z\n"));
    str rest = buf_str(&out);
    while (rest.n) {
        str line = str_take(&rest, '\n');
        assert_true(line.n <= 998);
        for (size_t i = 0; i < line.n; i++)
            assert_true(line.p[i] >= ' ' && line.p[i] <= '~');
    }
}

static void internationalized(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 16);
    struct dsn_rcpt r = {.recipient = S("jos\xc3\xa9@b"),
                         .orcpt_type = S("utf-8"),
                         .orcpt = S("jos\xc3\xa9+x@b"),
                         .status = S("5.1.1"),
                         .remote_mta = S("mx"),
                         .diagnostic = S("550 5.1.1 <jos\xc3\xa9@b> \xff\xc2\x85")};
    struct dsn d = example;
    d.rcpts = &r;
    d.utf8 = true;
    d.to = S("\xc3\xa9@b");
    d.content = DSN_CONTENT_FULL;
    dsn_put(&out, &d, S(MESSAGE));
    const struct mime_part *root = parse(buf_str(&out));
    assert_true(mime_is(part_of(root, 2), S("message"), S("global-delivery-status")));
    assert_true(mime_is(part_of(root, 3), S("message"), S("global")));
    assert_true(str_eq(root->encoding, S("8bit")) && str_eq(part_of(root, 2)->encoding, S("8bit")));
    assert_true(has(&out, "To: <\xc3\xa9@b>\n"));
    assert_true(
        has(&out, "Original-Recipient: utf-8; jos\xc3\xa9+x@b\nFinal-Recipient: utf-8; jos\xc3\xa9@b\n"));
    assert_true(has(&out, "Diagnostic-Code: smtp; 550 5.1.1 <jos\xc3\xa9@b> ??\n"));

    buf_reset(&out);
    d.utf8 = false; /* all the report is ASCII then */
    d.content = DSN_CONTENT_HEADER;
    d.to = S("e@b");
    dsn_put(&out, &d, S(MESSAGE));
    assert_true(utf8_is_ascii(buf_str(&out)));
    assert_true(
        has(&out, "Original-Recipient: utf-8; jos\\x{E9}\\x{2B}x@b\nFinal-Recipient: utf-8; jos\\x{E9}@b\n"));
}

static void what_to_return(void **state)
{
    struct dsn_rcpt r[] = {{.action = DSN_DELAYED}, {.action = DSN_FAILED}};
    struct dsn d = {.rcpts = r, .rcpt_count = 2};
    assert_int_equal(dsn_content_for(&d, SMTP_RET_FULL, 100, 100), DSN_CONTENT_FULL);
    assert_int_equal(dsn_content_for(&d, SMTP_RET_UNSET, 100, 100), DSN_CONTENT_FULL);
    assert_int_equal(dsn_content_for(&d, SMTP_RET_FULL, 101, 100), DSN_CONTENT_HEADER);
    assert_int_equal(dsn_content_for(&d, SMTP_RET_HDRS, 1, 100), DSN_CONTENT_HEADER);
    d.rcpt_count = 1;
    assert_int_equal(dsn_content_for(&d, SMTP_RET_FULL, 1, 100), DSN_CONTENT_HEADER);
}

static void stops_at_the_maximum(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
    dsn_put(&out, &example, S(MESSAGE));
    assert_true(out.overflow && out.n <= 1000);
}

static void xtext(void **state)
{
    static const struct {
        const char *plain, *xtext, *addr;
    } rows[] = {
        {"Dana+X@Ivory.EDU", "Dana+2BX@Ivory.EDU", "Dana\\x{2B}X@Ivory.EDU"},
        {"e=mc2@example.com", "e+3Dmc2@example.com", "e\\x{3D}mc2@example.com"}, /* RFC 4954 §5 */
        {"\"a b\\c\"@d", "\"a+20b\\c\"@d", "\"a\\x{20}b\\x{5C}c\"@d"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80@x", "+C3+A9+E2+82+AC+F0+9F+98+80@x",
         "\\x{E9}\\x{20AC}\\x{1F600}@x"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
        str back;
        xtext_put(&out, str_c(rows[i].plain));
        assert_string_equal(buf_cstr(&out), rows[i].xtext);
        assert_int_equal(smtp_cmd_decode_xtext(buf_str(&out), arena, &back), RC_OK);
        assert_true(str_eq(back, str_c(rows[i].plain)));
        buf_reset(&out);
        xtext_put_utf8_addr(&out, str_c(rows[i].plain));
        assert_string_equal(buf_cstr(&out), rows[i].addr);
        buf_reset(&out);
        assert_int_equal(xtext_decode_utf8_addr(&out, str_c(rows[i].addr)), RC_OK);
        assert_string_equal(buf_cstr(&out), rows[i].plain);
        buf_reset(&out);
        assert_int_equal(xtext_decode_utf8_addr(&out, str_c(rows[i].plain)), RC_OK); /* utf-8-address */
        assert_string_equal(buf_cstr(&out), rows[i].plain);
    }
}

static void broken_utf8_addresses(void **state)
{
    static const char *const rows[] = {"",        "\\x{0A}@b", "\\x{0041}", "\\x{e9}",
                                       "\\x{E9",  "\\x{}",     "\\x{D800}", "\\x{110000}",
                                       "\\x{85}", "a\n",       "\xff@b",    "\\x{7F}"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(100);
        buf_putc(&out, 'x');
        assert_int_equal(xtext_decode_utf8_addr(&out, str_c(rows[i])), RC_INVALID);
        assert_string_equal(buf_cstr(&out), "x");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_text),     cmocka_unit_test(returns_the_message_byte_for_byte),
        cmocka_unit_test(delays),         cmocka_unit_test(successes),
        cmocka_unit_test(hostile_words),  cmocka_unit_test(internationalized),
        cmocka_unit_test(what_to_return), cmocka_unit_test(stops_at_the_maximum),
        cmocka_unit_test(xtext),          cmocka_unit_test(broken_utf8_addresses),
    };
    arena = arena_new(1 << 20);
    int failed_tests = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed_tests;
}
