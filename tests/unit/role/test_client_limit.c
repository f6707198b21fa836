/* role/client_limit: counts per client and altogether. */
#include "role/client_limit.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void limits_hold_and_are_given_back(void **state)
{
    struct client_limit *l = client_limit_new();
    struct socket_client a = {.family = AF_INET, .bytes = {192, 0, 2, 1}};
    struct socket_client b = {.family = AF_INET, .bytes = {192, 0, 2, 2}};
    assert_int_equal(client_limit_enter(l, &a, 2, 3), RC_OK);
    assert_int_equal(client_limit_enter(l, &a, 2, 3), RC_OK);
    assert_int_equal(client_limit_enter(l, &a, 2, 3), RC_LIMIT);
    assert_int_equal(client_limit_enter(l, &b, 2, 3), RC_OK);
    assert_int_equal(client_limit_enter(l, &b, 2, 3), RC_LIMIT); /* altogether */
    client_limit_leave(l, &a);
    assert_int_equal(client_limit_enter(l, &b, 2, 3), RC_OK);
    assert_int_equal(client_limit_total(l), 3);
    client_limit_leave(l, &a);
    client_limit_leave(l, &b);
    client_limit_leave(l, &b);
    assert_int_equal(client_limit_total(l), 0);
    assert_null(client_limit_free(l));
}

/* As many as the limit at once, then one for each part of the unit; a client does not count for another. */
static void rates(void **state)
{
    struct client_limit *l = client_limit_new();
    struct socket_client a = {.family = AF_INET, .bytes = {192, 0, 2, 1}};
    struct socket_client b = {.family = AF_INET, .bytes = {192, 0, 2, 2}};
    struct client_rate often = {&a, S("smtp message"), 30, 60000}, other = often, rare = often;
    other.client = &b;
    rare.max = 1;
    for (int i = 0; i < 30; i++) {
        assert_false(client_limit_is_reached(l, &often, 1000));
        assert_int_equal(client_limit_rate(l, &often, 1000), RC_OK);
    }
    assert_true(client_limit_is_reached(l, &often, 1000));
    assert_int_equal(client_limit_rate(l, &often, 1000), RC_LIMIT);
    assert_int_equal(client_limit_rate(l, &other, 1000), RC_OK);
    assert_int_equal(client_limit_rate(l, &often, 2999), RC_LIMIT);
    assert_int_equal(client_limit_rate(l, &often, 3000), RC_OK);
    assert_int_equal(client_limit_rate(l, &often, 3001), RC_LIMIT);
    assert_int_equal(client_limit_rate(l, &rare, 63001), RC_OK);
    assert_int_equal(client_limit_rate(l, &rare, 63002), RC_LIMIT);
    rare.what = S("submission message");
    assert_int_equal(client_limit_rate(l, &rare, 63002), RC_OK);
    client_limit_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(limits_hold_and_are_given_back),
                                       cmocka_unit_test(rates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
