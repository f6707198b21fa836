/* passwd_file: lines, whole and cut short, and what does not count. */
#include "fmt/passwd_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void entries(void **state)
{
    str text = S("# joe:no\n\n:x:1\njoe:{PLAIN}a:1:2:Joe:/home/joe:/bin/sh:userdb_x=y:z "
                 "b=c\r\njoe:second\nann:b\nlast");
    struct passwd_entry e;
    assert_int_equal(passwd_file_find(text, S("joe"), &e), RC_OK);
    assert_true(str_eq(e.password, S("{PLAIN}a")) && str_eq(e.uid, S("1")) && str_eq(e.gid, S("2")));
    assert_true(str_eq(e.home, S("/home/joe")) && str_eq(e.extra, S("userdb_x=y:z b=c")));
    assert_int_equal(passwd_file_find(text, S("ann"), &e), RC_OK);
    assert_true(str_eq(e.password, S("b")) && !e.uid.p && !e.home.p && !e.extra.p);
    assert_int_equal(passwd_file_find(text, S("last"), &e), RC_OK);
    assert_int_equal(e.password.n, 0);
    static const char *const none[] = {"", "jo", "joe:", "# joe", "Joe", "x"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(passwd_file_find(text, str_c(none[i]), &e), RC_GONE);
    size_t n = 0;
    while (passwd_file_next(&text, &e) == RC_OK)
        n++;
    assert_int_equal(n, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(entries)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
