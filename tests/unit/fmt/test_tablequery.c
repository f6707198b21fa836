/* tablequery: templates of ldap_table(5), pgsql_table(5), sqlite_table(5); quoting of RFC 4514 §4, RFC 4515
 * §4. */
#include "fmt/tablequery.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void templates(void **state)
{
    assert_null(tablequery_check(S("SELECT a FROM b WHERE c='%s' AND d LIKE '%%%u' %d%S%U%D%1%9")));
    assert_non_null(tablequery_check(S("%x")));
    assert_non_null(tablequery_check(S("%0")));
    assert_non_null(tablequery_check(S("100%")));
    assert_non_null(tablequery_check(S("%\0")));
}

static void queries(void **state)
{
    static const struct {
        const char *text, *key, *query; /* NULL: suppressed */
    } rows[] = {
        {"'%s'", "joe@example.com", "'joe@example.com'"},
        {"'%s'", "o'hara", "'o''hara'"},
        {"%u at %d", "joe@example.com", "joe at example.com"},
        {"%u", "joe", "joe"}, /* the whole key */
        {"%u", "@example.com", NULL},
        {"%d", "joe", NULL},
        {"%d", "joe@", NULL},
        {"%1 %2 %3", "user@mail.example.com", "com example mail"},
        {"%4", "user@mail.example.com", NULL},
        {"%1", "mail.example.com", NULL},
        {"%1", "user@mail.example.", NULL},
        {"%U%%%D", "a@b@c.d", "a@b%c.d"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(100);
        enum rc rc =
            tablequery_put(&out, str_c(rows[i].text), str_c(rows[i].key), tablequery_quote_sql, NULL);
        assert_int_equal(rc, rows[i].query ? RC_OK : RC_GONE);
        if (rows[i].query)
            assert_string_equal(buf_cstr(&out), rows[i].query);
    }
    AUTO(buf_deinit) struct buf small = BUF_INIT(3);
    assert_int_equal(tablequery_put(&small, S("%s"), S("abcd"), NULL, NULL), RC_LIMIT);
}

static void results(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(200);
    assert_int_equal(tablequery_put_result(&out, S("smtp:[%s]"), S("k@example.com"), S("mx.test")), RC_OK);
    assert_int_equal(tablequery_put_result(&out, S("%s"), S("k"), S("")), RC_GONE);
    assert_int_equal(tablequery_put_result(&out, S("%u of %D"), S("k@example.com"), S("a@b")), RC_OK);
    assert_int_equal(tablequery_put_result(&out, S("%d"), S("k@example.com"), S("unqualified")), RC_GONE);
    assert_int_equal(tablequery_put_result(&out, S("x%u"), S("k"), S("@b")), RC_GONE);
    assert_int_equal(tablequery_put_result(&out, S("%2"), S("k@a.b"), S("v")), RC_OK);
    assert_string_equal(buf_cstr(&out), "smtp:[mx.test],a of example.com,a");
}

static void quoting(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(200);
    tablequery_quote_filter(NULL, &out, S("Parens R Us (for all your parenthetical needs)"));
    assert_string_equal(buf_cstr(&out), "Parens R Us \\28for all your parenthetical needs\\29");
    buf_reset(&out);
    tablequery_quote_filter(NULL, &out, S("C:\\*\0"));
    assert_string_equal(buf_cstr(&out), "C:\\5c\\2a\\00");
    buf_reset(&out);
    tablequery_quote_dn(NULL, &out, S("James \"Jim\" Smith, III"));
    assert_string_equal(buf_cstr(&out), "James \\\"Jim\\\" Smith\\, III");
    buf_reset(&out);
    tablequery_quote_dn(NULL, &out, S(" #a=b+c "));
    assert_string_equal(buf_cstr(&out), "\\ #a\\=b\\+c\\ ");
    buf_reset(&out);
    tablequery_quote_dn(NULL, &out, S("#\0"));
    assert_string_equal(buf_cstr(&out), "\\#\\00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates),
        cmocka_unit_test(queries),
        cmocka_unit_test(results),
        cmocka_unit_test(quoting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
