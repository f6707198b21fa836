/* Durations as Postfix writes them. */
#include "fmt/delay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void delays(void **state)
{
    static const struct {
        msec ms;
        const char *text;
    } table[] = {
        {0, "0"},      {-1, "0"},           {INT64_MIN, "0"},    {4, "0"},
        {15, "0.01"},  {20, "0.02"},        {999, "1.00"},       {1000, "1.0"},
        {1340, "1.3"}, {9949, "9.9"},       {9999, "10.0"},      {10000, "10"},
        {24400, "24"}, {86400000, "86400"}, {86400600, "86401"}, {INT64_MAX, "9223372036854776"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char room[DELAY_SIZE];
        assert_ptr_equal(delay_format(table[i].ms, room), room);
        assert_string_equal(room, table[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(delays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
