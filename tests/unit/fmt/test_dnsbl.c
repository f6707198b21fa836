/* dnsbl: filters of DNS lists, and the names that are asked; helo_name: names of hosts. */
#include "fmt/dnsbl.h"
#include "fmt/helo_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void filters(void **state)
{
    static const struct {
        const char *name;
        enum rc rc;
        uint8_t counts[4], not [4];
    } rows[] = {
        {"bl.example", RC_OK, {127, 0, 0, 2}, {0}},
        {"bl.example=127.0.0.2", RC_OK, {127, 0, 0, 2}, {127, 0, 0, 3}},
        {"bl.example=127.0.0.[2;4..11]", RC_OK, {127, 0, 0, 11}, {127, 0, 0, 3}},
        {"bl.example=127.0.0.[2;4..11]", RC_OK, {127, 0, 0, 4}, {127, 0, 0, 12}},
        {"bl.example=127.[0..255].[1;3].0", RC_OK, {127, 99, 3, 0}, {127, 99, 2, 0}},
        {"bl.example=", RC_INVALID, {0}, {0}},
        {"=127.0.0.2", RC_INVALID, {0}, {0}},
        {"bl.example=127.0.0", RC_INVALID, {0}, {0}},
        {"bl.example=127.0.0.2.3", RC_INVALID, {0}, {0}},
        {"bl.example=127.0.0.256", RC_INVALID, {0}, {0}},
        {"bl.example=127.0.0.[4..2]", RC_INVALID, {0}, {0}},
        {"bl.example=127.0.0.[2", RC_INVALID, {0}, {0}},
        {"bl.example=127.0.0.[]", RC_INVALID, {0}, {0}},
        {"bl.example=127.0.0.[2]x", RC_INVALID, {0}, {0}},
        {"bl.example=127.0.[2]0.1", RC_INVALID, {0}, {0}},
        {"bl example", RC_INVALID, {0}, {0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dnsbl list;
        if (dnsbl_parse(str_c(rows[i].name), &list) != rows[i].rc)
            fail_msg("%s", rows[i].name);
        if (rows[i].rc != RC_OK)
            continue;
        assert_true(str_eq(list.domain, S("bl.example")));
        assert_true(dnsbl_counts(&list, str_mem(rows[i].counts, 4)));
        assert_true(!list.filtered || !dnsbl_counts(&list, str_mem(rows[i].not, 4)));
        assert_false(dnsbl_counts(&list, str_mem(rows[i].counts, 3)));
    }
}

static void names(void **state)
{
    struct dnsbl list;
    struct ip_net ip;
    AUTO(buf_deinit) struct buf out = BUF_INIT(300);
    assert_int_equal(dnsbl_parse(S("bl.example=127.0.0.2"), &list), RC_OK);
    assert_int_equal(ip_parse(S("192.0.2.1"), &ip), RC_OK);
    dnsbl_put_address(&out, &list, &ip);
    assert_true(str_eq(buf_str(&out), S("1.2.0.192.bl.example")));
    buf_reset(&out);
    assert_int_equal(ip_parse(S("2001:db8::1"), &ip), RC_OK);
    dnsbl_put_address(&out, &list, &ip);
    assert_true(str_eq(buf_str(&out),
                       S("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example")));
}

static void hosts(void **state)
{
    static const struct {
        const char *name;
        bool valid, literal;
    } rows[] = {
        {"mail.example", true, false}, {"mail", true, false},
        {"a_b.example", true, false},  {"xn--a.example", true, false},
        {"1.2.3.4a", true, false},     {"1.2.3.4", false, false},
        {"1234", false, false},        {"mail.example.", false, false},
        {".mail", false, false},       {"a..b", false, false},
        {"-a.example", false, false},  {"a-.example", false, false},
        {"a@b", false, false},         {"", false, false},
        {"[192.0.2.1]", false, true},  {"[IPv6:2001:db8::1]", false, true},
        {"[ipv6:::1]", false, true},   {"[2001:db8::1]", false, false},
        {"[192.0.2.1", false, false},  {"[192.0.2.256]", false, false},
        {"[]", false, false},          {"[IPv6:192.0.2.1]", false, false},
    };
    char longest[300];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (helo_name_is_valid(str_c(rows[i].name)) != rows[i].valid ||
            helo_name_is_literal(str_c(rows[i].name)) != rows[i].literal)
            fail_msg("%s", rows[i].name);
    memset(longest, 'a', sizeof longest);
    assert_true(helo_name_is_valid(str_mem(longest, 63)) && !helo_name_is_valid(str_mem(longest, 64)));
    for (size_t i = 50; i < sizeof longest; i += 51)
        longest[i] = '.';
    assert_true(helo_name_is_valid(str_mem(longest, 254)) && !helo_name_is_valid(str_mem(longest, 257)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(filters), cmocka_unit_test(names),
                                       cmocka_unit_test(hosts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
