/* capability_list: what an administrator hides, adds, or names alone. */
#include "fmt/capability_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ALL "IMAP4rev1 LITERAL+ STARTTLS IDLE SORT SORT=DISPLAY APPENDLIMIT=100 AUTH=PLAIN"

static const struct {
    const char *setting, *told;
} rows[] = {
    {"", ALL},
    {" ", ALL},
    {"-idle", "IMAP4rev1 LITERAL+ STARTTLS SORT SORT=DISPLAY APPENDLIMIT=100 AUTH=PLAIN"},
    {"-IDLE SORT", "IMAP4rev1 LITERAL+ STARTTLS APPENDLIMIT=100 AUTH=PLAIN"},
    {"-SORT=DISPLAY -APPENDLIMIT", "IMAP4rev1 LITERAL+ STARTTLS IDLE SORT AUTH=PLAIN"},
    {"-SOR -LITERAL", ALL},
    {"-AUTH=PLAIN", "IMAP4rev1 LITERAL+ STARTTLS IDLE SORT SORT=DISPLAY APPENDLIMIT=100"},
    {"+XFOO XBAR idle", ALL " XFOO XBAR"},
    {"+XFOO -IDLE", "IMAP4rev1 LITERAL+ STARTTLS SORT SORT=DISPLAY APPENDLIMIT=100 AUTH=PLAIN XFOO"},
    {"IMAP4rev1 XFOO", "IMAP4rev1 STARTTLS AUTH=PLAIN XFOO"},
    {"IMAP4rev1 SORT", "IMAP4rev1 STARTTLS SORT AUTH=PLAIN"},
    {"IMAP4rev1 -STARTTLS", "IMAP4rev1 AUTH=PLAIN"},
};

static void told(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
        assert_true(capability_list_is_valid(str_c(rows[i].setting)));
        capability_list_put(&out, S(ALL), str_c(rows[i].setting));
        assert_string_equal(buf_cstr(&out), rows[i].told);
    }
}

static void invalid(void **state)
{
    static const char *const texts[] = {"A\r\nB", "A\nB", "A] x", "\"A\"", "- A", "A{3}", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(capability_list_is_valid(str_c(texts[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(told), cmocka_unit_test(invalid)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
