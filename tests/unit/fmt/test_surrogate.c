/* surrogate: what becomes of headers with UTF-8, by RFC 6858 §2 and its example addresses. */
#include "fmt/surrogate.h"

#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOBODY "<invalid@internationalized-address.invalid>"

static const struct {
    const char *in, *out;
} headers[] = {
    /* what is ASCII, or no UTF-8, stays as it is */
    {"Subject: =?utf-8?q?x?=  y\r\n z\r\nFrom: a <b@c>\n\n",
     "Subject: =?utf-8?q?x?=  y\r\n z\r\nFrom: a <b@c>\n\n"},
    {"Subject: \xe9\nX: \xc3\xa9\n\n", "Subject: \xe9\nX: =?utf-8?b?w6k=?=\n\n"},
    /* texts; encoded words in them are read first */
    {"subject:\xc3\xa9\n =?utf-8?q?=C3=A9?= x\r\n\r\n", "subject: =?utf-8?b?w6kgw6kgeA==?=\n\r\n"},
    {"Comments: \xc3\xa9\nX-Any: \xc3\xa9\nContent-Description: \xc3\xa9\n",
     "Comments: =?utf-8?b?w6k=?=\nX-Any: =?utf-8?b?w6k=?=\nContent-Description: =?utf-8?b?w6k=?=\n"},
    /* addresses */
    {"From: Fred Foo <fred@\xc3\x89XAMPLE.com>\n\n",
     "From: =?utf-8?b?RnJlZCBGb28gPGZyZWRAw4lYQU1QTEUuY29tPg==?= " NOBODY "\n\n"},
    {"To: \xc3\xa9@x.example\n\n", "To: =?utf-8?b?w6lAeC5leGFtcGxl?= " NOBODY "\n\n"},
    {"Cc: \xc3\xa9 <a@b>, c@d (\xc3\xa9), \"e \\\"f\\\"\" <\"g h\"@i>\n\n",
     "Cc: =?utf-8?b?w6k=?= <a@b>,\n =?utf-8?b?w6k=?= <c@d>,\n \"e \\\"f\\\"\" <\"g h\"@i>\n\n"},
    {"To: \xc3\xa9: a@b, c@d;, e@f, g:;\n\n", "To: =?utf-8?b?w6k=?=: a@b,\n c@d;,\n e@f,\n \"g\":;\n\n"},
    {"Return-Path: <\xc3\xa9@x>\n\n", "Return-Path: =?utf-8?b?w6lAeA==?= " NOBODY "\n\n"},
    /* an encoded word must not bring a line end */
    {"To: =?utf-8?q?a=0Ab?= <\xc3\xa9@x>, =?utf-8?q?a=0Ab?= <c@d>\n\n",
     "To: =?utf-8?b?YQpiIDzDqUB4Pg==?= " NOBODY ",\n \"ab\" <c@d>\n\n"},
    /* parameters */
    {"Content-Disposition: attachment; filename=\"\xc3\xa9 \\\"x\\\"\"; size=3\n\n",
     "Content-Disposition: attachment;\n filename*=utf-8''%C3%A9%20%22x%22;\n size=\"3\"\n\n"},
    {"Content-Type: text/plain; \xc3\xa9=x; charset=utf-8\n\n",
     "Content-Type: text/plain;\n charset=\"utf-8\"\n\n"},
    /* what cannot be shown is left out */
    {"Content-Type: text/\xc3\xa9\nMessage-ID: <\xc3\xa9@x>\nReceived: from \xc3\xa9\nContent-Location: "
     "\xc3\xa9\n"
     "Mail-Followup-To: \xc3\xa9@x\n\xc3\xa9: x\n\xc3\xa9\nX: y\n\n",
     "X: y\n\n"},
    {"", ""},
};

static void check_message(const char *in, const char *want)
{
    AUTO(arena_freep) struct arena *a = arena_new(MIME_TREE_BYTES);
    str raw = str_c(in);
    AUTO(buf_deinit) struct buf out = BUF_INIT(2 * raw.n + SURROGATE_ROOM);
    const struct mime_part *root = mime_tree(raw, a);
    assert_int_equal(surrogate_is_needed(raw, root), strcmp(in, want) != 0);
    surrogate_put(&out, raw, root);
    assert_string_equal(buf_cstr(&out), want);
}

static void test_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        check_message(headers[i].in, headers[i].out);
        assert_int_equal(surrogate_differs(str_c(headers[i].in)), strcmp(headers[i].in, headers[i].out) != 0);
    }
}

/* Headers of parts and of messages inside are rewritten, bodies never. */
static void test_messages(void **state)
{
    (void)state;
    check_message("Subject: x\n\nX: \xc3\xa9\n", "Subject: x\n\nX: \xc3\xa9\n");
    check_message(
        "Content-Type: multipart/mixed; boundary=b\n\n\xc3\xa9\n--b\nContent-Type: text/plain;\n "
        "name=\xc3\xa9\n"
        "\n\xc3\xa9\n--b\nContent-Type: message/rfc822\n\nSubject: \xc3\xa9\n\n\xc3\xa9\n--b--\n\xc3\xa9\n",
        "Content-Type: multipart/mixed; boundary=b\n\n\xc3\xa9\n--b\nContent-Type: text/plain;\n"
        " name*=utf-8''%C3%A9\n\n\xc3\xa9\n--b\nContent-Type: message/rfc822\n\nSubject: "
        "=?utf-8?b?w6k=?=\n\n\xc3\xa9\n"
        "--b--\n\xc3\xa9\n");
    check_message("Content-Type: message/global; x=y\n\nA: b\n\nc\n",
                  "Content-Type: message/rfc822;\n x=\"y\"\n\nA: b\n\nc\n");
    /* what is encoded as a whole is not rewritten, and keeps its name */
    check_message("Content-Type: message/global\nContent-Transfer-Encoding: base64\n\nQTogYgo=\n",
                  "Content-Type: message/global\nContent-Transfer-Encoding: base64\n\nQTogYgo=\n");
}

/* Where the room is not enough for all addresses, the fields go. */
static void test_limit(void **state)
{
    enum { FIELDS = 60, ADDRESSES = 6000 };
    AUTO(buf_deinit) struct buf in = BUF_INIT(8 << 20);
    (void)state;
    for (int i = 0; i < FIELDS; i++) {
        buf_puts(&in, S("To: a@b"));
        for (int k = 0; k < ADDRESSES; k++)
            buf_puts(&in, S(",\xc3\xa9"));
        buf_puts(&in, S("\n"));
    }
    buf_puts(&in, S("Subject: x\n\n"));
    check_message(buf_cstr(&in), "Subject: x\n\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_headers), cmocka_unit_test(test_messages),
                                       cmocka_unit_test(test_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
