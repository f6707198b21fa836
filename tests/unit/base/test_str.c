/* base/str: comparing, searching and cutting, with empty and NULL views everywhere. */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

static void compares(void **state)
{
    static const struct {
        str a, b;
        int cmp, icmp;
    } rows[] = {
        {{NULL, 0}, {NULL, 0}, 0, 0},
        {{NULL, 0}, {"", 0}, 0, 0},
        {{NULL, 0}, {"a", 1}, -1, -1},
        {{"a", 1}, {"b", 1}, -1, -1},
        {{"ab", 2}, {"abc", 3}, -1, -1},
        {{"ab", 2}, {"AB", 2}, 1, 0},
        {{"aB", 2}, {"Ab", 2}, 1, 0},
        {{"a\0b", 3}, {"a\0c", 3}, -1, -1},
        {{"\xff", 1}, {"a", 1}, 1, 1},
        {{"\xc3\x89", 2}, {"\xc3\xa9", 2}, -1, -1}, /* only ASCII is folded */
        {{"[", 1}, {"{", 1}, -1, -1},
        {{"@", 1}, {"`", 1}, -1, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str a = rows[i].a, b = rows[i].b;
        assert_int_equal(sign(str_cmp(a, b)), rows[i].cmp);
        assert_int_equal(sign(str_cmp(b, a)), -rows[i].cmp);
        assert_int_equal(sign(str_icmp(a, b)), rows[i].icmp);
        assert_int_equal(sign(str_icmp(b, a)), -rows[i].icmp);
        assert_int_equal(str_eq(a, b), rows[i].cmp == 0);
        assert_int_equal(str_ieq(a, b), rows[i].icmp == 0);
        assert_int_equal(str_eq_const_time(a, b), rows[i].cmp == 0);
    }
}

static void starts_and_ends(void **state)
{
    assert_true(str_starts(S("MAIL FROM"), S("MAIL")));
    assert_false(str_starts(S("mail from"), S("MAIL")));
    assert_true(str_istarts(S("mail from"), S("MAIL")));
    assert_false(str_starts(S("MA"), S("MAIL")));
    assert_true(str_starts(STR_NONE, STR_NONE));
    assert_true(str_ends(S("a.example"), S(".example")));
    assert_false(str_ends(S("a.EXAMPLE"), S(".example")));
    assert_true(str_iends(S("a.EXAMPLE"), S(".example")));
    assert_false(str_iends(S("example"), S(".example")));
    assert_true(str_ends(S("a"), STR_NONE));
    assert_false(str_ends(STR_NONE, S("a")));
}

static void searches(void **state)
{
    assert_int_equal(str_chr(S("a@b@c"), '@'), 1);
    assert_int_equal(str_rchr(S("a@b@c"), '@'), 3);
    assert_int_equal(str_chr(S("abc"), '@'), -1);
    assert_int_equal(str_rchr(STR_NONE, '@'), -1);
    assert_int_equal(str_chr(STR_NONE, '\0'), -1);
    assert_int_equal(str_find(S("ababac"), S("abac")), 2);
    assert_int_equal(str_find(S("ababa"), S("abac")), -1);
    assert_int_equal(str_find(S("ab"), S("abc")), -1);
    assert_int_equal(str_find(S("ab"), STR_NONE), 0);
    assert_int_equal(str_find(STR_NONE, S("a")), -1);
    assert_int_equal(str_ifind(S("xxABAbac"), S("aBAC")), 4);
    assert_int_equal(str_ifind(S("xxABA"), S("abac")), -1);
    assert_int_equal(str_ifind(S("ab"), S("abc")), -1);
    assert_int_equal(str_ifind(STR_NONE, STR_NONE), 0);
}

static void cuts(void **state)
{
    str s = S("hello");
    assert_true(str_eq(str_sub(s, 1, 3), S("ell")));
    assert_true(str_eq(str_sub(s, 3, SIZE_MAX), S("lo")));
    assert_int_equal(str_sub(s, 5, 1).n, 0);
    assert_int_equal(str_sub(s, SIZE_MAX, SIZE_MAX).n, 0);
    assert_int_equal(str_sub(STR_NONE, 3, 3).n, 0);
    assert_true(str_eq(str_from(s, 2), S("llo")));
    assert_true(str_eq(str_trim(S(" \t\r\na b\r\n")), S("a b")));
    assert_int_equal(str_trim(S(" \t ")).n, 0);
    assert_int_equal(str_trim(STR_NONE).n, 0);
}

static void takes_fields(void **state)
{
    str s = S("a,,b,");
    assert_true(str_eq(str_take(&s, ','), S("a")));
    assert_true(str_eq(str_take(&s, ','), S("")));
    assert_true(str_eq(str_take(&s, ','), S("b")));
    assert_non_null(s.p); /* an empty last field is still to come */
    assert_true(str_eq(str_take(&s, ','), S("")));
    assert_null(s.p);
    assert_int_equal(str_take(&s, ',').n, 0);
}

static void takes_words(void **state)
{
    str s = S(" \tRCPT  TO:<a>\tX ");
    assert_true(str_eq(str_word(&s), S("RCPT")));
    assert_true(str_eq(str_word(&s), S("TO:<a>")));
    assert_true(str_eq(str_word(&s), S("X")));
    assert_int_equal(str_word(&s).n, 0);
    assert_int_equal(s.n, 0);
    s = STR_NONE;
    assert_int_equal(str_word(&s).n, 0);
}

static void copies(void **state)
{
    AUTO(str_freep) char *copy = str_dup(S("abc"));
    AUTO(str_freep) char *empty = str_dup(STR_NONE);
    assert_string_equal(copy, "abc");
    assert_string_equal(empty, "");
    char dst[4] = "xxx";
    assert_int_equal(str_copy(dst, sizeof dst, S("abc")), RC_OK);
    assert_string_equal(dst, "abc");
    assert_int_equal(str_copy(dst, sizeof dst, S("abcd")), RC_LIMIT);
    assert_string_equal(dst, "");
    assert_int_equal(str_copy(dst, sizeof dst, str_mem("a\0b", 3)), RC_LIMIT);
    assert_string_equal(dst, "");
    assert_int_equal(str_copy(dst, sizeof dst, STR_NONE), RC_OK);
    assert_int_equal(str_copy(dst, 0, STR_NONE), RC_LIMIT);
}

static void ascii_classes(void **state)
{
    for (int c = -128; c < 128; c++) {
        bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
        assert_int_equal(ascii_lower((char)c), upper ? c + 32 : c);
        assert_int_equal(ascii_upper((char)c), lower ? c - 32 : c);
        assert_int_equal(ascii_alnum((char)c), upper || lower || digit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares), cmocka_unit_test(starts_and_ends), cmocka_unit_test(searches),
        cmocka_unit_test(cuts),     cmocka_unit_test(takes_fields),    cmocka_unit_test(takes_words),
        cmocka_unit_test(copies),   cmocka_unit_test(ascii_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
