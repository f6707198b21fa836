/* header_common: what stays of a header, and that the same can be asked of it. */
#include "fmt/header_common.h"

#include "fmt/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *in, *out;
} rows[] = {
    {"Received: a\n b\nSubject: x\n y\nX-Mailer: z\nFROM : d\r\n\nTo: body\n",
     "Subject: x\n y\nFROM : d\r\n"},
    {"To: a\nno field\nTo: b\n\n", "To: a\nTo: b\n"},
    {" Subject: x\nSubjects: y\nSubjec: z\n\n", ""},
    {"Date: cut off", "Date: cut off"},
    {"\nTo: body\n", ""},
    {"", ""},
};

static void fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
        header_common_put(&out, str_c(rows[i].in));
        assert_string_equal(buf_cstr(&out), rows[i].out);
    }
}

static void names(void **state)
{
    (void)state;
    assert_true(header_common_has(S("subject")));
    assert_true(header_common_has(S("X-PRIORITY")));
    assert_false(header_common_has(S("X-Mailer")));
    assert_false(header_common_has(S("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fields), cmocka_unit_test(names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
