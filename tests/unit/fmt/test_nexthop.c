/* fmt/nexthop: the forms that relayhost and transport(5) take. */
#include "fmt/nexthop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void forms(void **state)
{
    static const struct {
        const char *text, *host;
        bool mx, is_address;
        int port;
    } rows[] = {
        {"example.com", "example.com", true, false, 0},
        {"example.com:587", "example.com", true, false, 587},
        {"[mx.example.com]", "mx.example.com", false, false, 0},
        {"[mx.example.com]:2525", "mx.example.com", false, false, 2525},
        {"[192.0.2.1]:25", "192.0.2.1", false, true, 25},
        {"[IPv6:2001:db8::1]", "2001:db8::1", false, true, 0},
        {"[2001:db8::1]:26", "2001:db8::1", false, true, 26},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct nexthop hop;
        assert_int_equal(nexthop_parse(str_c(rows[i].text), &hop), RC_OK);
        assert_true(str_eq(hop.host, str_c(rows[i].host)));
        assert_true(hop.mx == rows[i].mx && hop.is_address == rows[i].is_address);
        assert_int_equal(hop.port, rows[i].port);
    }
}

static void refused(void **state)
{
    static const char *const rows[] = {"",     "[",       "[]",           "[mx.example",
                                       "a..b", "a.b:0",   "a.b:65536",    "a.b:x",
                                       "a.b:", "[a.b]25", "[192.0.2.1]:", "a b.example"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct nexthop hop;
        if (nexthop_parse(str_c(rows[i]), &hop) != RC_INVALID)
            fail_msg("\"%s\" was taken", rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
