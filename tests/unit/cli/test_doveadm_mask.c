/* Masks of doveadm user, who and kick. */
#include "cli/doveadm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void rows(void **state)
{
    static const struct {
        const char *mask, *name;
        bool fits;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "joe@example.com", true},
        {"?", "", false},
        {"?", "a", true},
        {"?", "ab", false},
        {"joe", "JOE", true},
        {"joe", "joey", false},
        {"joey", "joe", false},
        {"joe*", "joe", true},
        {"*@example.com", "joe@example.com", true},
        {"*@example.com", "joe@example.net", false},
        {"j*e@*.com", "josie@example.com", true},
        {"*a*b*c", "aXXbXXbXc", true},
        {"*a*b*c", "aXXcXXb", false},
        {"*ab", "aaab", true}, /* the star gives back */
        {"a**b", "ab", true},
        {"[j]oe", "joe", false}, /* no other characters are special */
        {"\\*", "*", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (doveadm_mask_fits(rows[i].mask, rows[i].name) != rows[i].fits)
            fail_msg("\"%s\" and \"%s\"", rows[i].mask, rows[i].name);
}

static void many_stars_take_no_time(void **state)
{
    char mask[2001], name[5001];
    memset(name, 'a', 5000);
    name[5000] = '\0';
    for (size_t i = 0; i < 2000; i += 2)
        memcpy(mask + i, "*a", 2);
    mask[1999] = 'b';
    mask[2000] = '\0';
    assert_false(doveadm_mask_fits(mask, name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(many_stars_take_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
