/* imap_match: wildcards of RFC 9051 §6.3.9, and a pattern that makes backtracking matchers exponential. */
#include "fmt/imap_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

static void test_table(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool want;
    } rows[] = {
        {"*", "foo/bar", true},
        {"%", "foo/bar", false},
        {"%", "foo", true},
        {"", "", true},
        {"", "foo", false},
        {"%", "", true},
        {"foo/%", "foo/bar", true},
        {"foo/%", "foo/bar/x", false},
        {"foo/*", "foo/bar/x", true},
        {"%/%", "foo/bar", true},
        {"%/%", "foo", false},
        {"%/%", "a/b/c", false},
        {"*%", "a/b", true},
        {"%*", "a/b", true},
        {"*/%/c", "a/b/c", true},
        {"*o%r", "foo/bar", false},
        {"%o*r", "foo/bar", true},
        {"f%r", "foo/bar", false},
        {"f*b%", "foo/bar", true},
        {"foo", "FOO", false},
        {"foo", "foo", true},
        {"foo%", "foo", true},
        {"inbox", "INBOX", true},
        {"InB%", "INBOX", true},
        {"inbox/x", "INBOX/x", true},
        {"inbox/X", "INBOX/x", false},
        {"inboxes", "INBOXes", false},
        {"**%%**", "a", true},
        {"a", "ab", false},
        {"ab", "a", false},
        {"%.%", "a.b", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (imap_match(str_c(rows[i].pattern), str_c(rows[i].name), '/') != rows[i].want)
            fail_msg("%s against %s", rows[i].pattern, rows[i].name);
    assert_false(imap_match(S("%"), S("a.b"), '.'));
}

/* 100 million steps; with a run of wildcards walked for each of its members it would be 50 thousand million.
 */
static void test_runs_of_wildcards(void **state)
{
    enum { NAME_BYTES = 100000, PATIENCE_MS = 30000 };
    char pattern[IMAP_PATTERN_MAX], *name = malloc(NAME_BYTES);
    (void)state;
    assert_non_null(name);
    memset(pattern, '*', sizeof pattern);
    memset(name, 'a', NAME_BYTES);
    clock_t start = clock(); /* CPU time: the machine may be busy */
    assert_true(imap_match(str_mem(pattern, sizeof pattern), str_mem(name, NAME_BYTES), '/'));
    assert_true((clock() - start) / (CLOCKS_PER_SEC / 1000) < PATIENCE_MS);
    free(name);
}

static void test_no_blow_up(void **state)
{
    char pattern[IMAP_PATTERN_MAX + 1], name[1000];
    (void)state;
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = i % 2 ? 'a' : i % 4 ? '%' : '*';
    memset(name, 'a', sizeof name);
    pattern[IMAP_PATTERN_MAX - 1] = 'b';
    assert_false(imap_match(str_mem(pattern, IMAP_PATTERN_MAX), str_mem(name, sizeof name), '/'));
    memset(pattern, '*', sizeof pattern);
    assert_true(imap_match(str_mem(pattern, IMAP_PATTERN_MAX), str_mem(name, sizeof name), '/'));
    assert_false(imap_match(str_mem(pattern, sizeof pattern), str_mem(name, sizeof name), '/'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_no_blow_up),
        cmocka_unit_test(test_runs_of_wildcards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
