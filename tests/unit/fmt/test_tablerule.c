/* tablerule: lines of regexp_table(5), pcre_table(5), cidr_table(5), with the manuals' examples. */
#include "fmt/tablerule.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void patterns(void **state)
{
    static const struct {
        const char *line;
        int kind; /* -1: refused */
        bool negated;
        const char *pattern, *flags, *result;
    } rows[] = {
        {"/[%!@].*[%!@]/       550 Sender-specified routing rejected", TABLERULE_RESULT, false,
         "[%!@].*[%!@]", "", "550 Sender-specified routing rejected"},
        {"/^postmaster@/       OK", TABLERULE_RESULT, false, "^postmaster@", "", "OK"},
        {"if !/^owner-/", TABLERULE_IF, true, "^owner-", "", ""},
        {"/^(.*)-outgoing@(.*)$/  550 Use ${1}@${2} instead", TABLERULE_RESULT, false, "^(.*)-outgoing@(.*)$",
         "", "550 Use ${1}@${2} instead"},
        {"endif", TABLERULE_ENDIF, false, "", "", ""},
        {"ENDIF x", TABLERULE_ENDIF, false, "", "", "x"},
        {"~^[[:alnum:]+/]{60,}$~          OK", TABLERULE_RESULT, false, "^[[:alnum:]+/]{60,}$", "", "OK"},
        {"!/a b/iX  x  y ", TABLERULE_RESULT, true, "a b", "iX", "x  y"},
        {"! ! /a/ x", TABLERULE_RESULT, false, "a", "", "x"},
        {"/a\\/b/ x", TABLERULE_RESULT, false, "a\\/b", "", "x"},
        {"/a/", TABLERULE_RESULT, false, "a", "", ""},
        {"//", TABLERULE_RESULT, false, "", "", ""},
        {"IF /x/", TABLERULE_IF, false, "x", "", ""},
        {"/a", -1, false, NULL, NULL, NULL},
        {"/a\\/", -1, false, NULL, NULL, NULL},
        {"if", -1, false, NULL, NULL, NULL},
        {"iffy", -1, false, NULL, NULL, NULL},
        {"xabcx no", -1, false, NULL, NULL, NULL},
        {" /a/ x", -1, false, NULL, NULL, NULL},
        {"", -1, false, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tablerule rule = {0};
        const char *problem = tablerule_parse_pattern(str_c(rows[i].line), &rule);
        assert_int_equal(problem == NULL, rows[i].kind >= 0);
        if (problem)
            continue;
        assert_int_equal(rule.kind, rows[i].kind);
        assert_int_equal(rule.negated, rows[i].negated);
        assert_true(str_eq(rule.pattern, str_c(rows[i].pattern)));
        assert_true(str_eq(rule.flags, str_c(rows[i].flags)));
        assert_true(str_eq(rule.result, str_c(rows[i].result)));
    }
}

static void networks(void **state)
{
    struct tablerule rule;
    assert_null(tablerule_parse_network(S("192.168.1.1             OK"), &rule));
    assert_true(rule.kind == TABLERULE_RESULT && str_eq(rule.pattern, S("192.168.1.1")) &&
                str_eq(rule.result, S("OK")));
    assert_null(tablerule_parse_network(S("!10.0.0.0/8 not here"), &rule));
    assert_true(rule.negated && str_eq(rule.pattern, S("10.0.0.0/8")) && str_eq(rule.result, S("not here")));
    assert_null(tablerule_parse_network(S("if !2001:db8::/32"), &rule));
    assert_true(rule.kind == TABLERULE_IF && rule.negated);
    assert_null(tablerule_parse_network(S("endif"), &rule));
    assert_int_equal(rule.kind, TABLERULE_ENDIF);
    assert_non_null(tablerule_parse_network(S("10.3.0.0"), &rule));
    assert_non_null(tablerule_parse_network(S("!"), &rule));
}

static bool has(const char *net, const char *address)
{
    struct tablerule_net n, a;
    assert_null(tablerule_net_parse(str_c(net), &n));
    return tablerule_address_parse(str_c(address), &a) == RC_OK && tablerule_net_has(&n, &a);
}

static void membership(void **state)
{
    struct tablerule_net n;
    assert_true(has("192.168.0.0/16", "192.168.255.1"));
    assert_false(has("192.168.0.0/16", "192.169.0.1"));
    assert_true(has("2001:db8::/32", "2001:0DB8:1::2"));
    assert_true(has("[2001:db8::]/32", "2001:db8::"));
    assert_true(has("0.0.0.0/0", "198.51.100.1"));
    assert_false(has("0.0.0.0/0", "::1"));
    assert_true(has("::/0", "::1"));
    assert_false(has("::/0", "198.51.100.1"));
    assert_true(has("::/0", "::ffff:198.51.100.1"));
    assert_false(has("0.0.0.0/0", "example.com"));
    assert_non_null(tablerule_net_parse(S("192.168.5.1/24"), &n)); /* bits behind the prefix */
    assert_non_null(tablerule_net_parse(S("192.168.5.0/33"), &n));
    assert_non_null(tablerule_net_parse(S("example.com"), &n));
    assert_null(tablerule_net_parse(S("192.168.5.1/32"), &n));
}

static void results(void **state)
{
    static const struct {
        const char *result, *text; /* text NULL: refused */
        unsigned groups;
    } rows[] = {
        {"plain", "plain", 0},
        {"$1 and $2", "one and two", 2},
        {"${1}x$(2)y", "onextwoy", 2},
        {"$$1", "$1", 0},
        {"<$3>", "<>", 3},
        {"$1-$2.", "one-two.", 2},
        {"$1abc", NULL, 0},
        {"$0", NULL, 0},
        {"$", NULL, 0},
        {"$ x", NULL, 0},
        {"${1", NULL, 0},
        {"${}", NULL, 0},
        {"${1?yes}", NULL, 0},
        {"$100", NULL, 0},
        {"$99999999999", NULL, 0},
    };
    const str groups[] = {S("all"), S("one"), S("two")};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(100);
        unsigned n = 77;
        const char *problem = tablerule_check_result(str_c(rows[i].result), &n);
        assert_int_equal(problem == NULL, rows[i].text != NULL);
        if (problem)
            continue;
        assert_int_equal(n, rows[i].groups);
        tablerule_put_result(&out, str_c(rows[i].result), groups, 3);
        assert_string_equal(buf_cstr(&out), rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),
        cmocka_unit_test(networks),
        cmocka_unit_test(membership),
        cmocka_unit_test(results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
