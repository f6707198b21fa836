/* role/flights: what is under way is not begun again. */
#include "role/flights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void one_at_a_time(void **state)
{
    struct flights *f = flights_new();
    const struct flight a = {1, 2}, other_message = {2, 2}, other_rcpt = {1, 3};
    assert_true(flights_begin(f, &a));
    assert_false(flights_begin(f, &a));
    assert_true(flights_begin(f, &other_message));
    assert_true(flights_begin(f, &other_rcpt));
    flights_end(f, &a);
    assert_true(flights_begin(f, &a));
    assert_false(flights_begin(f, &other_rcpt));
    assert_null(flights_free(f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_at_a_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
