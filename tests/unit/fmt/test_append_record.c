/* The record of an APPEND that is one change: doc/storage.md, malle.append. */
#include "fmt/append_record.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_both_ways(void **state)
{
    static const char text[] = "in append.00ff.0 17.M1.host,S=3,W=4:2,S\n"
                               "in append.00ff.1 a name:2,\n"
                               "out /17.M2.host\nout .Drafts.old ones/b\n";
    struct buf b = BUF_INIT(1000);
    struct append_step step;
    (void)state;
    append_record_put_in(&b, S("append.00ff.0"), S("17.M1.host,S=3,W=4:2,S"));
    append_record_put_in(&b, S("append.00ff.1"), S("a name:2,"));
    append_record_put_out(&b, STR_NONE, S("17.M2.host"));
    append_record_put_out(&b, S(".Drafts.old ones"), S("b"));
    assert_string_equal(buf_cstr(&b), text);
    str rest = buf_str(&b);
    assert_int_equal(append_record_next(&rest, &step), RC_OK);
    assert_true(!step.out && str_eq(step.tmp, S("append.00ff.0")) &&
                str_eq(step.name, S("17.M1.host,S=3,W=4:2,S")));
    assert_int_equal(append_record_next(&rest, &step), RC_OK);
    assert_true(!step.out && str_eq(step.name, S("a name:2,")));
    assert_int_equal(append_record_next(&rest, &step), RC_OK);
    assert_true(step.out && step.folder.n == 0 && str_eq(step.base, S("17.M2.host")));
    assert_int_equal(append_record_next(&rest, &step), RC_OK);
    assert_true(step.out && str_eq(step.folder, S(".Drafts.old ones")) && str_eq(step.base, S("b")));
    assert_int_equal(append_record_next(&rest, &step), RC_GONE);
    buf_deinit(&b);
}

static void test_refused(void **state)
{
    static const char *const rows[] = {
        "in append.1 x", /* torn */
        "\n",
        "on append.1 x\n",
        "in append.1\n",
        "in append. x\n",
        "in malle.use x\n",
        "in append./../x y\n",
        "in append.1 .x\n",
        "in append.1 ../x\n",
        "in append.1 a/b\n",
        "out x\n",
        "out x/y\n",
        "out ./y\n",
        "out ../y\n",
        "out ..a/y\n",
        "out .a/../y\n",
        "out .a/b:2,S\n",
        "out .a/\n",
        "out .\xc3\xa9/b\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str rest = str_c(rows[i]);
        struct append_step step;
        if (append_record_next(&rest, &step) != RC_INVALID)
            fail_msg("row %zu", i);
        assert_true(str_eq(rest, str_c(rows[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_ways), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
