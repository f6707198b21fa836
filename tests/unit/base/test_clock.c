/* base/clock: both clocks run, and the injected offset moves both. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void agrees_with_the_kernel(void **state)
{
    int64_t before = (int64_t)time(NULL) - 1, now = clock_seconds(), after = (int64_t)time(NULL) + 1;
    assert_true(before <= now && now <= after);
    msec start = clock_mono();
    struct timespec nap = {.tv_nsec = 20000000};
    nanosleep(&nap, NULL);
    msec slept = clock_mono() - start;
    assert_true(slept >= 19 && slept < 10000);
}

static void offset_moves_both(void **state)
{
    const msec day = 86400000;
    usec wall = clock_wall();
    msec mono = clock_mono();
    clock_inject_offset(day);
    usec wall_moved = clock_wall() - wall;
    msec mono_moved = clock_mono() - mono;
    assert_true(wall_moved >= day * 1000 && wall_moved < (day + 60000) * 1000);
    assert_true(mono_moved >= day && mono_moved < day + 60000);
    clock_inject_offset(0); /* the offset is set, not added */
    assert_true(clock_mono() - mono < 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_the_kernel),
                                       cmocka_unit_test(offset_moves_both)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
