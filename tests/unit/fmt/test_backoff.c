/* backoff: bounds, growth, spread. */
#include "fmt/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MINUTE = 60000, RANDOMS = 64 };

static const struct backoff postfix = {300000, 4000000};

static void values(void **state)
{
    static const struct {
        msec age;
        unsigned attempts;
        double random;
        msec want;
    } rows[] = {
        {0, 1, 0.5, 300000},
        {0, 2, 0.5, 600000},
        {0, 3, 0.5, 1200000},
        {0, 4, 0.5, 2400000},
        {0, 5, 0.5, 4000000},
        {0, 4000000000u, 0.5, 4000000},
        {0, 3, 0, 900000},
        {0, 3, 0.75, 1350000},
        {0, 1, 0, 300000},
        {1000000, 1, 0.5, 1000000},
        {100 * 3600000, 1, 0.5, 4000000},
        {100 * 3600000, 1, 0, 3000000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(backoff_next(&postfix, rows[i].age, rows[i].attempts, rows[i].random), rows[i].want);
}

static void never_falls(void **state)
{
    for (unsigned r = 0; r < RANDOMS; r++) {
        double random = (double)r / RANDOMS;
        for (unsigned attempts = 1; attempts < 20; attempts++)
            for (msec age = 0; age < 90 * MINUTE; age += MINUTE) {
                msec wait = backoff_next(&postfix, age, attempts, random);
                assert_true(wait >= postfix.minimal && wait <= postfix.maximal);
                assert_true(backoff_next(&postfix, age + MINUTE, attempts, random) >= wait);
                assert_true(backoff_next(&postfix, age, attempts + 1, random) >= wait);
            }
    }
}

static void spreads(void **state)
{
    msec first = backoff_next(&postfix, 0, 3, 0), last = backoff_next(&postfix, 0, 3, 0.999999), sum = 0;
    assert_true(first == 900000 && last > 1499000 && last <= 1500000);
    for (unsigned r = 0; r < RANDOMS; r++)
        sum += backoff_next(&postfix, 0, 3, (r + 0.5) / RANDOMS);
    assert_true(sum / RANDOMS > 1199000 && sum / RANDOMS < 1201000);
}

static void extremes(void **state)
{
    struct backoff same = {5, 5}, huge = {1, INT64_MAX};
    assert_int_equal(backoff_next(&same, INT64_MAX, 7, 0.9), 5);
    assert_true(backoff_next(&huge, INT64_MAX, 1000, 0.99) > INT64_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(never_falls),
                                       cmocka_unit_test(spreads), cmocka_unit_test(extremes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
