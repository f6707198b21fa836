/* imap_out: astrings, mailbox names and text as RFC 9051 §9 allows them. */
#include "fmt/imap_out.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void expect(struct buf *b, const char *want)
{
    assert_string_equal(buf_cstr(b), want);
    buf_reset(b);
}

static void test_astring(void **state)
{
    static const struct {
        const char *in, *want;
    } rows[] = {
        {"foo", "foo"}, {"", "\"\""},         {"nil", "\"nil\""}, {"a b", "\"a b\""},
        {"a]", "a]"},   {"a\"", "\"a\\\"\""}, {"(x", "\"(x\""},   {"a%", "\"a%\""},
    };
    struct buf b = BUF_INIT(1000);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        imap_put_astring(&b, str_c(rows[i].in));
        expect(&b, rows[i].want);
    }
    buf_deinit(&b);
}

static void test_mailbox(void **state)
{
    struct buf b = BUF_INIT(1000);
    (void)state;
    imap_put_mailbox(&b, S("~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e")); /* RFC 3501 §5.1.3 */
    expect(&b, "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
    imap_put_mailbox(&b, S("Tom & Jerry"));
    expect(&b, "\"Tom &- Jerry\"");
    imap_put_mailbox(&b, S("a\r\n* BYE"));
    assert_true(str_chr(buf_str(&b), '\n') < 0);
    buf_deinit(&b);
}

static void test_lists_and_text(void **state)
{
    const str names[] = {S("\\Seen"), S("$Forwarded")};
    struct buf b = BUF_INIT(1000);
    (void)state;
    imap_put_flag_list(&b, names, 2);
    expect(&b, "(\\Seen $Forwarded)");
    imap_put_flag_list(&b, names, 0);
    expect(&b, "()");
    imap_put_text(&b, S("a\r\nb\xc3\xa9"));
    expect(&b, "a??b??");
    imap_put_text(&b, STR_NONE);
    expect(&b, "?");
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_astring),
        cmocka_unit_test(test_mailbox),
        cmocka_unit_test(test_lists_and_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
