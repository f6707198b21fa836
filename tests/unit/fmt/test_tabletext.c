/* tabletext and tablespec: Postfix's table files and the names of tables (postmap(1), DATABASE_README,
 * postconf(5)). */
#include "fmt/tablespec.h"
#include "fmt/tabletext.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void expect_line(struct tabletext *t, struct buf *joined, int number, const char *text)
{
    str line;
    int at = 0;
    assert_int_equal(tabletext_next(t, joined, &line, &at), RC_OK);
    assert_int_equal(at, number);
    assert_true(str_eq(line, str_c(text)));
}

static void logical_lines(void **state)
{
    AUTO(buf_deinit) struct buf joined = BUF_INIT(100);
    struct tabletext t = tabletext_of(S("# comment\n"
                                        "\n"
                                        "one 1  \n"
                                        "two\n"
                                        "   # between\n"
                                        "\n"
                                        "  is 2\r\n"
                                        "\tand more\n"
                                        "  \t\n"
                                        "three 3"));
    str line;
    int number = 0;
    expect_line(&t, &joined, 3, "one 1");
    expect_line(&t, &joined, 4, "two  is 2\r\tand more");
    expect_line(&t, &joined, 10, "three 3");
    assert_int_equal(tabletext_next(&t, &joined, &line, &number), RC_GONE);
    t = tabletext_of(S(""));
    assert_int_equal(tabletext_next(&t, &joined, &line, &number), RC_GONE);
    t = tabletext_of(S("  begins with white space\nx\n"));
    expect_line(&t, &joined, 1, "  begins with white space");
    expect_line(&t, &joined, 2, "x");
}

static void bad_lines_are_skipped(void **state)
{
    AUTO(buf_deinit) struct buf joined = BUF_INIT(8);
    struct tabletext t = tabletext_of(S("a\0b\n12345678\n 9\nlast"));
    str line;
    int number = 0;
    assert_int_equal(tabletext_next(&t, &joined, &line, &number), RC_INVALID);
    assert_int_equal(number, 1);
    assert_int_equal(tabletext_next(&t, &joined, &line, &number), RC_LIMIT);
    assert_int_equal(number, 2);
    expect_line(&t, &joined, 4, "last");
}

static void entries(void **state)
{
    static const struct {
        const char *line, *key, *value; /* key NULL: refused */
    } rows[] = {
        {"joe  jim@example.com", "joe", "jim@example.com"},
        {"joe\ta, b", "joe", "a, b"},
        {"\"b c\" two words", "\"b c\"", "two words"},
        {"\"q\\\"x\" y", "\"q\\\"x\"", "y"},
        {"d\"e f\"g four", "d\"e f\"g", "four"},
        {"u\\ v w", "u\\ v", "w"},
        {"lonely", NULL, NULL},
        {"\"open x", NULL, NULL},
        {" white x", NULL, NULL},
        {"", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str key, value;
        const char *problem = tabletext_entry(str_c(rows[i].line), &key, &value);
        assert_int_equal(problem == NULL, rows[i].key != NULL);
        if (!problem)
            assert_true(str_eq(key, str_c(rows[i].key)) && str_eq(value, str_c(rows[i].value)));
    }
}

static void settings(void **state)
{
    str name, value;
    assert_null(tabletext_setting(S("query = SELECT a FROM b WHERE c = '%s'"), &name, &value));
    assert_true(str_eq(name, S("query")) && str_eq(value, S("SELECT a FROM b WHERE c = '%s'")));
    assert_null(tabletext_setting(S("bind_pw="), &name, &value));
    assert_true(str_eq(name, S("bind_pw")) && value.n == 0);
    assert_non_null(tabletext_setting(S("query"), &name, &value));
    assert_non_null(tabletext_setting(S("= x"), &name, &value));
    assert_non_null(tabletext_setting(S("two words = x"), &name, &value));
}

static void lists(void **state)
{
    static const char *const items[] = {"hash:/etc/postfix/virtual", "inline:{a=b, {c = d e}}", "static:x"};
    str list = S(" hash:/etc/postfix/virtual, inline:{a=b, {c = d e}}\n static:x , "), item;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tablespec_take(&list, &item), RC_OK);
        assert_true(str_eq(item, str_c(items[i])));
    }
    assert_int_equal(tablespec_take(&list, &item), RC_GONE);
    list = S("a:{b");
    assert_int_equal(tablespec_take(&list, &item), RC_INVALID);
    list = S("a}");
    assert_int_equal(tablespec_take(&list, &item), RC_INVALID);
}

static void names_and_pairs(void **state)
{
    str a, b;
    assert_int_equal(tablespec_split(S("tcp:127.0.0.1:10"), &a, &b), RC_OK);
    assert_true(str_eq(a, S("tcp")) && str_eq(b, S("127.0.0.1:10")));
    assert_int_equal(tablespec_split(S("static:"), &a, &b), RC_INVALID);
    assert_int_equal(tablespec_split(S("/etc/aliases"), &a, &b), RC_INVALID);
    assert_int_equal(tablespec_braced(S("{ a {b} }"), &a), RC_OK);
    assert_true(str_eq(a, S("a {b}")));
    assert_int_equal(tablespec_braced(S("{a} {b}"), &a), RC_INVALID);
    assert_int_equal(tablespec_braced(S("{a}}"), &a), RC_INVALID);
    assert_int_equal(tablespec_braced(S("a"), &a), RC_INVALID);
    assert_int_equal(tablespec_pair(S("a=b=c"), &a, &b), RC_OK);
    assert_true(str_eq(a, S("a")) && str_eq(b, S("b=c")));
    assert_int_equal(tablespec_pair(S("{ c = d e }"), &a, &b), RC_OK);
    assert_true(str_eq(a, S("c")) && str_eq(b, S("d e")));
    assert_int_equal(tablespec_pair(S("{c}"), &a, &b), RC_INVALID);
    assert_int_equal(tablespec_pair(S("=c"), &a, &b), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logical_lines), cmocka_unit_test(bad_lines_are_skipped),
        cmocka_unit_test(entries),       cmocka_unit_test(settings),
        cmocka_unit_test(lists),         cmocka_unit_test(names_and_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
