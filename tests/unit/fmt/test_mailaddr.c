/* mailaddr, idn and ip: the grammar of RFC 5321 §4.1.2 and §4.1.3, normalising, details. */
#include "fmt/idn.h"
#include "fmt/ip.h"
#include "fmt/mailaddr.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L60 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void addresses(void **state)
{
    static const struct {
        const char *text;
        enum rc rc;
        const char *want; /* as formatted */
    } rows[] = {
        {"Smith@bar.com", RC_OK, "Smith@bar.com"},
        {"a.b+c@EXAMPLE.Org", RC_OK, "a.b+c@example.org"},
        {"\"a.b\"@x", RC_OK, "a.b@x"}, /* quotes that are not needed */
        {"\"a b\"@x", RC_OK, "\"a b\"@x"},
        {"\"a\\\"\\\\\\b@c\"@x", RC_OK, "\"a\\\"\\\\b@c\"@x"},
        {"\"\"@x", RC_OK, "\"\"@x"},
        {"!#$%&'*+-/=?^_`{|}~@x-1.y_z", RC_OK, "!#$%&'*+-/=?^_`{|}~@x-1.y_z"},
        {"u@[192.0.2.1]", RC_OK, "u@[192.0.2.1]"},
        {"u@[IPv6:2001:DB8::1]", RC_OK, "u@[ipv6:2001:db8::1]"},
        {"u@[IPv6:::ffff:192.0.2.1]", RC_OK, "u@[ipv6:::ffff:192.0.2.1]"},
        {"u@[x400:abc]", RC_INVALID, NULL},
        {"jos\xc3\xa9@b\xc3\xbc"
         "cher.example",
         RC_OK, "jos\xc3\xa9@xn--bcher-kva.example"},
        {"u@B\xc3\x9c"
         "CHER.example",
         RC_OK, "u@xn--bcher-kva.example"},
        {"u@a\xef\xbc\x8f.b", RC_INVALID, NULL}, /* full-width "/" */
        {"u@a\xc2\xa0.b", RC_INVALID, NULL},     /* no-break space */
        {A64 "@x", RC_OK, A64 "@x"},
        {"u@" L60 "." L60 "." L60 "." L60, RC_OK, "u@" L60 "." L60 "." L60 "." L60},
        {"a" A64 "@x", RC_LIMIT, NULL},
        {"\"a" A64 "\"@x", RC_LIMIT, NULL},
        {A64 "@" L60 "." L60 "." L60 "." L60, RC_LIMIT, NULL}, /* a path of more than 256 */
        {"u@" L60 "." L60 "." L60 "." L60 "." L60, RC_LIMIT, NULL},
        {"", RC_INVALID, NULL},
        {"u", RC_INVALID, NULL},
        {"u@", RC_INVALID, NULL},
        {"@x", RC_INVALID, NULL},
        {".u@x", RC_INVALID, NULL},
        {"u.@x", RC_INVALID, NULL},
        {"a..b@x", RC_INVALID, NULL},
        {"a b@x", RC_INVALID, NULL},
        {"\"a@x", RC_INVALID, NULL},
        {"\"a\n\"@x", RC_INVALID, NULL},
        {"u@x.", RC_INVALID, NULL},
        {"u@.x", RC_INVALID, NULL},
        {"u@x..y", RC_INVALID, NULL},
        {"u@-x", RC_INVALID, NULL},
        {"u@x-", RC_INVALID, NULL},
        {"u@a"
         "a" L60 "bb",
         RC_INVALID, NULL}, /* a label of 64 */
        {"u@x y", RC_INVALID, NULL},
        {"u@[192.0.2.256]", RC_INVALID, NULL},
        {"u@[192.0.2.1", RC_INVALID, NULL},
        {"u@[IPv6:192.0.2.1]", RC_INVALID, NULL},
        {"u@[2001:db8::1]", RC_INVALID, NULL},
        {"u@[]", RC_INVALID, NULL},
        {"\xff@x", RC_INVALID, NULL},
        {"u@x@y", RC_INVALID, NULL},
    };
    struct arena *a = arena_new(65536);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mailaddr addr;
        enum rc rc = mailaddr_parse(str_c(rows[i].text), a, &addr);
        str got = rc == RC_OK ? mailaddr_str(a, &addr) : STR_NONE;
        if (rc != rows[i].rc || !str_eq(got, str_c(rows[i].want)))
            fail_msg("%s: %s " STR_FMT, rows[i].text, rc_name(rc), STR_ARG(got));
        arena_reset(a);
    }
    arena_free(a);
}

static void an_exhausted_arena(void **state)
{
    struct arena *a = arena_new(16);
    struct mailaddr addr;
    assert_int_equal(mailaddr_parse(S("user@a.domain.that.is.too.long.for.it"), a, &addr), RC_LIMIT);
    arena_free(a);
}

static void details(void **state)
{
    static const struct {
        str local, delimiters;
        bool has;
        str base, detail;
    } rows[] = {
        {S("user+tag"), S("+"), true, S("user"), S("tag")},
        {S("user+a+b"), S("+"), true, S("user"), S("a+b")},
        {S("user-tag"), S("+-"), true, S("user"), S("tag")},
        {S("user+"), S("+"), true, S("user"), S("")},
        {S("user"), S("+"), false, STR_NONE, STR_NONE},
        {S("+user"), S("+"), false, STR_NONE, STR_NONE},
        {S("user+tag"), S(""), false, STR_NONE, STR_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str base = STR_NONE, detail = STR_NONE;
        assert_int_equal(mailaddr_split_detail(rows[i].local, rows[i].delimiters, &base, &detail),
                         rows[i].has);
        assert_true(str_eq(base, rows[i].base) && str_eq(detail, rows[i].detail));
    }
}

static void internationalised_domains(void **state)
{
    struct buf b = BUF_INIT(DOMAIN_MAX);
    assert_int_equal(idn_put_ascii(&b, S("B\xc3\xbc"
                                         "cher.EXAMPLE")),
                     RC_OK);
    assert_string_equal(buf_cstr(&b), "xn--bcher-kva.example");
    buf_reset(&b);
    assert_int_equal(idn_put_unicode(&b, S("xn--bcher-kva.example")), RC_OK);
    assert_string_equal(buf_cstr(&b), "b\xc3\xbc"
                                      "cher.example");
    buf_reset(&b);
    assert_int_equal(idn_put_ascii(&b, S("fa\xc3\x9f.de")),
                     RC_OK); /* IDNA2008, not the 2003 mapping to "fass" */
    assert_string_equal(buf_cstr(&b), "xn--fa-hia.de");
    assert_int_equal(idn_put_ascii(&b, S("\xe2\x80\xae.example")), RC_INVALID);
    buf_deinit(&b);
}

static void loopback(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } rows[] = {{"127.0.0.1", true},  {"127.9.9.9", true}, {"::1", true}, {"::ffff:127.0.0.1", true},
                {"128.0.0.1", false}, {"::2", false},      {"::", false}, {"10.0.0.1", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ip_net ip;
        assert_int_equal(ip_parse(str_c(rows[i].text), &ip), RC_OK);
        assert_int_equal(ip_is_loopback(&ip), rows[i].want);
    }
    assert_true(ip_is_v6(S("::1")));
    assert_false(ip_is_v6(S("127.0.0.1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses), cmocka_unit_test(an_exhausted_arena),
        cmocka_unit_test(details),   cmocka_unit_test(internationalised_domains),
        cmocka_unit_test(loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
