/* Restrictions that ask the DNS, or judge names by their text. */
#include "restrict_talk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CASES(rows)  restrict_run_cases((rows), sizeof(rows) / sizeof *(rows))
#define HELO(list)   "smtpd_helo_restrictions = " list "\n"
#define SENDER(list) "smtpd_sender_restrictions = " list "\n"
#define CLIENT(list) "smtpd_client_restrictions = " list "\n"

static void helo_names(void **state)
{
    static const struct restrict_case rows[] = {
        {HELO("reject_invalid_helo_hostname"), .helo = "a..b",
         .want = "501 5.5.2 <a..b>: Helo command rejected: Invalid name"},
        {HELO("reject_invalid_helo_hostname"), .helo = "192.0.2.1", .want = "250"},
        {HELO("reject_invalid_helo_hostname"), .helo = "1234", .want = "501 5.5.2 "},
        {HELO("reject_invalid_helo_hostname"), .helo = "[192.0.2.1]", .want = "250"},
        {HELO("reject_invalid_helo_hostname"), .helo = "[192.0.2.1",
         .want = "501 5.5.2 <[192.0.2.1>: Helo command rejected: invalid ip address"},
        {HELO("reject_invalid_helo_hostname"), .helo = "bare", .want = "250"},
        {HELO("reject_non_fqdn_helo_hostname"), .helo = "bare",
         .want = "504 5.5.2 <bare>: Helo command rejected: need fully-qualified hostname"},
        {HELO("reject_non_fqdn_helo_hostname"), .helo = "a.b.", .want = "250"},
        {HELO("reject_unknown_helo_hostname"), .helo = "good.example", .want = "250"},
        {HELO("reject_unknown_helo_hostname"), .helo = "address.example", .want = "250"},
        {HELO("reject_unknown_helo_hostname"), .helo = "none.example",
         .want = "450 4.7.1 <none.example>: Helo command rejected: Host not found"},
        {HELO("reject_unknown_helo_hostname") "unknown_hostname_reject_code = 550\n", .helo = "none.example",
         .want = "550 5.7.1 "},
        {HELO("reject_unknown_helo_hostname") "unknown_hostname_reject_code = 550\n", .helo = "slow.example",
         .want = "450 4.7.1 "},
        {HELO("reject_unknown_helo_hostname") SENDER("reject"), .helo = "slow.example", .want = "554"},
        {HELO("reject_unknown_helo_hostname")
             SENDER("reject") "unknown_helo_hostname_tempfail_action = defer\n",
         .helo = "slow.example", .want = "450 4.7.1 <slow.example>: Helo"},
    };
    CASES(rows);
}

static void addresses(void **state)
{
    static const struct restrict_case rows[] = {
        {SENDER("reject_non_fqdn_sender"), .from = "a@bare",
         .want = "504 5.5.2 <a@bare>: Sender address rejected: need fully-qualified address"},
        {SENDER("reject_non_fqdn_sender"), .from = "a@[192.0.2.1]", .want = "250"},
        {SENDER("reject_non_fqdn_sender"), .from = "", .want = "250"},
        {SENDER("reject_unknown_sender_domain"), .want = "250"},
        {SENDER("reject_unknown_sender_domain"), .from = "a@address.example", .want = "250"},
        {SENDER("reject_unknown_sender_domain"), .from = "a@example.org", .want = "250"}, /* ours */
        {SENDER("reject_unknown_sender_domain"), .from = "", .want = "250"},
        {SENDER("reject_unknown_sender_domain"), .from = "a@none.example",
         .want = "450 4.1.8 <a@none.example>: Sender address rejected: Domain not found"},
        {SENDER("reject_unknown_sender_domain"), .from = "a@null.example",
         .want = "550 5.7.27 <a@null.example>: Sender address rejected: Domain null.example does not accept "
                 "mail (nullMX)"},
        {SENDER("reject_unknown_sender_domain"), .from = "a@slow.example",
         .want = "450 4.1.8 <a@slow.example>: Sender address rejected: Domain not found"},
        {SENDER("reject_unknown_sender_domain") "smtpd_recipient_restrictions = reject\n",
         .from = "a@slow.example", .want = "554"},
        {"mynetworks = 192.0.2.7\nsmtpd_recipient_restrictions = reject_unknown_recipient_domain, "
         "reject_unauth_destination\n",
         .to = "b@none.example",
         .want = "450 4.1.2 <b@none.example>: Recipient address rejected: Domain not found"},
        {"smtpd_recipient_restrictions = reject_unknown_recipient_domain, reject_unauth_destination\n",
         .to = "b@null.example",
         .want = "556 5.1.10 <b@null.example>: Recipient address rejected: Domain null.example does not "
                 "accept mail (nullMX)"},
        {"smtpd_recipient_restrictions = reject_non_fqdn_recipient, reject_unauth_destination\n",
         .to = "b@bare",
         .want = "504 5.5.2 <b@bare>: Recipient address rejected: need fully-qualified address"},
        /* RFC 5321 §4.5.1 */
        {"smtpd_recipient_restrictions = reject\n", .to = "postmaster", .want = "250"},
    };
    CASES(rows);
}

static void dns_lists(void **state)
{
    static const struct restrict_case rows[] = {
        {CLIENT("reject_rbl_client bl.example"),
         .want = "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using bl.example; seen!"},
        {CLIENT("reject_rbl_client bl.example=127.0.0.[2;4..11]"),
         .want = "554 5.7.1 Service unavailable; Client host"},
        {CLIENT("reject_rbl_client bl.example=127.0.0.2"), .want = "250"},
        {CLIENT("reject_rbl_client bl.example"), .client = "198.51.100.1", .want = "250"},
        {CLIENT("reject_rbl_client bl.slow.example"), .want = "250"},
        {CLIENT("warn_if_reject reject_rbl_client bl.example"), .want = "250"},
        {CLIENT("permit_dnswl_client wl.example, reject_rbl_client bl.example"), .want = "250"},
        {CLIENT("permit_dnswl_client wl.slow.example, reject_rbl_client bl.example"), .want = "450 4.7.1 "},
        {CLIENT("permit_rhswl_client rhs.example, reject"), .want = "250"},
        {CLIENT("reject_rhsbl_client rhs.example"),
         .want = "554 5.7.1 Service unavailable; Client host [client.example] blocked using rhs.example"},
        {CLIENT("reject_rhsbl_sender rhs.example"), .from = "a@evil.example",
         .want = "554 5.7.1 Service unavailable; Sender address [a@evil.example] blocked using rhs.example"},
        {CLIENT("reject_rhsbl_helo rhs.example"), .helo = "evil.example",
         .want = "554 5.7.1 Service unavailable; Helo command [evil.example] blocked using rhs.example"},
        {CLIENT("reject_rhsbl_sender rhs.example"), .from = "", .want = "250"},
        {CLIENT("reject_rbl_client bl.example") "rbl_reply_maps = inline:{{bl.example = $rbl_code 5.7.9 ask "
                                                "$rbl_domain${rbl_reason?: $rbl_reason}}}\n",
         .want = "554 5.7.9 ask bl.example: seen!"},
        {CLIENT("reject_rbl_client bl.example") "default_rbl_reply = nothing\n",
         .want = "450 4.7.1 Service unavailable"},
        {CLIENT("reject_rbl_client bl.example") "maps_rbl_reject_code = 450\n", .want = "450 4.7.1 Service"},
    };
    CASES(rows);
}

static void servers(void **state)
{
    static const struct restrict_case rows[] = {
        {SENDER("check_sender_mx_access inline:{198.51.100.1=REJECT}"),
         .want = "554 5.7.1 <a@good.example>: Sender address rejected: Access denied"},
        {SENDER("check_sender_mx_access inline:{mx.good.example=REJECT}"), .want = "554"},
        {SENDER("check_sender_mx_access cidr:{{198.51.100.0/24 REJECT}}"), .want = "554"},
        {SENDER("check_sender_mx_access inline:{198.51.100.3=REJECT}"), .from = "a@address.example",
         .want = "554"},
        {SENDER("check_sender_mx_access inline:{198.51.100.9=REJECT}"), .want = "250"},
        {SENDER("check_sender_mx_access inline:{198.51.100.1=OK}"),
         .want = "451 4.3.5 Server configuration error"},
        {SENDER("check_sender_ns_access inline:{198.51.100.2=REJECT}"), .want = "554"},
        {SENDER("check_sender_ns_access inline:{ns.good.example=REJECT}"), .from = "a@sub.good.example",
         .want = "554"},
        {SENDER("check_sender_a_access inline:{198.51.100.3=REJECT}"), .from = "a@address.example",
         .want = "554"},
        {SENDER("check_sender_a_access inline:{192.0.2.99=REJECT}"), .from = "a@[192.0.2.99]", .want = "554"},
        {HELO("check_helo_a_access inline:{198.51.100.1=REJECT}"), .helo = "mx.good.example", .want = "554"},
        {SENDER("check_sender_mx_access inline:{x=REJECT}"), .from = "a@slow.example", .want = "250"},
    };
    CASES(rows);
}

static void names_of_clients(void **state)
{
    static const struct talk_step steps[] = {
        {NULL, "220 "},
        {"HELO x\r\n", "250"},
        {"MAIL FROM:<a@good.example>\r\n", "250"},
        {"RCPT TO:<alice@example.org>\r\n",
         "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.7]"},
    };
    static const struct talk_step reverse[] = {
        {NULL, "220 "},
        {"HELO x\r\n", "250"},
        {"MAIL FROM:<a@good.example>\r\n", "250"},
        {"RCPT TO:<alice@example.org>\r\n",
         "550 5.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.7]"},
    };
    struct talk t;
    talk_init(&t, SMTP_KIND_MX,
              CLIENT("reject_unknown_reverse_client_hostname, reject_unknown_client_hostname"));
    t.params.client_name = S("unknown");
    talk_begin(&t);
    TALK(&t, steps);
    talk_end(&t);
    fake_world_deinit(&t.world);
    talk_init(&t, SMTP_KIND_MX,
              CLIENT("reject_unknown_reverse_client_hostname") "unknown_client_reject_code = 550\n");
    t.params.client_name = t.params.client_reverse_name = S("unknown");
    talk_begin(&t);
    TALK(&t, reverse);
    talk_end(&t);
    fake_world_deinit(&t.world);
    talk_init(&t, SMTP_KIND_MX,
              CLIENT("reject_unknown_client_hostname") "unknown_client_reject_code = 550\n");
    t.params.client_name = t.params.client_reverse_name = S("unknown");
    t.params.name_is_uncertain = true;
    talk_begin(&t);
    TALK(&t, steps);
    talk_end(&t);
    fake_world_deinit(&t.world);
}

static void owners(void **state)
{
    static const struct restrict_case rows[] = {
        {SENDER("reject_sender_login_mismatch") "smtpd_sender_login_maps = inline:{{a@good.example=x, "
                                                "alice@example.org}}\n",
         .want = "553 5.7.1 <a@good.example>: Sender address rejected: not logged in"},
        {SENDER("reject_sender_login_mismatch") "smtpd_sender_login_maps = inline:{@good.example=x}\n",
         .want = "553"},
        {SENDER("reject_sender_login_mismatch") "smtpd_sender_login_maps = inline:{b@good.example=x}\n",
         .want = "250"},
        {SENDER("reject_authenticated_sender_login_mismatch") "smtpd_sender_login_maps = "
                                                              "inline:{a@good.example=x}\n",
         .want = "250"},
        {SENDER("reject_sender_login_mismatch") "smtpd_sender_login_maps = fail:x\n",
         .want = "451 4.3.0 <a@good.example>: Temporary lookup failure"},
        {SENDER("reject_sender_login_mismatch"), .want = "250"},
    };
    CASES(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(helo_names), cmocka_unit_test(addresses),        cmocka_unit_test(dns_lists),
        cmocka_unit_test(servers),    cmocka_unit_test(names_of_clients), cmocka_unit_test(owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
