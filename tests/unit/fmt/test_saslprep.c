/* fmt/saslprep: the examples of RFC 4013 §3, further mappings, and what is refused. */
#include "fmt/saslprep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void examples(void **state)
{
    static const struct {
        str in;
        bool stored;
        enum rc rc;
        str out;
    } rows[] = {
        /* RFC 4013 §3 */
        {S("I\xc2\xadX"), true, RC_OK, S("IX")},
        {S("user"), true, RC_OK, S("user")},
        {S("USER"), true, RC_OK, S("USER")},
        {S("\xc2\xaa"), true, RC_OK, S("a")},
        {S("\xe2\x85\xa8"), true, RC_OK, S("IX")},
        {S("\x07"), true, RC_INVALID, S("")},
        {S("\xd8\xa7\x31"), true, RC_INVALID, S("")},
        /* right-to-left at both ends; mixed with left-to-right */
        {S("\xd8\xa7\x31\xd8\xa8"), true, RC_OK, S("\xd8\xa7\x31\xd8\xa8")},
        {S("\xd8\xa7\x61\xd8\xa8"), true, RC_INVALID, S("")},
        /* a no-break space becomes a space; composition */
        {S("a\xc2\xa0z"), true, RC_OK, S("a z")},
        {S("u\xcc\x88"), true, RC_OK, S("\xc3\xbc")},
        {S(""), true, RC_OK, S("")},
        {S("\x7f"), true, RC_INVALID, S("")},
        {S("a\xee\x80\x80"), true, RC_INVALID, S("")}, /* private use */
        {S("\xc3\x28"), true, RC_INVALID, S("")},
        {S("\xcd\xb8"), true, RC_INVALID, S("")}, /* U+0378 is unassigned: may be asked for, not stored */
        {S("\xcd\xb8"), false, RC_OK, S("\xcd\xb8")},
        {S("\xf0\x9f\x98\x80"), true, RC_OK, S("\xf0\x9f\x98\x80")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(100);
        assert_int_equal(saslprep(rows[i].in, rows[i].stored, &out), rows[i].rc);
        assert_true(str_eq(buf_str(&out), rows[i].out));
    }
}

static void full_output(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(3);
    assert_int_equal(saslprep(S("abcd"), true, &out), RC_LIMIT);
    buf_reset(&out);
    assert_int_equal(saslprep(S("ab\xc3\xbc"), true, &out), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(examples), cmocka_unit_test(full_output)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
