/* account/throttle: levels run off, rows evict the lowest, keys are apart. */
#include "account/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void levels(void **state)
{
    struct throttle *t = throttle_new();
    assert_int_equal(throttle_level(t, 1, 1000), 0);
    throttle_add(t, 1, 1000, 100, 250);
    assert_int_equal(throttle_level(t, 1, 1000), 100);
    assert_int_equal(throttle_level(t, 1, 1040), 60);
    throttle_add(t, 1, 1040, 100, 250);
    assert_int_equal(throttle_level(t, 1, 1040), 160);
    throttle_add(t, 1, 1040, 100, 250);
    assert_int_equal(throttle_level(t, 1, 1040), 250); /* the maximum */
    assert_int_equal(throttle_level(t, 1, 1289), 1);
    assert_int_equal(throttle_level(t, 1, 1290), 0);
    assert_int_equal(throttle_level(t, 2, 1040), 0);
    throttle_add(t, 1, 5000, 100, 250);
    assert_int_equal(throttle_level(t, 1, 5000), 100);
    throttle_clear(t, 1);
    assert_int_equal(throttle_level(t, 1, 5000), 0);
    assert_null(throttle_free(t));
}

static void full_row(void **state)
{
    struct throttle *t = throttle_new();
    for (uint64_t i = 0; i < THROTTLE_WAYS; i++) /* all in row 7 */
        throttle_add(t, 7 + i * THROTTLE_ROWS, 1, (msec)(1000 - i), 10000);
    uint64_t next = 7 + (uint64_t)THROTTLE_WAYS * THROTTLE_ROWS;
    throttle_add(t, next, 1, 5000, 10000);
    assert_int_equal(throttle_level(t, next, 1), 5000);
    assert_int_equal(throttle_level(t, 7, 1), 1000);
    assert_int_equal(throttle_level(t, 7 + (THROTTLE_WAYS - 1) * (uint64_t)THROTTLE_ROWS, 1),
                     0); /* the lowest went */
    assert_null(throttle_free(t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(levels), cmocka_unit_test(full_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
