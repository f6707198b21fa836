/* header_drop: fields by their names, folded or not, at every split. */
#include "fmt/header_drop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LONG \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
    const char *in, *out;
} rows[] = {
    {"Bcc: a\nSubject: x\n\nBcc: y\n", "Subject: x\n\nBcc: y\n"},
    {"Subject: x\nBCC : a,\n b\n\tc\nTo: d\n e\n\n", "Subject: x\nTo: d\n e\n\n"},
    {"Return-Path: a\nbcc:\n", ""},
    {"Bccx: a\nX-Bcc: b\nBc: c\n\n", "Bccx: a\nX-Bcc: b\nBc: c\n\n"},
    {"Subject: x\nno field\nBcc: a\n", "Subject: x\nno field\nBcc: a\n"},
    {" Bcc: a\nBcc: b\n", " Bcc: a\nBcc: b\n"},
    {"\nBcc: a\n", "\nBcc: a\n"},
    {": a\nBcc: b\n\n", ": a\nBcc: b\n\n"},
    {LONG ": a\nBcc: b\n\n", LONG ": a\n\n"},
    {"Bcc", "Bcc"},
    {"", ""},
};

static void fields(void **state)
{
    static const str names[] = {{"bcc", 3}, {"Return-Path", 11}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str in = str_c(rows[i].in);
        for (size_t split = 0; split <= in.n; split++) {
            AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
            struct header_drop d;
            header_drop_init(&d, names, 2);
            header_drop_feed(&d, str_sub(in, 0, split), &out);
            header_drop_feed(&d, str_from(in, split), &out);
            header_drop_finish(&d, &out);
            assert_string_equal(buf_cstr(&out), rows[i].out);
            assert_int_equal(d.bytes, in.n - out.n);
        }
    }
}

static void lines_are_counted(void **state)
{
    static const str names[] = {{"Bcc", 3}};
    AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
    struct header_drop d;
    header_drop_init(&d, names, 1);
    header_drop_feed(&d, S("Bcc: a\n b\nX: y\nBcc: c\n\n"), &out);
    assert_int_equal(d.lines, 3);
    header_drop_init(&d, names, 0);
    header_drop_feed(&d, S("Bcc: a\n"), &out);
    assert_string_equal(buf_cstr(&out), "X: y\n\nBcc: a\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fields), cmocka_unit_test(lines_are_counted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
