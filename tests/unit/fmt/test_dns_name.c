/* dns_name: names from the wire, names that may be asked for, reverse names (RFC 1035 §3.5, RFC 3596 §2.5).
 */
#include "fmt/dns_name.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_from_wire(void **state)
{
    static const struct {
        str wire;
        const char *text; /* NULL: malformed */
    } rows[] = {
        {S("\1F\3ISI\4ARPA\0"), "F.ISI.ARPA"}, /* RFC 1035 §4.1.4 */
        {S("\0"), "."},
        {S("\4mail\7example\0"), "mail.example"},
        {S("\3a.b\1c\0"), "a\\.b.c"},
        {S("\2a\\\0"), "a\\\\"},
        {S("\3a\0\377\0"), "a\\000\\255"},
        {S("\1 \0"), "\\032"},
        {S(""), NULL},
        {S("\1a"), NULL},        /* no end */
        {S("\2a\0"), NULL},      /* a label past the end */
        {S("\1a\0\1b\0"), NULL}, /* something behind the end */
        {S("\1a\0x"), NULL},
        {S("\300\14"), NULL}, /* compressed (RFC 1035 §4.1.4) */
        {S("\100a\0"), NULL}, /* an extended label */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = BUF_INIT(DNS_NAME_TEXT_MAX);
        enum rc rc = dns_name_from_wire(rows[i].wire, &b);
        assert_int_equal(rc, rows[i].text ? RC_OK : RC_INVALID);
        assert_string_equal(buf_cstr(&b), rows[i].text ? rows[i].text : "");
        buf_deinit(&b);
    }
}

static void test_longest(void **state)
{
    char wire[257];
    struct buf b = BUF_INIT(DNS_NAME_TEXT_MAX), small = BUF_INIT(10);
    for (size_t i = 0; i < sizeof wire; i += 2) {
        wire[i] = 1;
        wire[i + 1 < sizeof wire ? i + 1 : i] = (char)0xff;
    }
    wire[254] = 0; /* 127 labels of one byte: 255 bytes (RFC 1035 §3.1) */
    assert_int_equal(dns_name_from_wire(str_mem(wire, 255), &b), RC_OK);
    assert_int_equal(b.n, 127 * 5 - 1);
    assert_int_equal(dns_name_from_wire(str_mem(wire, 255), &small), RC_LIMIT);
    wire[254] = 1;
    wire[256] = 0;
    buf_reset(&b);
    assert_int_equal(dns_name_from_wire(str_mem(wire, 257), &b), RC_INVALID);
    assert_int_equal(b.n, 0);
    buf_deinit(&b);
    buf_deinit(&small);
}

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static void test_kinds(void **state)
{
    static const struct {
        const char *name;
        bool valid, host;
    } rows[] = {
        {"mail.example", true, true},
        {"mail.example.", true, true},
        {"localhost", true, true},
        {"3com.example", true, true}, /* RFC 1123 §2.1 */
        {"xn--bcher-kva.example", true, true},
        {"_25._tcp.mail.example", true, true},
        {"my_host.example", true, true},
        {"a-b.example", true, true},
        {"-a.example", true, false},
        {"a-.example", true, false},
        {"192.0.2.1", true, false},
        {"1", true, false},
        {".", true, false},
        {"a/b.example", true, false}, /* RFC 2317 §4 */
        {"a*.example", true, false},
        {"", false, false},
        {"..", false, false},
        {".example", false, false},
        {"a..example", false, false},
        {"a example", false, false},
        {"a\\.example", false, false},
        {"b\303\274cher.example", false, false},
        {L63 ".example", true, true},
        {L63 "x.example", false, false},
        {L63 "." L63 "." L63 "." L63, false, false},
        {L63 "." L63 "." L63 ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg", true, true},
        {L63 "." L63 "." L63 ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg.", true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (dns_name_is_valid(str_c(rows[i].name)) != rows[i].valid)
            fail_msg("is_valid: %s", rows[i].name);
        if (dns_name_is_host(str_c(rows[i].name)) != rows[i].host)
            fail_msg("is_host: %s", rows[i].name);
    }
    assert_false(dns_name_is_valid(S("a\0b")));
}

static void test_reverse(void **state)
{
    static const struct {
        const char *address, *name;
    } rows[] = {
        {"10.2.0.52", "52.0.2.10.in-addr.arpa"}, /* RFC 1035 §3.5 */
        {"255.255.255.255", "255.255.255.255.in-addr.arpa"},
        {"::ffff:192.0.2.1", "1.2.0.192.in-addr.arpa"},
        {"4321:0:1:2:3:4:567:89ab", /* RFC 3596 §2.5 */
         "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa"},
        {"::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = BUF_INIT(DNS_NAME_MAX);
        struct ip_net ip;
        assert_int_equal(ip_parse(str_c(rows[i].address), &ip), RC_OK);
        dns_name_put_reverse(&b, &ip);
        assert_string_equal(buf_cstr(&b), rows[i].name);
        assert_true(dns_name_is_valid(buf_str(&b)));
        buf_deinit(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_wire),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_reverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
