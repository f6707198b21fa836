/* ENVELOPE, BODY and BODYSTRUCTURE as text: the RFC's examples, Dovecot's choices, and bytes that need
 * literals. */
#include "base/buf.h"
#include "fmt/bodystructure.h"
#include "fmt/envelope.h"
#include "fmt/imapstring.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_strings(void **state)
{
    static const struct {
        str in;
        const char *want;
    } rows[] = {
        {{NULL, 0}, "NIL"},
        {{"", 0}, "\"\""},
        {{"a b", 3}, "\"a b\""},
        {{"a\"b\\c", 5}, "\"a\\\"b\\\\c\""},
        {{"\"\"\"\"", 4}, "\"\\\"\\\"\\\"\\\"\""},
        {{"\"\"\"\"\"", 5}, "{5}\r\n\"\"\"\"\""},
        {{"a\nb", 3}, "{3}\r\na\nb"},
        {{"a\rb", 3}, "{3}\r\na\rb"},
        {{"\xc3\xa9", 2}, "{2}\r\n\xc3\xa9"},
        {{"a\0b", 3}, "\"ab\""},
        {{"\0\xff\0\0x\0", 6}, "{2}\r\n\xffx"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf b = BUF_INIT(100);
        imapstring_put_nil(&b, rows[i].in);
        assert_string_equal(buf_cstr(&b), rows[i].want);
        buf_deinit(&b);
    }
}

static void expect_envelope(const char *header, const char *want)
{
    struct arena *a = arena_new(1 << 20);
    struct buf b = BUF_INIT(10000);
    envelope_put(&b, str_c(header), a);
    assert_string_equal(buf_cstr(&b), want);
    buf_deinit(&b);
    arena_free(a);
}

static void test_envelope(void **state)
{
    /* the message of RFC 9051 §8 with its ENVELOPE */
    expect_envelope(
        "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
        "From: Terry Gray <gray@cac.washington.edu>\r\n"
        "Subject: IMAP4rev2 WG mtg summary and minutes\r\n"
        "To: imap@cac.washington.edu\r\n"
        "Cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
        "Message-Id: <B27397-0100000@cac.washington.edu>\r\n\r\n",
        "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev2 WG mtg summary and minutes\" "
        "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
        "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
        "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
        "((NIL NIL \"imap\" \"cac.washington.edu\")) "
        "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) "
        "NIL NIL \"<B27397-0100000@cac.washington.edu>\")");
    expect_envelope("", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    /* present and empty against absent; an empty Sender counts as absent */
    expect_envelope(
        "Subject:\nSender: \nFrom: a@b\nIn-Reply-To: <x>\n <y>\n",
        "(NIL \"\" ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) NIL NIL NIL "
        "\"<x> <y>\" NIL)");
    expect_envelope("Subject:  a\r\n\t b  c \nDate: a\n  b\n",
                    "(\"a  b\" \"a b c\" NIL NIL NIL NIL NIL NIL NIL NIL)");
    expect_envelope(
        "To: root, G: x@y;\nTo: <@r:p@q>\nSubject: \xc3\xa9\n",
        "(NIL {2}\r\n\xc3\xa9 NIL NIL NIL ((NIL NIL \"root\" \"MISSING_DOMAIN\")(NIL NIL \"G\" NIL)"
        "(NIL NIL \"x\" \"y\")(NIL NIL NIL NIL)(NIL \"@r\" \"p\" \"q\")) NIL NIL NIL NIL)");
}

static void expect_structure(const char *raw, bool extended, const char *want)
{
    struct arena *a = arena_new(1 << 20);
    struct buf b = BUF_INIT(10000);
    struct mime_part *root;
    assert_int_equal(mime_parse(str_c(raw), a, NULL, &root), RC_OK);
    bodystructure_put(&b, str_c(raw), root, extended, a);
    assert_string_equal(buf_cstr(&b), want);
    buf_deinit(&b);
    arena_free(a);
}

static void test_single(void **state)
{
    expect_structure("Subject: x\n\na\nb\n", false,
                     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 2)");
    expect_structure("\nx", true,
                     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0 NIL NIL NIL NIL)");
    expect_structure("Content-Type: text\nContent-Transfer-Encoding: 8 bit\n\nx", false,
                     "(\"text\" \"\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0)");
    expect_structure("Content-Type: ; a=b\n\nx", false, "(\"\" \"\" NIL NIL NIL \"7bit\" 1)");
    expect_structure(
        "Content-Type: TEXT/HTML; format=flowed\nContent-Transfer-Encoding: 8BIT\n\n", false,
        "(\"TEXT\" \"HTML\" (\"format\" \"flowed\" \"charset\" \"us-ascii\") NIL NIL \"8BIT\" 0 0)");
    expect_structure(
        "Content-Type: image/png; name=\"a\\\"b\"\nContent-ID: <i>\nContent-Description: d\n"
        "Content-MD5: m\nContent-Disposition: inline\nContent-Language: en,fr\nContent-Location: l\n\nx\n",
        true,
        "(\"image\" \"png\" (\"name\" \"a\\\"b\") \"<i>\" \"d\" \"7bit\" 3 \"m\" (\"inline\" NIL) "
        "(\"en\" \"fr\") \"l\")");
}

static void test_multipart(void **state)
{
    const char *raw = "Content-Type: multipart/mixed; boundary=b\nContent-Disposition: x; y=z\n\n"
                      "--b\n\none\n--b\nContent-Type: image/gif\n\ntwo\n--b--\n";
    expect_structure(raw, false,
                     "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 0)"
                     "(\"image\" \"gif\" NIL NIL NIL \"7bit\" 3) \"mixed\")");
    expect_structure(
        raw, true,
        "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 0 NIL NIL NIL NIL)"
        "(\"image\" \"gif\" NIL NIL NIL \"7bit\" 3 NIL NIL NIL NIL) \"mixed\" (\"boundary\" \"b\") "
        "(\"x\" (\"y\" \"z\")) NIL NIL)");
    expect_structure("Content-Type: multipart/mixed; boundary=b\n\nno part\n", false,
                     "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) \"mixed\")");
    expect_structure("Content-Type: multipart/mixed\n\nno boundary\n", false,
                     "(\"application\" \"octet-stream\" NIL NIL NIL \"7bit\" 13)");
}

static void test_message(void **state)
{
    expect_structure("Content-Type: message/rfc822\n\nSubject: s\nFrom: a@b\n\nx\ny\n", false,
                     "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 31 (NIL \"s\" ((NIL NIL \"a\" \"b\")) "
                     "((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL) "
                     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 2) 5)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),   cmocka_unit_test(test_envelope), cmocka_unit_test(test_single),
        cmocka_unit_test(test_multipart), cmocka_unit_test(test_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
