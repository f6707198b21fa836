/* pcre: groups, flags, subjects that are not UTF-8, and limits. */
#include "fmt/pcre.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static enum rc match(const char *pattern, unsigned flags, str subject, str *groups, size_t count)
{
    struct pcre *p = NULL;
    struct err e = {0};
    assert_int_equal(pcre_new(str_c(pattern), flags, &p, &e), RC_OK);
    enum rc rc = pcre_match(p, subject, groups, count);
    pcre_free(p);
    return rc;
}

static void groups_are_views(void **state)
{
    str g[4] = {0};
    assert_int_equal(
        match("^(?!owner-)(.*)-outgoing@(.*)", PCRE_CASELESS, S("List-outgoing@example.com"), g, 4), RC_OK);
    assert_true(str_eq(g[0], S("List-outgoing@example.com")));
    assert_true(str_eq(g[1], S("List")) && str_eq(g[2], S("example.com")));
    assert_true(g[3].n == 0);
    assert_int_equal(match("^(?!owner-)(.*)-outgoing@(.*)", 0, S("owner-x-outgoing@example.com"), g, 4),
                     RC_GONE);
    assert_int_equal(match("(a)|(b)", 0, S("b"), g, 3), RC_OK);
    assert_true(g[1].n == 0 && str_eq(g[2], S("b")));
    assert_int_equal(match("", 0, STR_NONE, g, 1), RC_OK);
    assert_int_equal(match("a\\Kb(?<=b)", 0, S("ab"), g, 1), RC_OK);
}

static void flags(void **state)
{
    str g[1];
    assert_int_equal(match("A", 0, S("a"), g, 1), RC_GONE);
    assert_int_equal(match("A", PCRE_CASELESS, S("a"), g, 1), RC_OK);
    assert_int_equal(match("^b", 0, S("a\nb"), g, 1), RC_GONE);
    assert_int_equal(match("^b", PCRE_MULTILINE, S("a\nb"), g, 1), RC_OK);
    assert_int_equal(match("a.b", 0, S("a\nb"), g, 1), RC_GONE);
    assert_int_equal(match("a.b", PCRE_DOTALL, S("a\nb"), g, 1), RC_OK);
    assert_int_equal(match("a b", PCRE_EXTENDED, S("ab"), g, 1), RC_OK);
    assert_int_equal(match("b", PCRE_ANCHORED, S("ab"), g, 1), RC_GONE);
    assert_int_equal(match("a$", 0, S("a\n"), g, 1), RC_OK);
    assert_int_equal(match("a$", PCRE_DOLLAR_ENDONLY, S("a\n"), g, 1), RC_GONE);
    assert_int_equal(match("a+", PCRE_UNGREEDY, S("aaa"), g, 1), RC_OK);
    assert_int_equal(g[0].n, 1);
    assert_int_equal(match("^.$", 0, S("\303\251"), g, 1), RC_OK); /* one character */
    assert_int_equal(match("b", 0, S("\377b"), g, 1), RC_OK);
}

static void errors_and_limits(void **state)
{
    struct pcre *p = NULL;
    struct err e = {0};
    str g[1];
    char subject[60];
    memset(subject, 'a', sizeof subject);
    assert_int_equal(pcre_new(S("(bad"), 0, &p, &e), RC_INVALID);
    assert_non_null(strstr(err_text(&e), "at byte 4"));
    assert_int_equal(match("^(a+)+$", 0, str_mem(subject, sizeof subject), g, 1), RC_OK);
    subject[sizeof subject - 1] = '!';
    assert_int_equal(match("^(a+)+$", 0, str_mem(subject, sizeof subject), g, 1), RC_LIMIT); /* 2^59 ways */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_views),
        cmocka_unit_test(flags),
        cmocka_unit_test(errors_and_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
