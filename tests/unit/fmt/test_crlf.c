/* crlf: conversion, sizes and ranges, each sample split at every offset. */
#include "fmt/crlf.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *raw, *crlf, *lf;
    size_t lines;
} samples[] = {
    {"", "", "", 0},
    {"a", "a", "a", 0},
    {"\n", "\r\n", "\n", 1},
    {"a\nb\n", "a\r\nb\r\n", "a\nb\n", 2},
    {"a\r\nb\r\n", "a\r\nb\r\n", "a\nb\n", 2},
    {"a\r\nb\nc", "a\r\nb\r\nc", "a\nb\nc", 2},
    {"\n\n\r\n\n", "\r\n\r\n\r\n\r\n", "\n\n\n\n", 4},
    {"a\rb\r", "a\rb\r", "a\rb\r", 0},
    {"a\r\r\nb", "a\r\r\nb", "a\r\nb", 1},
    {"a\n\rb\n", "a\r\n\rb\r\n", "a\n\rb\n", 2},
};
enum { SAMPLES = sizeof samples / sizeof samples[0] };

static void test_encode(void **state)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        str raw = str_c(samples[i].raw);
        for (size_t split = 0; split <= raw.n; split++) {
            struct buf out = BUF_INIT(100);
            struct crlf_state s = {0};
            crlf_encode(&s, &out, str_sub(raw, 0, split));
            crlf_encode(&s, &out, str_from(raw, split));
            assert_string_equal(buf_cstr(&out), samples[i].crlf);
            buf_deinit(&out);
        }
    }
}

static void test_decode(void **state)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        str raw = str_c(samples[i].raw);
        for (size_t split = 0; split <= raw.n; split++) {
            struct buf out = BUF_INIT(100);
            struct crlf_state s = {0};
            crlf_decode(&s, &out, str_sub(raw, 0, split));
            crlf_decode(&s, &out, str_from(raw, split));
            crlf_decode_finish(&s, &out);
            assert_string_equal(buf_cstr(&out), samples[i].lf);
            buf_deinit(&out);
        }
    }
}

static void test_counts(void **state)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        str raw = str_c(samples[i].raw);
        assert_int_equal(crlf_size(raw), strlen(samples[i].crlf));
        assert_int_equal(crlf_lines(raw), samples[i].lines);
    }
    assert_int_equal(crlf_bare(S("\n\n"), '\r'), 1);
}

/* Longer than the block that is counted at once, with the line ends at each place of it. */
static void test_counts_of_blocks(void **state)
{
    for (size_t at = 0; at < 300; at++) {
        struct buf b = BUF_INIT(1000);
        for (size_t i = 0; i < 400; i++)
            buf_putc(&b, i == at ? '\n' : i + 1 == at && at % 2 ? '\r' : 'x');
        assert_int_equal(crlf_lines(buf_str(&b)), 1);
        assert_int_equal(crlf_bare(buf_str(&b), '\0'), at % 2 ? 0 : 1);
        buf_deinit(&b);
    }
}

static void test_ranges(void **state)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        str raw = str_c(samples[i].raw), crlf = str_c(samples[i].crlf);
        for (size_t from = 0; from <= crlf.n + 1; from++) {
            for (size_t len = 0; len <= crlf.n + 1; len++) {
                struct buf out = BUF_INIT(100);
                crlf_put_range(&out, raw, from, len, NULL);
                str want = str_sub(crlf, from, len);
                assert_int_equal(out.n, want.n);
                assert_memory_equal(buf_cstr(&out), want.p, want.n);
                buf_deinit(&out);
            }
        }
        struct buf all = BUF_INIT(100);
        crlf_put_range(&all, raw, 0, SIZE_MAX, NULL);
        assert_string_equal(buf_cstr(&all), samples[i].crlf);
        buf_deinit(&all);
    }
}

/* Slices of every length in a row, then one that jumps back: the cursor never changes the result. */
static void test_cursor(void **state)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        str raw = str_c(samples[i].raw), crlf = str_c(samples[i].crlf);
        for (size_t len = 1; len <= crlf.n; len++) {
            struct crlf_cursor cursor = {0, 0};
            struct buf out = BUF_INIT(100);
            for (size_t from = 0; from < crlf.n; from += len)
                crlf_put_range(&out, raw, from, len, &cursor);
            assert_string_equal(buf_cstr(&out), samples[i].crlf);
            buf_reset(&out);
            crlf_put_range(&out, raw, 0, crlf.n, &cursor);
            assert_string_equal(buf_cstr(&out), samples[i].crlf);
            buf_deinit(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode),           cmocka_unit_test(test_decode), cmocka_unit_test(test_counts),
        cmocka_unit_test(test_counts_of_blocks), cmocka_unit_test(test_ranges), cmocka_unit_test(test_cursor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
