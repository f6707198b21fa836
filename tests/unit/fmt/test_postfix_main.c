/* postfix_main: main.cf as Postfix reads it. */
#include "fmt/postfix_main.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct postfix_main parse(struct arena *a, str text)
{
    struct postfix_main m = {0};
    assert_int_equal(postfix_main_parse(text, a, &m), RC_OK);
    return m;
}

static void entries(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct postfix_main m = parse(a, S("# comment\n"
                                       "\n"
                                       "myhostname = mail.example\n"
                                       "mydestination=$myhostname,\n"
                                       "# between\n"
                                       "\n"
                                       "   # indented comment\n"
                                       "  localhost\r\n"
                                       "\tx  y \t\r\n"
                                       "relayhost =\n"
                                       "mailbox_command\n"
                                       "  = /bin/x a=b # c\n"
                                       "\n"
                                       "last==a"));
    static const struct {
        const char *name, *value;
        int line;
    } rows[] = {
        {"myhostname", "mail.example", 3},
        {"mydestination", "$myhostname,  localhost\r\tx  y", 4},
        {"relayhost", "", 10},
        {"mailbox_command", "/bin/x a=b # c", 11},
        {"last", "=a", 14},
    };
    assert_int_equal(m.n, sizeof rows / sizeof *rows);
    for (size_t i = 0; i < m.n; i++) {
        assert_true(str_eq(m.params[i].name, str_c(rows[i].name)));
        assert_true(str_eq(m.params[i].value, str_c(rows[i].value)));
        assert_int_equal(m.params[i].line, rows[i].line);
        assert_int_equal(m.params[i].overridden_by, 0);
        assert_ptr_equal(postfix_main_find(&m, str_c(rows[i].name)), &m.params[i]);
    }
    assert_int_equal(m.faults.n, 0);
    assert_null(postfix_main_find(&m, S("MYHOSTNAME")));
    assert_null(postfix_main_find(&m, S("")));
}

static void later_wins(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct postfix_main m = parse(a, S("b = 1\na = 1\n\na = 2\nc=1\na =\n"));
    const int overridden_by[] = {0, 6, 6, 0, 0};
    assert_int_equal(m.n, 5);
    for (size_t i = 0; i < m.n; i++)
        assert_int_equal(m.params[i].overridden_by, overridden_by[i]);
    assert_ptr_equal(postfix_main_find(&m, S("a")), &m.params[4]);
    assert_int_equal(m.n_by_name, 3);
}

static void faults(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct postfix_main m = parse(a, S("  indented = 1\n"
                                       "  more\n"
                                       "good = 1\n"
                                       "no equals sign\n"
                                       "two words = 1\n"
                                       "= nameless\n"
                                       "nul = a\0b\n"
                                       "{\n"
                                       " joined\n"
                                       "also = 2\n"));
    static const struct {
        int line;
        const char *why, *text;
    } rows[] = {
        {1, "must not begin with white space", "  indented = 1  more"},
        {4, "name = value", "no equals sign"},
        {5, "name = value", "two words = 1"},
        {6, "a name in front", "= nameless"},
        {7, "NUL", ""},
        {8, "name = value", "{ joined"},
    };
    assert_int_equal(m.n, 2);
    assert_int_equal(m.faults.n, sizeof rows / sizeof *rows);
    for (size_t i = 0; i < m.faults.n; i++) {
        assert_int_equal(m.faults.list[i].line, rows[i].line);
        assert_non_null(strstr(m.faults.list[i].why, rows[i].why));
        assert_true(str_eq(m.faults.list[i].text, str_c(rows[i].text)));
    }
}

static void limits(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(64 << 20);
    AUTO(arena_freep) struct arena *small = arena_new(4000);
    AUTO(buf_deinit) struct buf text = BUF_INIT(4 << 20);
    struct postfix_main m = {0};
    for (int i = 0; i < POSTFIX_PARAMS_MAX; i++)
        buf_printf(&text, "p%d=%d\n", i, i);
    assert_int_equal(parse(a, buf_str(&text)).n, POSTFIX_PARAMS_MAX);
    assert_int_equal(postfix_main_parse(buf_str(&text), small, &m), RC_LIMIT);
    assert_null(m.params);
    buf_puts(&text, S("more=1\n"));
    assert_int_equal(postfix_main_parse(buf_str(&text), a, &m), RC_LIMIT);
    buf_reset(&text);
    for (int i = 0; i < POSTFIX_FAULTS_MAX; i++)
        buf_puts(&text, S("x\n"));
    assert_int_equal(parse(a, buf_str(&text)).faults.n, POSTFIX_FAULTS_MAX);
    buf_puts(&text, S("x\n"));
    assert_int_equal(postfix_main_parse(buf_str(&text), a, &m), RC_LIMIT);
    buf_reset(&text);
    buf_puts(&text, S("a=\n"));
    for (int i = 0; i < 1100; i++) /* of a kibibyte each */
        buf_printf(&text, " %01023d\n", i);
    buf_puts(&text, S("b=1\n"));
    m = parse(a, buf_str(&text));
    assert_int_equal(m.n, 1);
    assert_int_equal(m.faults.n, 1);
    assert_non_null(strstr(m.faults.list[0].why, "too long"));
}

static void format(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(100);
    postfix_main_format(&(struct postfix_param){.name = S("a"), .value = S("b  c")}, &out);
    postfix_main_format(&(struct postfix_param){.name = S("d"), .value = S("")}, &out);
    assert_string_equal(buf_cstr(&out), "a = b  c\nd =\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(entries), cmocka_unit_test(later_wins),
                                       cmocka_unit_test(faults), cmocka_unit_test(limits),
                                       cmocka_unit_test(format)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
