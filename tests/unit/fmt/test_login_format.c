/* login_format: lines about log-ins, as Dovecot makes them. */
#include "fmt/login_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ELEMENTS "user=<%u> method=%m rip=%r lip=%l mpid=%e %c session=<%{session}>"

static const char *user = "joe@malle.test";

static str find(void *ctx, str name)
{
    const struct {
        str name, value;
    } all[] = {{S("user"), str_c(user)}, {S("mech"), S("PLAIN")},  {S("rip"), S("192.0.2.1")},
               {S("lip"), S("::1")},     {S("mpid"), S("")},       {S("secured"), S("TLS")},
               {S("domain"), S("")},     {S("session"), S("a/+b")}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (str_eq(name, all[i].name))
            return all[i].value;
    return STR_NONE;
}

static const char *put(const char *format, const char *elements, enum rc expected)
{
    static char text[2000];
    AUTO(buf_deinit) struct buf out = BUF_INIT(sizeof text);
    struct err e = {0};
    buf_putc(&out, '>');
    assert_int_equal(login_format_put(str_c(format), str_c(elements), S("Login"), find, NULL, &out, &e),
                     expected);
    assert_int_equal(e.rc, expected);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    return text;
}

static void lines(void **state)
{
    user = "joe@malle.test";
    assert_string_equal(
        put("%$: %s", ELEMENTS, RC_OK),
        ">Login: user=<joe@malle.test>, method=PLAIN, rip=192.0.2.1, lip=::1, TLS, session=<a/+b>");
    assert_string_equal(put("100%% %s (%$)", "%Uu x=%d only", RC_OK), ">100% JOE@MALLE.TEST (Login)");
    assert_string_equal(put("%$", ELEMENTS, RC_OK), ">Login");
    user = "";
    assert_string_equal(put("%$: %s", "user=<%u> m=%e", RC_OK), ">Login: user=<>");
    assert_string_equal(put("%$: %s", "", RC_OK), ">Login: ");
}

static void wrong_ones(void **state)
{
    assert_string_equal(put("%$: %x", ELEMENTS, RC_GONE), ">");
    assert_string_equal(put("%$ %", ELEMENTS, RC_GONE), ">");
    assert_string_equal(put("%s", "a=%{nosuch}", RC_GONE), ">");
    assert_string_equal(put("%s", "a=%{session", RC_INVALID), ">");
    assert_string_equal(put("%s", "a=%{if;%u;eq;x;y;z}", RC_PERM), ">");
    AUTO(buf_deinit) struct buf many = BUF_INIT(400);
    for (int i = 0; i <= LOGIN_FORMAT_ELEMENTS_MAX; i++)
        buf_puts(&many, S("%r "));
    assert_string_equal(put("%s", buf_cstr(&many), RC_LIMIT), ">");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(wrong_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
