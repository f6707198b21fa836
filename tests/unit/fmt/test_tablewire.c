/* netstring and tablewire: what look-up servers are asked and answer (tcp_table(5), socketmap_table(5)). */
#include "fmt/netstring.h"
#include "fmt/tablewire.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void netstrings(void **state)
{
    static const struct {
        str in;
        enum rc rc;
        const char *payload;
        size_t used;
    } rows[] = {
        {S("12:hello world!,"), RC_OK, "hello world!", 16}, /* the definition's example */
        {S("0:,"), RC_OK, "", 3},
        {S("1:a,2:bc,"), RC_OK, "a", 4},
        {S("3:a,b,"), RC_OK, "a,b", 6},
        {S("01:a,"), RC_INVALID, NULL, 0},
        {S("1:ab"), RC_INVALID, NULL, 0},
        {S(":a,"), RC_INVALID, NULL, 0},
        {S("-1:a,"), RC_INVALID, NULL, 0},
        {S("x"), RC_INVALID, NULL, 0},
        {S("21:"), RC_LIMIT, NULL, 0},
        {S("99999999999"), RC_LIMIT, NULL, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str payload = STR_NONE;
        size_t used = 0;
        assert_int_equal(netstring_parse(rows[i].in, 20, &payload, &used), rows[i].rc);
        assert_int_equal(used, rows[i].used);
        assert_true(str_eq(payload, str_c(rows[i].payload)));
    }
}

static void netstring_arrives_in_parts(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(100);
    str payload = STR_NONE;
    size_t used = 0;
    netstring_put(&out, S("hello, world"));
    for (size_t i = 0; i < out.n; i++)
        assert_int_equal(netstring_parse(str_sub(buf_str(&out), 0, i), 20, &payload, &used), RC_TEMP);
    assert_int_equal(netstring_parse(buf_str(&out), 20, &payload, &used), RC_OK);
    assert_true(str_eq(payload, S("hello, world")) && used == out.n);
}

static void requests(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(100);
    tablewire_put_tcp(&out, S("a b%c\n\377z"));
    assert_string_equal(buf_cstr(&out), "get a%20b%25c%0A%FFz\n");
    buf_reset(&out);
    tablewire_put_socketmap(&out, S("virtual"), S("joe@example.com"));
    assert_string_equal(buf_cstr(&out), "virtual joe@example.com");
}

static void replies(void **state)
{
    static const struct {
        bool tcp;
        const char *reply;
        enum rc rc;
        const char *text;
    } rows[] = {
        {true, "200 a%20b%25", RC_OK, "a b%"},
        {true, "200 ", RC_OK, ""},
        {true, "500 not%20here", RC_GONE, "not here"},
        {true, "400 later", RC_TEMP, "later"},
        {true, "200 %2", RC_INVALID, NULL},
        {true, "200 %zz", RC_INVALID, NULL},
        {true, "200", RC_INVALID, NULL},
        {true, "300 x", RC_INVALID, NULL},
        {false, "OK some data", RC_OK, "some data"},
        {false, "NOTFOUND ", RC_GONE, ""},
        {false, "TEMP busy", RC_TEMP, "busy"},
        {false, "TIMEOUT ", RC_TEMP, ""},
        {false, "PERM no such map", RC_PERM, "no such map"},
        {false, "OK", RC_INVALID, NULL},
        {false, "ok x", RC_INVALID, NULL},
        {false, "", RC_INVALID, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(100);
        enum rc rc = rows[i].tcp ? tablewire_parse_tcp(str_c(rows[i].reply), &out)
                                 : tablewire_parse_socketmap(str_c(rows[i].reply), &out);
        assert_int_equal(rc, rows[i].rc);
        if (rows[i].text)
            assert_string_equal(buf_cstr(&out), rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(netstrings),
        cmocka_unit_test(netstring_arrives_in_parts),
        cmocka_unit_test(requests),
        cmocka_unit_test(replies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
