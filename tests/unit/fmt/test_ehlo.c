/* fmt/ehlo: keywords and their parameters, as RFCs show them and as servers write them. */
#include "fmt/ehlo.h"

#include "fmt/smtp_attr.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct ehlo read_lines(const char *const *lines)
{
    struct ehlo e = {0};
    for (size_t i = 0; lines[i]; i++)
        ehlo_feed(&e, str_c(lines[i]));
    return e;
}

static void everything_is_recognised(void **state)
{
    static const char *const lines[] = {"mx.example.org Hello client.example [192.0.2.1]",
                                        "PIPELINING",
                                        "SIZE 52428800",
                                        "8BITMIME",
                                        "SMTPUTF8",
                                        "CHUNKING",
                                        "BINARYMIME",
                                        "STARTTLS",
                                        "AUTH PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256 CRAM-MD5 XOAUTH2",
                                        "ENHANCEDSTATUSCODES",
                                        "DSN",
                                        "MT-PRIORITY MIXER",
                                        "FUTURERELEASE 1209600 2026-12-20T16:00:00Z",
                                        "DELIVERBY 240",
                                        "REQUIRETLS",
                                        "LIMITS RCPTMAX=20 MAILMAX=5 RCPTDOMAINMAX=3 OTHER=x",
                                        "XORIGIN example.org",
                                        "XFORWARD NAME ADDR OTHER ident",
                                        NULL};
    struct ehlo e = read_lines(lines);
    assert_string_equal(e.name, "mx.example.org");
    assert_int_equal(e.keywords, (1u << 17) - 1);
    assert_int_equal(e.xforward, 1u << SMTP_ATTR_NAME | 1u << SMTP_ATTR_ADDR | 1u << SMTP_ATTR_IDENT);
    assert_string_equal(e.origin, "example.org");
    assert_int_equal(e.size_max, 52428800);
    assert_int_equal(e.auth, EHLO_AUTH_PLAIN | EHLO_AUTH_LOGIN | EHLO_AUTH_SCRAM_SHA_1 |
                                 EHLO_AUTH_SCRAM_SHA_256 | EHLO_AUTH_XOAUTH2);
    assert_string_equal(e.priority_profile, "MIXER");
    assert_int_equal(e.hold_max, 1209600);
    assert_int_equal(e.deliver_by_min, 240);
    assert_int_equal(e.rcpt_max, 20);
    assert_int_equal(e.mail_max, 5);
    assert_int_equal(e.rcpt_domain_max, 3);
}

static void servers_write_them_otherwise(void **state)
{
    static const char *const lines[] = {
        "mx", "pipelining ", "Size", "auth=LOGIN plain", "  DSN", "XDSN", "8BITMIMEX", "", NULL};
    struct ehlo e = read_lines(lines);
    assert_int_equal(e.keywords, EHLO_PIPELINING | EHLO_SIZE | EHLO_AUTH | EHLO_DSN);
    assert_int_equal(e.size_max, 0);
    assert_int_equal(e.auth, EHLO_AUTH_LOGIN | EHLO_AUTH_PLAIN);
}

static void nonsense_changes_nothing(void **state)
{
    static const char *const lines[] = {"m\x01x",
                                        "SIZE -1",
                                        "SIZE 99999999999999999999999",
                                        "LIMITS RCPTMAX= MAILMAX=x RCPTDOMAINMAX=99999999 =1 RCPTMAX",
                                        "DELIVERBY x",
                                        "MT-PRIORITY aaaaaaaaaabbbbbbbbbbc",
                                        NULL};
    struct ehlo e = read_lines(lines);
    assert_string_equal(e.name, "");
    assert_int_equal(e.size_max, 0);
    assert_int_equal(e.rcpt_max + e.mail_max + e.rcpt_domain_max + e.deliver_by_min, 0);
    assert_string_equal(e.priority_profile, "");
    assert_true(ehlo_has(&e, EHLO_SIZE | EHLO_LIMITS | EHLO_DELIVERBY));
    assert_false(ehlo_has(&e, EHLO_SIZE | EHLO_DSN));
}

static void lines_have_a_limit(void **state)
{
    struct ehlo e = {0};
    for (int i = 0; i < EHLO_KEYWORDS_MAX + 1; i++)
        ehlo_feed(&e, S("X"));
    ehlo_feed(&e, S("DSN"));
    assert_int_equal(e.keywords, 0);
}

static void mechanisms_have_names(void **state)
{
    assert_true(str_eq(ehlo_auth_name(EHLO_AUTH_SCRAM_SHA_256), S("SCRAM-SHA-256")));
    assert_true(str_eq(ehlo_auth_name(EHLO_AUTH_PLAIN), S("PLAIN")));
}

static void keywords_have_names(void **state)
{
    assert_int_equal(ehlo_keyword_find(S("chunking")), EHLO_CHUNKING);
    assert_int_equal(ehlo_keyword_find(S("CHUNK")), 0);
    assert_true(ehlo_may_discard(S("Silent-Discard")) && ehlo_may_discard(S("etrn")) &&
                ehlo_may_discard(S("DSN")));
    assert_false(ehlo_may_discard(S("DSM")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_recognised), cmocka_unit_test(servers_write_them_otherwise),
        cmocka_unit_test(nonsense_changes_nothing), cmocka_unit_test(lines_have_a_limit),
        cmocka_unit_test(mechanisms_have_names),    cmocka_unit_test(keywords_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
