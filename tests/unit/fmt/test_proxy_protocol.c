/* fmt/proxy_protocol: headers as HAProxy's specification lays them out, read as role/proxied does. */
#include "fmt/proxy_protocol.h"

#include "fmt/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

/* What is missing, and never more. */
static enum rc read_header(str all, size_t *ret_read, struct proxy_header *ret)
{
    size_t n = 0, missing = 0;
    enum rc rc;
    while ((rc = proxy_protocol_parse(str_sub(all, 0, n), &missing, ret)) == RC_TEMP) {
        assert_true(missing > 0 && n + missing <= PROXY_PROTOCOL_MAX);
        if (n + missing > all.n)
            return RC_TEMP;
        n += missing;
    }
    *ret_read = n;
    return rc;
}

static void assert_end(const struct proxy_end *end, const char *address, unsigned port)
{
    struct ip_net ip;
    assert_int_equal(ip_parse(str_c(address), &ip), RC_OK);
    assert_memory_equal(end->address, ip.addr, 16);
    assert_int_equal(end->port, port);
}

static void good(void **state)
{
    const struct {
        str bytes;
        size_t rest; /* the client's own bytes behind the header */
        const char *client;
        unsigned client_port;
        const char *server;
        unsigned server_port;
    } rows[] = {
        {S("PROXY TCP4 192.0.2.7 203.0.113.10 65535 25\r\nEHLO x\r\n"), 8, "192.0.2.7", 65535, "203.0.113.10",
         25},
        {S("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), 0, "255.255.255.255", 65535,
         "255.255.255.255", 65535},
        {S("PROXY TCP6 2001:db8::1 ::1 0 993\r\n\r\n"), 2, "2001:db8::1", 0, "::1", 993},
        {S("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
           "65535\r\n"),
         0, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         65535},
        {S(SIGNATURE "\x21\x11\0\14\300\0\2\7\313\0\161\12\x12\x34\0\31x"), 1, "192.0.2.7", 0x1234,
         "203.0.113.10", 25},
        {S(SIGNATURE
           "\x21\x21\0\44\x20\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1\3\341"),
         0, "2001:db8::1", 1, "::1", 993},
        /* with a TLV of three bytes behind the addresses */
        {S(SIGNATURE "\x21\x11\0\22\300\0\2\7\313\0\161\12\x12\x34\0\31\2\0\3abc\x16\3"), 2, "192.0.2.7",
         0x1234, "203.0.113.10", 25},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct proxy_header h = {.local = true};
        size_t n = 0;
        assert_int_equal(read_header(rows[i].bytes, &n, &h), RC_OK);
        assert_int_equal(n, rows[i].bytes.n - rows[i].rest);
        assert_false(h.local);
        assert_end(&h.client, rows[i].client, rows[i].client_port);
        assert_end(&h.server, rows[i].server, rows[i].server_port);
    }
}

static void local(void **state)
{
    const str rows[] = {
        S("PROXY UNKNOWN\r\n"),      S("PROXY UNKNOWN ffff:: whatever it says 1 2\r\n"),
        S(SIGNATURE "\x20\0\0\0"),   S(SIGNATURE "\x20\x11\0\14\300\0\2\7\313\0\161\12\x12\x34\0\31"),
        S(SIGNATURE "\x21\0\0\2zz"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct proxy_header h = {.local = false};
        size_t n = 0;
        assert_int_equal(read_header(rows[i], &n, &h), RC_OK);
        assert_int_equal(n, rows[i].n);
        assert_true(h.local);
    }
}

static void bad(void **state)
{
    const struct {
        str bytes;
        enum rc rc;
    } rows[] = {
        {S("EHLO client.example\r\n"), RC_INVALID},
        {S("PROXY TCP4 192.0.2.7 203.0.113.10 1 25\n\r\n"), RC_INVALID},
        {S("PROXY TCP4 192.0.2.7  203.0.113.10 1 25\r\n"), RC_INVALID},
        {S("PROXY TCP4 192.0.2.7 203.0.113.10 1 25 \r\n"), RC_INVALID},
        {S("PROXY TCP4 192.0.2.7 203.0.113.10 1\r\n"), RC_INVALID},
        {S("PROXY TCP4 192.0.2.7 203.0.113.10 65536 25\r\n"), RC_INVALID},
        {S("PROXY TCP4 192.0.2.7 203.0.113.10 1 025\r\n"), RC_INVALID},
        {S("PROXY TCP4 192.0.2.7 203.0.113.10 -1 25\r\n"), RC_INVALID},
        {S("PROXY TCP4 192.0.2.256 203.0.113.10 1 25\r\n"), RC_INVALID},
        {S("PROXY TCP4 ::1 ::1 1 25\r\n"), RC_INVALID},
        {S("PROXY TCP6 192.0.2.7 203.0.113.10 1 25\r\n"), RC_INVALID},
        {S("PROXY UDP4 192.0.2.7 203.0.113.10 1 25\r\n"), RC_INVALID},
        {S("proxy TCP4 192.0.2.7 203.0.113.10 1 25\r\n"), RC_INVALID},
        {S("PROXY UNKNOWN "
           "45678901234567890123456789012345678901234567890123456789012345678901234567890123456789012"
           "345678901234567\r\n"),
         RC_INVALID},
        {S("PROXY TCP4 192.0.2.7 203.0.113.10 1 25\r"), RC_TEMP},
        {S(SIGNATURE "\x11\x11\0\14\300\0\2\7\313\0\161\12\x12\x34\0\31"), RC_INVALID}, /* version 1 */
        {S(SIGNATURE "\x22\x11\0\14\300\0\2\7\313\0\161\12\x12\x34\0\31"), RC_INVALID}, /* no such command */
        {S(SIGNATURE "\x21\x12\0\14\300\0\2\7\313\0\161\12\x12\x34\0\31"), RC_INVALID}, /* UDP */
        {S(SIGNATURE "\x21\x31\0\0"), RC_INVALID},                                      /* a Unix socket */
        {S(SIGNATURE "\x21\x11\0\13\300\0\2\7\313\0\161\12\x12\x34\0"), RC_INVALID},    /* too short */
        {S(SIGNATURE "\x21\x21\0\14\300\0\2\7\313\0\161\12\x12\x34\0\31"), RC_INVALID},
        {S(SIGNATURE "\x21\x11\x0f\xf1"), RC_LIMIT},
        {S(SIGNATURE "\x21\x11\x0f\xf0"), RC_TEMP},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct proxy_header h = {.local = true};
        size_t n = 0;
        assert_int_equal(read_header(rows[i].bytes, &n, &h), rows[i].rc);
        assert_true(h.local); /* untouched */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(good), cmocka_unit_test(local),
                                       cmocka_unit_test(bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
