/* The relay decision: every combination of its facts, and the networks that are trusted. */
#include "smtp/rules.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void relay_table(void **state)
{
    static const struct {
        struct rules_relay facts; /* kind, local, authenticated, in mynetworks */
        enum rules_verdict want;
    } rows[] = {
        {{SMTP_KIND_MX, true, false, false}, RULES_DELIVER},
        {{SMTP_KIND_MX, true, false, true}, RULES_DELIVER},
        {{SMTP_KIND_MX, true, true, false}, RULES_DELIVER},
        {{SMTP_KIND_MX, true, true, true}, RULES_DELIVER},
        {{SMTP_KIND_MX, false, false, false}, RULES_NO_RELAY},
        {{SMTP_KIND_MX, false, false, true}, RULES_RELAY},
        {{SMTP_KIND_MX, false, true, false}, RULES_RELAY},
        {{SMTP_KIND_MX, false, true, true}, RULES_RELAY},
        {{SMTP_KIND_SUBMISSION, true, false, false}, RULES_LOG_IN},
        {{SMTP_KIND_SUBMISSION, true, false, true}, RULES_LOG_IN},
        {{SMTP_KIND_SUBMISSION, true, true, false}, RULES_DELIVER},
        {{SMTP_KIND_SUBMISSION, true, true, true}, RULES_DELIVER},
        {{SMTP_KIND_SUBMISSION, false, false, false}, RULES_LOG_IN},
        {{SMTP_KIND_SUBMISSION, false, false, true}, RULES_LOG_IN},
        {{SMTP_KIND_SUBMISSION, false, true, false}, RULES_RELAY},
        {{SMTP_KIND_SUBMISSION, false, true, true}, RULES_RELAY},
        {{SMTP_KIND_LMTP, true, false, false}, RULES_DELIVER},
        {{SMTP_KIND_LMTP, true, false, true}, RULES_DELIVER},
        {{SMTP_KIND_LMTP, true, true, false}, RULES_DELIVER},
        {{SMTP_KIND_LMTP, true, true, true}, RULES_DELIVER},
        {{SMTP_KIND_LMTP, false, false, false}, RULES_NO_RELAY},
        {{SMTP_KIND_LMTP, false, false, true}, RULES_NO_RELAY},
        {{SMTP_KIND_LMTP, false, true, false}, RULES_NO_RELAY},
        {{SMTP_KIND_LMTP, false, true, true}, RULES_NO_RELAY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(rules_relay(&rows[i].facts), rows[i].want);
}

static void networks(void **state)
{
    static const struct {
        str network;
        const char *address;
        bool want;
    } rows[] = {
        {S("192.0.2.0/24"), "192.0.2.255", true},
        {S("192.0.2.0/24"), "192.0.3.0", false},
        {S("192.0.2.128/25"), "192.0.2.127", false},
        {S("192.0.2.1"), "192.0.2.1", true},
        {S("192.0.2.1"), "192.0.2.2", false},
        {S("[2001:db8::]/32"), "2001:db8:ffff::1", true},
        {S("2001:db8::/33"), "2001:db8:8000::1", false},
        {S("0.0.0.0/0"), "::1", false},
        {S("0.0.0.0/0"), "203.0.113.9", true},
        {S("::/0"), "203.0.113.9", true}, /* mapped addresses are addresses */
        {S("192.0.2.0/33"), "192.0.2.1", false},
        {S("192.0.2.0/"), "192.0.2.1", false},
        {S("example.org"), "192.0.2.1", false},
        {S(""), "192.0.2.1", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conf_list list = {.v = &(str){rows[i].network.p, rows[i].network.n}, .n = 1};
        struct ip_net address;
        assert_int_equal(ip_parse(str_c(rows[i].address), &address), RC_OK);
        if (rules_in_networks(&list, &address) != rows[i].want)
            fail_msg("%s in " STR_FMT, rows[i].address, STR_ARG(rows[i].network));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(relay_table), cmocka_unit_test(networks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
