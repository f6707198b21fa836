/* fmt/socks5: messages as RFC 1928 and RFC 1929 lay them out, read a byte at a time. */
#include "fmt/socks5.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void sent(void **state)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(1000);
    socks5_put_greeting(&b, false);
    assert_true(str_eq(buf_str(&b), S("\5\1\0")));
    buf_reset(&b);
    socks5_put_greeting(&b, true);
    assert_true(str_eq(buf_str(&b), S("\5\2\0\2")));
    buf_reset(&b);
    socks5_put_login(&b, S("joe"), S("secret"));
    assert_true(str_eq(buf_str(&b), S("\1\3joe\6secret")));
    buf_reset(&b);
    socks5_put_connect(&b, S("\300\0\2\1"), 25);
    assert_true(str_eq(buf_str(&b), S("\5\1\0\1\300\0\2\1\0\31")));
    buf_reset(&b);
    socks5_put_connect(&b, S("0123456789abcdef"), 0x1234);
    assert_true(str_eq(buf_str(&b), S("\5\1\0\4"
                                      "0123456789abcdef\x12\x34")));
}

/* Reads as net/dial does: what is missing, and never more. */
static enum rc read_reply(str all, size_t *ret_read, unsigned *ret_code)
{
    size_t n = 0, missing = 0;
    enum rc rc;
    while ((rc = socks5_parse_reply(str_sub(all, 0, n), &missing, ret_code)) == RC_TEMP) {
        assert_true(missing > 0 && n + missing <= SOCKS5_REPLY_MAX);
        if (n + missing > all.n)
            return RC_TEMP;
        n += missing;
    }
    *ret_read = n;
    return rc;
}

static void replies(void **state)
{
    static const struct {
        str bytes;
        enum rc rc;
        size_t read;
        unsigned code;
    } rows[] = {
        {{"\5\0\0\1\177\0\0\1\0\31220 mx", 16}, RC_OK, 10, 0},
        {{"\5\5\0\4zzzzzzzzzzzzzzzz\0\0", 22}, RC_OK, 22, 5},
        {{"\5\0\0\3\4name\0\0rest", 15}, RC_OK, 11, 0},
        {{"\5\0\0\3\0\0\0", 7}, RC_OK, 7, 0},
        {{"\4\0\0\1\177\0\0\1\0\31", 10}, RC_INVALID, 0, 0},
        {{"\5\0\0\2\177\0\0\1\0\31", 10}, RC_INVALID, 0, 0},
        {{"\5\0\0\1\177\0\0", 7}, RC_TEMP, 0, 0},
        {{"", 0}, RC_TEMP, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t read = 0;
        unsigned code = 0;
        if (read_reply(rows[i].bytes, &read, &code) != rows[i].rc)
            fail_msg("row %zu", i);
        if (rows[i].rc == RC_OK)
            assert_true(read == rows[i].read && code == rows[i].code);
    }
    assert_string_equal(socks5_reply_text(5), "connection refused");
    assert_string_equal(socks5_reply_text(255), "unknown failure");
}

static void methods(void **state)
{
    size_t missing = 0;
    unsigned method = 0, status = 9;
    assert_int_equal(socks5_parse_method(S(""), &missing, &method), RC_TEMP);
    assert_int_equal(missing, 2);
    assert_int_equal(socks5_parse_method(S("\5"), &missing, &method), RC_TEMP);
    assert_int_equal(missing, 1);
    assert_int_equal(socks5_parse_method(S("\5\2"), &missing, &method), RC_OK);
    assert_int_equal(method, SOCKS5_PASSWORD);
    assert_int_equal(socks5_parse_method(S("\5\xff"), &missing, &method), RC_OK);
    assert_int_equal(method, SOCKS5_NO_METHOD);
    assert_int_equal(socks5_parse_method(S("\5\1"), &missing, &method), RC_INVALID); /* GSSAPI: not offered */
    assert_int_equal(socks5_parse_method(S("H"), &missing, &method), RC_INVALID);
    assert_int_equal(socks5_parse_login(S("\1\0"), &missing, &status), RC_OK);
    assert_int_equal(status, 0);
    assert_int_equal(socks5_parse_login(S("\1\1"), &missing, &status), RC_OK);
    assert_int_equal(status, 1);
    assert_int_equal(socks5_parse_login(S("\5"), &missing, &status), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sent), cmocka_unit_test(replies),
                                       cmocka_unit_test(methods)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
