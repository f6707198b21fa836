/* long_lines: where lines are broken, in any pieces. */
#include "fmt/long_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LIMIT = LONG_LINES_MIN };

static void put_line(struct buf *b, size_t n, char last)
{
    for (size_t i = 0; i < n; i++)
        buf_putc(b, i + 1 == n ? last : 'x');
}

/* A text whose lines have these lengths, "\n" behind each but perhaps the last. */
static void check(const size_t *lengths, size_t n, bool ends, const size_t *wanted, size_t n_wanted)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(10000), want = BUF_INIT(10000);
    for (size_t i = 0; i < n; i++) {
        put_line(&text, lengths[i], 'x');
        buf_puts(&text, ends || i + 1 < n ? S("\n") : S(""));
    }
    for (size_t i = 0; i < n_wanted; i++) { /* 1000 + n: a line that goes on, n bytes with its space */
        bool goes_on = wanted[i] >= 1000;
        buf_puts(&want, goes_on ? S(" ") : S(""));
        put_line(&want, wanted[i] % 1000 - goes_on, 'x');
        buf_puts(&want, ends || i + 1 < n_wanted ? S("\n") : S(""));
    }
    for (size_t cut = 0; cut <= text.n; cut++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(10000);
        struct long_lines put = {.limit = LIMIT}, scan = {.limit = LIMIT};
        long_lines_put(&put, str_sub(buf_str(&text), 0, cut), &out);
        long_lines_put(&put, str_from(buf_str(&text), cut), &out);
        assert_string_equal(buf_cstr(&out), buf_cstr(&want));
        long_lines_scan(&scan, str_sub(buf_str(&text), 0, cut));
        long_lines_scan(&scan, str_from(buf_str(&text), cut));
        assert_int_equal(scan.any, n != n_wanted);
    }
}

static void lines(void **state)
{
    check((size_t[]){0, 1, LIMIT, 0}, 4, true, (size_t[]){0, 1, LIMIT, 0}, 4);
    check((size_t[]){LIMIT}, 1, false, (size_t[]){LIMIT}, 1);
    check((size_t[]){LIMIT + 1, 3}, 2, true, (size_t[]){LIMIT, 1002, 3}, 3);
    check((size_t[]){LIMIT + LIMIT - 1}, 1, true, (size_t[]){LIMIT, 1000 + LIMIT}, 2);
    check((size_t[]){LIMIT + LIMIT}, 1, false, (size_t[]){LIMIT, 1000 + LIMIT, 1002}, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
