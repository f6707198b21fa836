/* macro: Postfix's $-expansions. */
#include "fmt/macro.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool find(void *ctx, str name, str *ret)
{
    if (str_eq(name, S("user")))
        *ret = S("joe");
    else if (str_eq(name, S("bad")))
        *ret = S("a;b`c\"d");
    else if (str_eq(name, S("dollar")))
        *ret = S("$user");
    else
        return str_eq(name, S("empty"));
    return true;
}

static void expansions(void **state)
{
    static const struct {
        const char *text, *wanted;
        enum rc rc;
        bool undefined;
    } rows[] = {
        {"", "", RC_OK, false},
        {"plain {text}", "plain {text}", RC_OK, false},
        {"$user", "joe", RC_OK, false},
        {"/home/$user/.forward", "/home/joe/.forward", RC_OK, false},
        {"${user}x$(user)", "joexjoe", RC_OK, false},
        {"$$user $$", "$user $", RC_OK, false},
        {"[$none][$empty]", "[][]", RC_OK, true},
        {"${user?yes}${user:no}", "yes", RC_OK, false},
        {"${none?yes}${none:no}${empty:e}", "noe", RC_OK, false},
        {"${user?{yes $user}:{no}}", "yes joe", RC_OK, false},
        {"${none?{yes}:{ no $user }}", "no joe", RC_OK, false},
        {"${none?{yes}}${none:{no}}", "no", RC_OK, false},
        {"${user?${none:x}}", "x", RC_OK, false},
        {"$dollar", "$user", RC_OK, false}, /* values are not expanded again */
        {"$", "", RC_INVALID, false},
        {"${", "", RC_INVALID, false},
        {"${user", "", RC_INVALID, false},
        {"${}", "", RC_INVALID, false},
        {"$-", "", RC_INVALID, false},
        {"${user!x}", "", RC_INVALID, false},
        {"${user?{a}:b}", "", RC_INVALID, false},
        {"${user?{a}{b}}", "", RC_INVALID, false},
        {"${user?{a}", "", RC_INVALID, false},
        {"${a?${a?${a?${a?${a?${a?${a?${a?${a?${a?${a?${a?x}}}}}}}}}}}}", "", RC_OK, false},
        {"${user?${user?${user?${user?${user?${user?${user?${user?${user?${user?${user?x}}}}}}}}}}}", "",
         RC_LIMIT, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(100);
        const struct macro_env env = {.find = find};
        bool undefined = false;
        enum rc rc = macro_expand(str_c(rows[i].text), &env, &out, &undefined);
        if (rc != rows[i].rc ||
            (rc == RC_OK && (strcmp(buf_cstr(&out), rows[i].wanted) != 0 || undefined != rows[i].undefined)))
            fail_msg("%s: %s \"%s\" %d", rows[i].text, rc_name(rc), buf_cstr(&out), undefined);
    }
}

static void filter(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(100);
    const struct macro_env env = {.find = find, .safe = "abcd;"};
    assert_int_equal(macro_expand(S("`$bad`"), &env, &out, NULL), RC_OK);
    assert_string_equal(buf_cstr(&out), "`a;b_c_d`");
    buf_reset(&out);
    macro_put_safe(&out, S("a\0b"), "ab");
    assert_string_equal(buf_cstr(&out), "a_b");
}

static void too_large(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(5);
    const struct macro_env env = {.find = find};
    assert_int_equal(macro_expand(S("$user$user"), &env, &out, NULL), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(expansions), cmocka_unit_test(filter),
                                       cmocka_unit_test(too_large)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
