/* Base subjects: RFC 5256 §2.1. */
#include "fmt/base_subject.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_table(void **state)
{
    static const struct {
        const char *subject, *want;
        bool reply;
    } rows[] = {
        {"", "", false},
        {"hello", "hello", false},
        {"Re: hello", "hello", true},
        {"RE:hello", "hello", true},
        {"re : hello", "hello", true},
        {"Fw: hello", "hello", true},
        {"FWD: hello", "hello", true},
        {"fwdx: hello", "fwdx: hello", false},
        {"Reply: hello", "Reply: hello", false},
        {"Re: Fwd: RE: hello", "hello", true},
        {"Re[2]: hello", "hello", true},
        {"[list] hello", "hello", false},
        {"[list] Re: hello", "hello", true},
        {"[list] [x]  Re: [list] hello", "hello", true},
        {"[list]", "[list]", false}, /* something must be left */
        {"[a][b]", "[b]", false},
        {"Re: [list]", "[list]", true},
        {"hello (fwd)", "hello", true},
        {"hello (FWD)  (fwd) ", "hello", true},
        {"[fwd: hello]", "hello", true},
        {"[Fwd: Re: [x] hello (fwd)]", "hello", true},
        {"[fwd: [fwd: a]]", "a", true},
        {"[fwd: a] b", "b", false},
        {"[fwd:]", "", true},
        {"  a \t b\r\n c  ", "a b c", false},
        {"Re:", "", true},
        {"[a[b] c", "[a[b] c", false},
        {"a [b]", "a [b]", false},
        {"Re: h\xc3\xa9", "h\xc3\xa9", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf got = BUF_INIT(1000);
        bool reply = !rows[i].reply;
        base_subject_put(&got, str_c(rows[i].subject), &reply);
        if (!str_eq(buf_str(&got), str_c(rows[i].want)) || reply != rows[i].reply)
            fail_msg("\"%s\" gives \"%s\" and %d", rows[i].subject, buf_cstr(&got), reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
