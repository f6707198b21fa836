/* authdb_fields: fields as text and back, and variables where names are attacks. */
#include "fmt/authdb_fields.h"

#include "fmt/tablequery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void there_and_back(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(4096);
    AUTO(buf_deinit) struct buf text = BUF_INIT(1000);
    struct authdb_fields f = {.n = 0}, back;
    assert_int_equal(authdb_fields_set(&f, S("user"), S("joe\tx\n\001")), RC_OK);
    assert_int_equal(authdb_fields_set(&f, S("home"), S("/old")), RC_OK);
    assert_int_equal(authdb_fields_set(&f, S("home"), S("/a=b")), RC_OK);
    assert_int_equal(authdb_fields_set(&f, S("gone"), S("x")), RC_OK);
    authdb_fields_del(&f, S("gone"));
    authdb_fields_del(&f, S("never"));
    authdb_fields_put(&text, &f);
    assert_string_equal(buf_cstr(&text), "\tuser=joe\001tx\001n\0011\thome=/a=b");
    assert_int_equal(authdb_fields_parse(buf_str(&text), a, &back), RC_OK);
    assert_int_equal(back.n, 2);
    assert_true(str_eq(authdb_fields_value(&back, S("user")), S("joe\tx\n\001")));
    assert_true(str_eq(authdb_fields_value(&back, S("home")), S("/a=b")));
    assert_null(authdb_fields_find(&back, S("gone")));
    assert_int_equal(authdb_fields_value(&back, S("gone")).n, 0);
}

static void malformed(void **state)
{
    static const char *const bad[] = {"a=b", "\ta", "\t=b", "\ta=b\t", "\ta=\001", "\ta=\0010"};
    AUTO(arena_freep) struct arena *a = arena_new(4096);
    struct authdb_fields f;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(authdb_fields_parse(str_c(bad[i]), a, &f), i == 3 ? RC_OK : RC_INVALID);
    AUTO(buf_deinit) struct buf many = BUF_INIT(8192);
    for (int i = 0; i <= AUTHDB_FIELDS_MAX; i++)
        buf_printf(&many, "\tf%d=x", i);
    assert_int_equal(authdb_fields_parse(buf_str(&many), a, &f), RC_LIMIT);
}

static void variables(void **state)
{
    static const struct {
        const char *text, *user;
        bool is_path, sql;
        enum rc rc;
        const char *expanded;
    } rows[] = {
        {"/m/%d/%n", "joe@x.y", true, false, RC_OK, "/m/x.y/joe"},
        {"/m/%Ld/%1n/%u", "joe@X.Y", true, false, RC_OK, "/m/x.y/j/joe@X.Y"},
        {"/m/%n", "../a", true, false, RC_INVALID, NULL},
        {"/m/%d", "a@..", true, false, RC_INVALID, NULL},
        {"/m/%u", "a/b", true, false, RC_INVALID, NULL},
        {"/m/%u", "a\nb", true, false, RC_INVALID, NULL},
        {"%u", "a/b", false, false, RC_OK, "a/b"},
        {"'%u'", "a'b", false, true, RC_OK, "'a''b'"},
        {"'%1u'", "'b", false, true, RC_OK, "''''"}, /* quoted after it was cut */
        {"%w", "a", false, false, RC_GONE, NULL},
        {"%{nothing}", "a", false, false, RC_GONE, NULL},
        {"%s %r %{mech}", "a", false, false, RC_OK, "imap ::1 PLAIN"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(200);
        const struct authdb_vars vars = {.user = str_c(rows[i].user),
                                         .service = S("imap"),
                                         .client_ip = S("::1"),
                                         .mechanism = S("PLAIN")};
        const struct authdb_expansion x = {
            .vars = &vars, .is_path = rows[i].is_path, .quote = rows[i].sql ? tablequery_quote_sql : NULL};
        assert_int_equal(authdb_expand(str_c(rows[i].text), &x, &out, NULL), rows[i].rc);
        if (rows[i].rc == RC_OK)
            assert_string_equal(buf_cstr(&out), rows[i].expanded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back), cmocka_unit_test(malformed),
                                       cmocka_unit_test(variables)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
