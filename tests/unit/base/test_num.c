/* base/num: the edges of every range and unit. */
#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define UNTOUCHED 77

struct row {
    const char *in;
    uint64_t max;
    enum rc rc;
    uint64_t value;
};

static void plain_numbers(void **state)
{
    static const struct row rows[] = {
        {"0", 0, RC_OK, 0},
        {"1", 0, RC_LIMIT, UNTOUCHED},
        {"007", 7, RC_OK, 7},
        {"8", 7, RC_LIMIT, UNTOUCHED},
        {"4294967295", UINT32_MAX, RC_OK, UINT32_MAX},
        {"4294967296", UINT32_MAX, RC_LIMIT, UNTOUCHED},
        {"18446744073709551615", UINT64_MAX, RC_OK, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, RC_LIMIT, UNTOUCHED},
        {"18446744073709551620", UINT64_MAX, RC_LIMIT, UNTOUCHED},
        {"99999999999999999999999999999999999", UINT64_MAX, RC_LIMIT, UNTOUCHED},
        {"99999999999999999999999999999999999x", UINT64_MAX, RC_INVALID, UNTOUCHED},
        {"", 9, RC_INVALID, UNTOUCHED},
        {"-1", 9, RC_INVALID, UNTOUCHED},
        {"+1", 9, RC_INVALID, UNTOUCHED},
        {" 1", 9, RC_INVALID, UNTOUCHED},
        {"1 ", 9, RC_INVALID, UNTOUCHED},
        {"0x1", 9, RC_INVALID, UNTOUCHED},
        {"1.0", 9, RC_INVALID, UNTOUCHED},
        {"\xd9\xa1", 9, RC_INVALID, UNTOUCHED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        uint64_t v64 = UNTOUCHED;
        assert_int_equal(num_parse_u64(str_c(r->in), r->max, &v64), r->rc);
        assert_true(v64 == r->value);
        if (r->max > UINT32_MAX)
            continue;
        uint32_t v32 = UNTOUCHED;
        assert_int_equal(num_parse_u32(str_c(r->in), (uint32_t)r->max, &v32), r->rc);
        assert_true(v32 == r->value);
    }
    uint64_t v;
    assert_int_equal(num_parse_u64(STR_NONE, 9, &v), RC_INVALID);
    assert_int_equal(num_parse_u64(str_mem("1\0", 2), 9, &v), RC_INVALID);
}

static void sizes(void **state)
{
    static const struct row rows[] = {
        {"10", 0, RC_OK, 10},
        {"10B", 0, RC_OK, 10},
        {"64k", 0, RC_OK, 65536},
        {"64K", 0, RC_OK, 65536},
        {"25M", 0, RC_OK, 26214400},
        {"25MB", 0, RC_OK, 26214400},
        {"25MiB", 0, RC_OK, 26214400},
        {"2G", 0, RC_OK, 2147483648},
        {"1T", 0, RC_OK, 1099511627776},
        {"17179869183G", 0, RC_OK, 18446744072635809792ULL},
        {"17179869184G", 0, RC_LIMIT, UNTOUCHED},
        {"99999999999999999999k", 0, RC_LIMIT, UNTOUCHED},
        {"99999999999999999999z", 0, RC_INVALID, UNTOUCHED},
        {"", 0, RC_INVALID, UNTOUCHED},
        {"k", 0, RC_INVALID, UNTOUCHED},
        {"10 k", 0, RC_INVALID, UNTOUCHED},
        {"10iB", 0, RC_INVALID, UNTOUCHED},
        {"10ki", 0, RC_INVALID, UNTOUCHED},
        {"10kk", 0, RC_INVALID, UNTOUCHED},
        {"1.5M", 0, RC_INVALID, UNTOUCHED},
        {"-1M", 0, RC_INVALID, UNTOUCHED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t v = UNTOUCHED;
        assert_int_equal(num_parse_size(str_c(rows[i].in), &v), rows[i].rc);
        assert_true(v == rows[i].value);
    }
}

static void durations(void **state)
{
    static const struct row rows[] = {
        {"0", 0, RC_OK, 0},
        {"30", 0, RC_OK, 30000},
        {"30s", 0, RC_OK, 30000},
        {"250ms", 0, RC_OK, 250},
        {"5m", 0, RC_OK, 300000},
        {"4h", 0, RC_OK, 14400000},
        {"5d", 0, RC_OK, 432000000},
        {"1w", 0, RC_OK, 604800000},
        {"9223372036854775807ms", 0, RC_OK, INT64_MAX},
        {"9223372036854775808ms", 0, RC_LIMIT, UNTOUCHED},
        {"15250284452472w", 0, RC_LIMIT, UNTOUCHED},
        {"5 m", 0, RC_INVALID, UNTOUCHED},
        {"5M", 0, RC_INVALID, UNTOUCHED},
        {"5min", 0, RC_INVALID, UNTOUCHED},
        {"m", 0, RC_INVALID, UNTOUCHED},
        {"-5s", 0, RC_INVALID, UNTOUCHED},
        {"", 0, RC_INVALID, UNTOUCHED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t v = UNTOUCHED;
        assert_int_equal(num_parse_duration_ms(str_c(rows[i].in), &v), rows[i].rc);
        assert_true(v == (int64_t)rows[i].value);
    }
}

static void checked_arithmetic(void **state)
{
    size_t v = UNTOUCHED;
    assert_true(num_add(SIZE_MAX - 1, 1, &v));
    assert_true(v == SIZE_MAX);
    assert_false(num_add(SIZE_MAX, 1, &v));
    assert_true(num_mul(SIZE_MAX / 2, 2, &v));
    assert_true(v == SIZE_MAX - 1);
    assert_false(num_mul(SIZE_MAX / 2, 3, &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain_numbers), cmocka_unit_test(sizes),
                                       cmocka_unit_test(durations), cmocka_unit_test(checked_arithmetic)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
