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
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rules_relay facts = rows[i].facts;
        assert_int_equal(rules_relay(&facts), rows[i].want);
        /* a domain in relay_domains opens the way for strangers on the MX listener and changes nothing else
         */
        facts.relay_domain = true;
        bool stranger = facts.kind == SMTP_KIND_MX && !facts.local_rcpt && !facts.authenticated;
        assert_int_equal(rules_relay(&facts), stranger ? RULES_RELAY : rows[i].want);
        /* and so does a restriction that permits it */
        facts.relay_domain = false;
        facts.permitted = true;
        assert_int_equal(rules_relay(&facts), stranger ? RULES_RELAY : rows[i].want);
    }
}

/* Whose headers are rewritten: bits 1 here, 2 in mynetworks, 4 authenticated, 8 local socket. */
static void rewriting(void **state)
{
    enum { ALL = 16 };
    static const struct {
        const char *clients;
        unsigned permitted;
    } rows[] = {{"permit_inet_interfaces", 1},
                {"permit_mynetworks", 2},
                {"permit_sasl_authenticated", 4},
                {"permit_sasl_authenticated, permit_inet_interfaces", 5},
                {"permit", ALL},
                {"", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conf_report report = {0};
        char text[200];
        snprintf(text, sizeof text, "hostname = a.example\nlocal_header_rewrite_clients = %s\n",
                 rows[i].clients);
        AUTO(conf_freep) struct conf *c = conf_parse(str_c(text), "test", &report);
        assert_non_null(c);
        assert_false(rules_any_rewriting(c));
        for (unsigned bits = 0; bits < 16; bits++) {
            struct rules_relay facts = {
                .kind = SMTP_KIND_MX, .in_mynetworks = bits & 2, .authenticated = bits & 4};
            bool want = rows[i].permitted == ALL || bits & (rows[i].permitted | 8);
            assert_int_equal(rules_rewrites_header(c, &facts, bits & 8, bits & 1), want);
            facts.kind = SMTP_KIND_LMTP;
            assert_false(rules_rewrites_header(c, &facts, false, bits & 1));
        }
        conf_report_deinit(&report);
    }
}

static void relay_addresses(void **state)
{
    static const struct {
        const char *address;
        bool want;
    } rows[] = {
        {"joe@relay.example", true},
        {"joe+tag@RELAY.example", true},
        {"joe@sub.relay.example", false},
        {"joe@xrelay.example", false},
        {"joe@sub.below.example", true},
        {"joe@a.sub.below.example", true},
        {"joe@below.example", false},
        {"joe@.below.example", false},
        {"joe@xbelow.example", false},
        {"joe@other.example", false},
        /* sender-specified routing */
        {"joe%other.example@relay.example", false},
        {"joe@other.example@relay.example", false},
        {"\"joe@other.example\"@relay.example", false},
        {"other.example!joe@relay.example", false},
        {"@relay.example", false},
        {"relay.example", false},
        {"joe@", false},
        {"", false},
    };
    struct conf_report report = {0};
    AUTO(conf_freep)
    struct conf *c = conf_parse(S("hostname = a.example\nrelay_domains = relay.example, .below.example\n"),
                                "test", &report);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str domain = rules_relay_domain(str_c(rows[i].address));
        if ((domain.n > 0 && conf_list_has_domain(&c->relay_domains, domain)) != rows[i].want)
            fail_msg("%s", rows[i].address);
    }
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
        if (conf_list_has_address(&list, &address) != rows[i].want)
            fail_msg("%s in " STR_FMT, rows[i].address, STR_ARG(rows[i].network));
    }
}

static void origin(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"hostname = mail.example.com\n", "mail.example.com"},
        {"hostname = mail.example.com\n"
         "domains = example.com, example.org\n",
         "example.com"},
        {"hostname = mail.example.com\n"
         "domains = example.com\nmyorigin = example.net\n",
         "example.net"},
    };
    struct conf_report report = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(conf_freep) struct conf *c = conf_parse(str_c(rows[i].text), "test", &report);
        assert_true(str_eq(rules_origin(c), str_c(rows[i].want)));
    }
}

static void submitters(void **state)
{
    static const struct {
        const char *list, *user;
        bool may;
    } rows[] = {
        {"*", "joe", true},        {"joe", "joe", true},           {"joe", "ann", false},
        {"!joe, *", "joe", false}, {"!joe, *", "ann", true},       {"*, !joe", "joe", true},
        {"!*", "joe", false},      {"ann, !*, joe", "joe", false}, {"joe", "joey", false},
    };
    struct conf_report report = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf text = BUF_INIT(200);
        buf_printf(&text, "hostname = mail.example.com\nauthorized_submit_users = %s\n", rows[i].list);
        AUTO(conf_freep) struct conf *c = conf_parse(buf_str(&text), "test", &report);
        assert_int_equal(rules_may_submit(c, str_c(rows[i].user)), rows[i].may);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(relay_table),     cmocka_unit_test(rewriting),
                                       cmocka_unit_test(relay_addresses), cmocka_unit_test(networks),
                                       cmocka_unit_test(origin),          cmocka_unit_test(submitters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
