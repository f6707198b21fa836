/* dovecot_ext: settings with comments, quotes and lines that go on. */
#include "fmt/dovecot_ext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void settings(void **state)
{
    static const struct {
        const char *name, *value;
        int line;
    } rows[] = {{"driver", "pgsql", 3},
                {"connect", "host=x password=\"a#b\"", 4},
                {"query", "SELECT a FROM b WHERE u = '%u' AND 1", 7},
                {"quoted", "x # y ", 8},
                {"empty", "", 9}};
    struct dovecot_ext x = {
        .rest = S("# comment\n\ndriver=pgsql\n connect = host=x password=\"a#b\" # that was it\n"
                  "query = SELECT a \\\n  FROM b \\ # here, too\n WHERE u = '%u' AND 1\n"
                  "quoted = \"x # y \"\nempty =\nnothing\nlast = 1")};
    AUTO(buf_deinit) struct buf joined = BUF_INIT(200);
    str name, value;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(dovecot_ext_next(&x, &joined, &name, &value), RC_OK);
        assert_true(str_eq(name, str_c(rows[i].name)) && str_eq(value, str_c(rows[i].value)));
        assert_int_equal(x.line, rows[i].line);
    }
    assert_int_equal(dovecot_ext_next(&x, &joined, &name, &value), RC_INVALID);
    assert_int_equal(dovecot_ext_next(&x, &joined, &name, &value), RC_OK);
    assert_true(str_eq(name, S("last")) && str_eq(value, S("1")));
    assert_int_equal(dovecot_ext_next(&x, &joined, &name, &value), RC_GONE);
}

static void limits(void **state)
{
    struct dovecot_ext x = {.rest = S("a = 0123456789\nb=1\n")};
    AUTO(buf_deinit) struct buf joined = BUF_INIT(8);
    str name, value;
    assert_int_equal(dovecot_ext_next(&x, &joined, &name, &value), RC_INVALID);
    assert_int_equal(dovecot_ext_next(&x, &joined, &name, &value), RC_OK);
    assert_true(str_eq(name, S("b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(settings), cmocka_unit_test(limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
