/* dns_record: the line of each type of record, and data that is none. */
#include "fmt/dns_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HOST "\2mx\7example\0"

static void lines(void **state)
{
    static const struct {
        str name;
        enum dns_type type;
        str rdata;
        const char *want;
    } rows[] = {
        {S("example"), DNS_A, S("\300\0\2\1"), "example. 60 IN A 192.0.2.1"},
        {S("example."), DNS_AAAA, S("\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1"),
         "example. 60 IN AAAA 2001:db8::1"},
        {S("example"), DNS_MX, S("\1\2" HOST), "example. 60 IN MX 258 mx.example."},
        {S("example"), DNS_MX, S("\0\0\0"), "example. 60 IN MX 0 ."},
        {S("example"), DNS_NS, S(HOST), "example. 60 IN NS mx.example."},
        {S("1.2.0.192.in-addr.arpa"), DNS_PTR, S(HOST), "1.2.0.192.in-addr.arpa. 60 IN PTR mx.example."},
        {S("example"), DNS_TXT, S("\3a b\2\nc"), "example. 60 IN TXT a b?c"},
        {S("_25._tcp.example"), DNS_TLSA, S("\3\1\1\253\1"), "_25._tcp.example. 60 IN TLSA 3 1 1 ab01"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(DNS_RECORD_TEXT_MAX);
        assert_int_equal(dns_record_put(&out, rows[i].name, rows[i].type, 60, rows[i].rdata), RC_OK);
        assert_string_equal(buf_cstr(&out), rows[i].want);
    }
}

static void broken(void **state)
{
    static const struct {
        enum dns_type type;
        str rdata;
    } rows[] = {{DNS_A, S("\1\2\3")},      {DNS_A, S("\1\2\3\4\5")}, {DNS_AAAA, S("\1\2\3\4")},
                {DNS_MX, S("\0\1")},       {DNS_MX, S("\0\1\2mx")},  {DNS_NS, S("")},
                {DNS_PTR, S("\2mx")},      {DNS_TXT, S("\5abc")},    {DNS_TLSA, S("\3\1")},
                {(enum dns_type)6, S("x")}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(DNS_RECORD_TEXT_MAX);
        buf_puts(&out, S("x"));
        if (dns_record_put(&out, S("example"), rows[i].type, 60, rows[i].rdata) != RC_INVALID || out.n != 1)
            fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
