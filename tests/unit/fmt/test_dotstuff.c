/* fmt/dotstuff: line ends and dots, every sample split at every two offsets. */
#include "fmt/dotstuff.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void samples_split_everywhere(void **state)
{
    static const struct {
        const char *raw, *wire;
    } rows[] = {
        {"", ".\r\n"},
        {"a", "a\r\n.\r\n"},
        {"a\n", "a\r\n.\r\n"},
        {"a\r\n", "a\r\n.\r\n"},
        {".", "..\r\n.\r\n"},
        {".\n", "..\r\n.\r\n"},
        {"..\r\n.a\n", "...\r\n..a\r\n.\r\n"},
        {"a\n.\nb\n", "a\r\n..\r\nb\r\n.\r\n"},
        {"a.b\n\n.c", "a.b\r\n\r\n..c\r\n.\r\n"},
        {"a\rb\n", "a\rb\r\n.\r\n"},
        {"\n.\r\n\r\n", "\r\n..\r\n\r\n.\r\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str raw = str_c(rows[i].raw);
        for (size_t a = 0; a <= raw.n; a++) {
            for (size_t b = a; b <= raw.n; b++) {
                struct dotstuff d = {0};
                struct buf out = BUF_INIT(256);
                dotstuff_put(&d, &out, str_sub(raw, 0, a));
                dotstuff_put(&d, &out, str_sub(raw, a, b - a));
                dotstuff_put(&d, &out, str_from(raw, b));
                dotstuff_finish(&d, &out);
                assert_string_equal(buf_cstr(&out), rows[i].wire);
                buf_deinit(&out);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(samples_split_everywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
