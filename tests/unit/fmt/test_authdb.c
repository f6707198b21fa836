/* authdb: the options passdb and userdb, lists of fields, and masks of names. */
#include "fmt/authdb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void options(void **state)
{
    struct authdb list[AUTHDB_MAX];
    size_t n = 9;
    assert_int_equal(authdb_parse(S(""), true, list, &n, NULL), RC_OK);
    assert_int_equal(n, 0);
    str option = S("{driver=passwd-file, {args = scheme=SHA512-CRYPT username_format=%n /etc/a b/%d}, "
                   "deny=yes}, {driver=pam, pass=yes}\n"
                   "{driver=sql, args=/x.conf, skip=authenticated, result_failure=return-fail, "
                   "{default_fields = a=b c={d}}}");
    assert_int_equal(authdb_parse(option, true, list, &n, NULL), RC_OK);
    assert_int_equal(n, 3);
    assert_int_equal(list[0].driver, AUTHDB_PASSWD_FILE);
    assert_true(str_eq(list[0].path, S("/etc/a b/%d")) && str_eq(list[0].scheme, S("SHA512-CRYPT")));
    assert_true(str_eq(list[0].username_format, S("%n")) && list[0].deny);
    assert_true(list[1].driver == AUTHDB_PAM && list[1].success == AUTHDB_CONTINUE && !list[1].deny);
    assert_true(list[2].driver == AUTHDB_SQL && list[2].skip == AUTHDB_IF_FOUND &&
                list[2].failure == AUTHDB_RETURN_FAIL);
    assert_true(list[2].success == AUTHDB_RETURN_OK && list[2].internalfail == AUTHDB_CONTINUE);
    assert_true(str_eq(list[2].default_fields, S("a=b c={d}")) && str_eq(list[2].path, S("/x.conf")));
}

static void faults(void **state)
{
    static const struct {
        const char *option;
        bool passdb;
        const char *says;
    } rows[] = {
        {"driver=pam", true, "stands in braces"},
        {"{driver=pam", true, "braces do not match"},
        {"{args=/x}", true, "driver is missing"},
        {"{driver=lua}", true, "no passdb \"lua\""},
        {"{driver=pam}", false, "no userdb \"pam\""},
        {"{driver=prefetch}", true, "no passdb"},
        {"{driver=static, deny=yes}", false, "no setting of a userdb"},
        {"{driver=pam, deny=maybe}", true, "yes or no"},
        {"{driver=pam, skip=often}", true, "skip"},
        {"{driver=pam, result_success=stop}", true, "is no result"},
        {"{driver=pam, master=maybe}", true, "yes or no"},
        {"{driver=passwd, master=yes}", false, "no setting of a userdb"},
        {"{driver=pam, x}", true, "not name=value"},
        {"{driver=passwd-file, args=users}", true, "/PATH"},
        {"{driver=passwd-file}", true, "/PATH"},
        {"{driver=sql}", false, "/PATH"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct authdb list[AUTHDB_MAX];
        struct err e = {0};
        size_t n = 7;
        assert_int_equal(authdb_parse(str_c(rows[i].option), rows[i].passdb, list, &n, &e), RC_PERM);
        assert_non_null(strstr(err_text(&e), rows[i].says));
        assert_int_equal(n, 7);
    }
    AUTO(buf_deinit) struct buf many = BUF_INIT(4096);
    struct authdb list[AUTHDB_MAX];
    size_t n;
    for (int i = 0; i <= AUTHDB_MAX; i++)
        buf_puts(&many, S("{driver=pam}"));
    assert_int_equal(authdb_parse(buf_str(&many), true, list, &n, NULL), RC_PERM);
}

static void settings_there_and_back(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(500);
    struct authdb list[AUTHDB_MAX];
    size_t n;
    assert_int_equal(authdb_put_setting(&out, true, S("driver"), S("static")), RC_OK);
    assert_int_equal(authdb_put_setting(&out, false, S("args"), S("uid=1, home=/x/%{if;a;eq;b;c;d}")), RC_OK);
    size_t before = out.n;
    assert_int_equal(authdb_put_setting(&out, false, S("args"), S("a}, {deny=no")), RC_INVALID);
    assert_int_equal(authdb_put_setting(&out, false, S("args"), S("a{")), RC_INVALID);
    assert_int_equal(out.n, before);
    buf_putc(&out, '}');
    assert_int_equal(authdb_parse(buf_str(&out), false, list, &n, NULL), RC_OK);
    assert_true(n == 1 && str_eq(list[0].args, S("uid=1, home=/x/%{if;a;eq;b;c;d}")));
}

static void fields(void **state)
{
    static const char *const expected[][2] = {{"uid", "5000"}, {"home", "/a b"}, {"flag", ""}, {"c", "d=e"}};
    str list = S("  uid=5000 home=/a\\ b\tflag c=d=e "), name, value;
    AUTO(arena_freep) struct arena *a = arena_new(4096);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(authdb_take_field(&list, a, &name, &value), RC_OK);
        assert_true(str_eq(name, str_c(expected[i][0])) && str_eq(value, str_c(expected[i][1])));
    }
    assert_int_equal(authdb_take_field(&list, a, &name, &value), RC_GONE);
}

static void masks(void **state)
{
    static const struct {
        const char *filter, *user;
        bool fits;
    } rows[] = {{"", "a", true},           {"*@x.y", "a@x.y", true},
                {"*@x.y", "a@z.y", false}, {"!a@x.y", "a@x.y", false},
                {"!a@x.y", "b", true},     {"a* !ab", "ab", false},
                {"a*, !ab", "ac", true},   {"?@x", "ab@x", false},
                {"b a", "a", true},        {"*a*b*", "xaxbx", true},
                {"*a*b*", "xbxax", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(authdb_filter_fits(str_c(rows[i].filter), str_c(rows[i].user)), rows[i].fits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(options), cmocka_unit_test(faults),
                                       cmocka_unit_test(settings_there_and_back), cmocka_unit_test(fields),
                                       cmocka_unit_test(masks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
