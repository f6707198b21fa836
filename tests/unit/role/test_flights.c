/* role/flights: what is under way is not begun again. */
#include "role/flights.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static const struct flight a = {1, 2}, other_message = {2, 2}, other_rcpt = {1, 3};

static bool begin(struct flights *f, const struct flight *one, msec wait)
{
    bool waited;
    return flights_begin(f, one, clock_mono() + wait, &waited);
}

static void one_at_a_time(void **state)
{
    struct flights *f = flights_new();
    assert_true(begin(f, &a, 0));
    assert_false(begin(f, &a, 0));
    assert_false(begin(f, &a, 20));
    assert_true(begin(f, &other_message, 0));
    assert_true(begin(f, &other_rcpt, 0));
    flights_end(f, &a);
    assert_true(begin(f, &a, 0));
    assert_false(begin(f, &other_rcpt, 0));
    assert_null(flights_free(f));
}

static void *end_soon(void *flights)
{
    usleep(20000);
    flights_end(flights, &a);
    return NULL;
}

static void the_next_one_waits(void **state)
{
    struct flights *f = flights_new();
    bool waited;
    pthread_t ender;
    assert_true(flights_begin(f, &a, clock_mono() + 10000, &waited));
    assert_false(waited);
    assert_int_equal(pthread_create(&ender, NULL, end_soon, f), 0);
    assert_true(flights_begin(f, &a, clock_mono() + 10000, &waited));
    assert_true(waited);
    pthread_join(ender, NULL);
    flights_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_at_a_time), cmocka_unit_test(the_next_one_waits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
