/* Modified UTF-7 of mailbox names (RFC 3501 §5.1.3). */
#include "fmt/mutf7.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *utf8, *mutf7;
} pairs[] = {
    {"", ""},
    {"INBOX", "INBOX"},
    {"a&b", "a&-b"},
    {"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
     "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
    {"Entw\xc3\xbcrfe", "Entw&APw-rfe"},
    {"\xc3\xa9\xc3\xa9&", "&AOkA6Q-&-"},
    {"\xf0\x9f\x93\xa7 mail", "&2D3c5w- mail"},
    {"-\xc3\xa9-", "-&AOk--"},
    {"\x7f", "&AH8-"},
};

static void test_pairs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct buf a = BUF_INIT(1000), b = BUF_INIT(1000);
        assert_int_equal(mutf7_encode(str_c(pairs[i].utf8), &a), RC_OK);
        assert_string_equal(buf_cstr(&a), pairs[i].mutf7);
        assert_int_equal(mutf7_decode(str_c(pairs[i].mutf7), &b), RC_OK);
        assert_string_equal(buf_cstr(&b), pairs[i].utf8);
        buf_deinit(&a);
        buf_deinit(&b);
    }
}

static void test_refused(void **state)
{
    static const char *const bad[] = {
        "&",
        "&A",
        "&AOk",
        "&A-",
        "&AA-",
        "&AGE-",              /* "a" stands for itself */
        "&U,BTFw-&ZeVnLIqe-", /* RFC 3501 §5.1.3: shifts in a row are not permitted */
        "&2D0-",
        "&3Oc-",
        "&2D0AOQ-",
        "\x80",
        "caf\xc3\xa9",
        "&AO k-",
        "&AOl-",
        "&AOkA-",
        "&AOk=-",
        "a\x01",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf b = BUF_INIT(1000);
        buf_puts(&b, S("kept"));
        assert_int_equal(mutf7_decode(str_c(bad[i]), &b), RC_INVALID);
        assert_string_equal(buf_cstr(&b), "kept");
        buf_deinit(&b);
    }
    struct buf b = BUF_INIT(1000);
    assert_int_equal(mutf7_encode(S("ok\xff"), &b), RC_INVALID);
    assert_int_equal(b.n, 0);
    buf_deinit(&b);
}

static void test_limit(void **state)
{
    struct buf b = BUF_INIT(3);
    (void)state;
    assert_int_equal(mutf7_encode(S("abcd"), &b), RC_LIMIT);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
