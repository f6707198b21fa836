/* Restriction lists: never an open relay, the order of lists, verdicts, access tables, and what is said. */
#include "restrict_talk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CASES(rows) restrict_run_cases((rows), sizeof(rows) / sizeof *(rows))
#define NETWORKS    "mynetworks = 192.0.2.7\n"

/* --- relaying --- */

/* None of these permits a stranger anything of its own. */
static const char *const lists[] = {
    "",
    "permit_mynetworks, reject_unauth_destination",
    "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination",
    "warn_if_reject reject_unauth_destination",
    "warn_if_reject reject",
    "reject_non_fqdn_recipient, warn_if_reject reject_unauth_destination",
    "permit_auth_destination, reject",
    "strict",
    "warn_if_reject strict",
    "check_client_access inline:{192.0.2.7=DUNNO}",
    "check_recipient_access inline:{foreign.example={warn_if_reject reject_unauth_destination}}",
    "permit_dnswl_client wl.example, reject_unauth_destination",
    "permit_dnswl_client wl.example",
    "permit_mx_backup, reject_unauth_destination",
    "defer_if_permit",
};

static void never_an_open_relay(void **state)
{
    enum { N = sizeof lists / sizeof *lists };
    size_t accepted = 0;
    for (size_t i = 0; i < N * N; i++) {
        char text[1000];
        struct conf_report report = {0};
        snprintf(text, sizeof text,
                 "hostname = mx.example.org\nsmtpd_client_restrictions = permit\nsmtpd_helo_restrictions = "
                 "permit\n"
                 "smtpd_sender_restrictions = permit\nsmtpd_restriction_classes = strict = "
                 "reject_unauth_destination\n"
                 "smtpd_relay_restrictions = %s\nsmtpd_recipient_restrictions = %s\n",
                 lists[i / N], lists[i % N]);
        AUTO(conf_freep) struct conf *c = conf_parse(str_c(text), "test", &report);
        conf_report_deinit(&report);
        if (!c)
            continue;
        accepted++;
        struct restrict_case stranger = {text, .to = "bob@foreign.example"};
        const char *got = restrict_reply_to(&stranger);
        if (got[0] != '4' && got[0] != '5')
            fail_msg("%s: %s", text, got);
    }
    assert_true(accepted > N);
}

static void who_may_relay(void **state)
{
    static const struct restrict_case rows[] = {
        {"", .to = "b@foreign.example", .want = "554 5.7.1 <b@foreign.example>: Relay access denied"},
        {NETWORKS, .to = "b@foreign.example", .want = "250"},
        {NETWORKS "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n",
         .to = "b@foreign.example", .want = "250"},
        {NETWORKS "smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination\n",
         .to = "b@foreign.example", .want = "554 5.7.1 <b@foreign.example>: Relay access denied"},
        {"smtpd_relay_restrictions = defer_unauth_destination\n", .to = "b@foreign.example",
         .want = "454 4.7.1 <b@foreign.example>: Relay access denied"},
        {"smtpd_recipient_restrictions = reject_unauth_destination\nrelay_domains = foreign.example\n",
         .to = "b@foreign.example", .want = "250"},
        {"smtpd_relay_restrictions = check_recipient_access inline:{foreign.example=OK}, "
         "reject_unauth_destination\n",
         .to = "b@foreign.example", .want = "250"},
        {"smtpd_relay_restrictions = check_recipient_access inline:{foreign.example=OK}, "
         "reject_unauth_destination\n",
         .to = "b@other.example", .want = "554 5.7.1 "},
        /* the list that guards decides; what another one permits opens nothing */
        {"smtpd_relay_restrictions = check_client_access inline:{192.0.2.7=OK}\n"
         "smtpd_recipient_restrictions = reject_unauth_destination\n",
         .to = "b@foreign.example", .want = "554 5.7.1 "},
        {"smtpd_relay_restrictions = warn_if_reject reject_unauth_destination, reject_unauth_destination\n"
         "smtpd_recipient_restrictions = check_client_access inline:{192.0.2.7=OK}\n",
         .to = "b@foreign.example", .want = "554 5.7.1 "},
        {"smtpd_client_restrictions = check_client_access inline:{192.0.2.7=OK}\n", .to = "b@foreign.example",
         .want = "554 5.7.1 "},
        {"smtpd_relay_restrictions = permit_mx_backup, reject_unauth_destination\n", .to = "b@backup.example",
         .want = "250"},
        {"smtpd_relay_restrictions = permit_mx_backup, reject_unauth_destination\n"
         "permit_mx_backup_networks = 198.51.100.0/24\n",
         .to = "b@backup.example", .want = "250"},
        {"smtpd_relay_restrictions = permit_mx_backup, reject_unauth_destination\n"
         "permit_mx_backup_networks = 10.0.0.0/8\n",
         .to = "b@backup.example", .want = "554 5.7.1 "},
        {"smtpd_relay_restrictions = permit_mx_backup, reject_unauth_destination\n", .to = "b@good.example",
         .want = "554 5.7.1 "},
        {"own_addresses = 198.51.100.1\nsmtpd_relay_restrictions = permit_mx_backup, "
         "reject_unauth_destination\n",
         .to = "b@good.example", .want = "250"},
        {"smtpd_relay_restrictions = permit_mx_backup, reject_unauth_destination\n",
         .to = "\"b@foreign.example\"@backup.example", .want = "554 5.7.1 "},
        {"smtpd_relay_restrictions = permit_mx_backup, reject_unauth_destination\n", .to = "b@slow.example",
         .want = "450 4.4.4 <b@slow.example>: Recipient address rejected: Unable to look up mail exchanger"},
        {"smtpd_relay_restrictions = permit_dnswl_client wl.example, reject_unauth_destination\n",
         .to = "b@foreign.example", .want = "554 5.7.1 "},
    };
    CASES(rows);
}

/* --- the order of things --- */

static void lists_in_order(void **state)
{
    static const struct restrict_case rows[] = {
        {"smtpd_client_restrictions = reject\nsmtpd_helo_restrictions = defer\n",
         .want = "554 5.7.1 <client.example[192.0.2.7]>: Client host rejected: Access denied"},
        {"smtpd_helo_restrictions = reject\nsmtpd_sender_restrictions = defer\n",
         .want = "554 5.7.1 <client.example>: Helo command rejected: Access denied"},
        {"smtpd_sender_restrictions = defer\nsmtpd_relay_restrictions = reject\n",
         .want = "450 4.3.2 <a@good.example>: Sender address rejected: Try again later"},
        {"smtpd_relay_restrictions = reject\nsmtpd_recipient_restrictions = defer\n",
         .want = "554 5.7.1 <alice@example.org>: Recipient address rejected: Access denied"},
        {"smtpd_relay_restrictions = reject\nsmtpd_recipient_restrictions = defer\n"
         "smtpd_relay_before_recipient_restrictions = no\n",
         .want = "450 4.3.2 "},
        {"smtpd_recipient_restrictions = reject\nreject_code = 521\n", .want = "521 5.7.1 "},
        /* what is permitted in one list is not in the next */
        {"smtpd_client_restrictions = permit\nsmtpd_helo_restrictions = reject\n",
         .want = "554 5.7.1 <client"},
        /* at once */
        {"smtpd_delay_reject = no\nsmtpd_client_restrictions = reject\n",
         .want = "554 5.7.1 <client.example[192.0.2.7]>: Client host rejected: Access denied"},
        {"smtpd_delay_reject = no\nsmtpd_helo_restrictions = reject\n",
         .want = "554 5.7.1 <client.example>: Helo"},
        {"smtpd_delay_reject = no\nsmtpd_sender_restrictions = reject\n",
         .want = "554 5.7.1 <a@good.example>: Sender"},
        /* unknown recipients come last */
        {"smtpd_recipient_restrictions = reject_unauth_destination, defer\n", .to = "nobody@example.org",
         .want = "450 4.3.2 "},
        {"smtpd_recipient_restrictions = reject_unauth_destination\n", .to = "nobody@example.org",
         .want = "550 5.1.1 <nobody@example.org>: Recipient address rejected: User unknown in virtual "
                 "mailbox table"},
        {"smtpd_recipient_restrictions = reject_unlisted_recipient, reject\n", .to = "nobody@example.org",
         .want = "550 5.1.1 "},
        {"smtpd_reject_unlisted_recipient = no\n", .to = "nobody@example.org", .want = "250"},
        {"smtpd_reject_unlisted_sender = yes\n", .from = "nobody@example.org",
         .want = "550 5.1.0 <nobody@example.org>: Sender address rejected: User unknown in virtual mailbox "
                 "table"},
        {"smtpd_reject_unlisted_sender = yes\n", .from = "bob@example.org", .want = "250"},
        {"smtpd_reject_unlisted_sender = yes\n", .from = "", .want = "250"},
    };
    CASES(rows);
}

static void verdicts(void **state)
{
    static const struct restrict_case rows[] = {
        {"smtpd_sender_restrictions = warn_if_reject reject\n", .want = "250"},
        {"smtpd_sender_restrictions = warn_if_reject permit_mynetworks, reject\n", .want = "554"},
        {"smtpd_sender_restrictions = warn_if_reject both\nsmtpd_restriction_classes = both = reject, "
         "defer\n",
         .want = "250"},
        {"smtpd_sender_restrictions = both, reject\nsmtpd_restriction_classes = both = warn_if_reject, "
         "permit_mynetworks\n",
         .want = "554"},
        {"smtpd_sender_restrictions = defer_if_permit\n",
         .want = "450 4.7.0 <a@good.example>: Sender address rejected: defer_if_permit requested"},
        {"smtpd_sender_restrictions = defer_if_permit\nsmtpd_recipient_restrictions = reject\n",
         .want = "554"},
        {"smtpd_sender_restrictions = defer_if_reject, reject\n",
         .want = "450 4.7.0 <a@good.example>: Sender address rejected: defer_if_reject requested"},
        {"smtpd_sender_restrictions = defer_if_reject\nsmtpd_recipient_restrictions = reject\n",
         .want = "554"},
        {"smtpd_sender_restrictions = defer_if_reject, permit\n", .want = "250"},
        {"smtpd_sender_restrictions = permit, reject\n", .want = "250"},
        {"smtpd_sender_restrictions = reject_plaintext_session\n",
         .want = "450 4.7.1 Session encryption is required"},
        {"smtpd_client_restrictions = permit_mynetworks, reject\n" NETWORKS, .want = "250"},
        {"smtpd_client_restrictions = permit_inet_interfaces, reject\n", .want = "554"},
        {"smtpd_client_restrictions = permit_sasl_authenticated, reject\n", .want = "554"},
    };
    CASES(rows);
    assert_non_null(strstr(talk_log(), "NOQUEUE: reject: RCPT from client.example[192.0.2.7]: 554 5.7.1 "));
}

static void warnings_are_logged(void **state)
{
    static const struct restrict_case warned = {"smtpd_sender_restrictions = warn_if_reject reject\n"};
    (void)restrict_reply_to(&warned);
    assert_non_null(strstr(talk_log(),
                           "NOQUEUE: reject_warning: RCPT from client.example[192.0.2.7]: 554 5.7.1 "
                           "<a@good.example>: Sender address rejected: Access denied; "
                           "from=<a@good.example> to=<alice@example.org> proto=SMTP helo=<client.example>"));
}

/* --- access tables --- */

#define ACCESS(table) \
    "smtpd_recipient_restrictions = check_sender_access inline:" table ", reject_unauth_destination\n"

static void access_keys(void **state)
{
    static const struct restrict_case rows[] = {
        {ACCESS("{a@good.example=REJECT}"),
         .want = "554 5.7.1 <a@good.example>: Sender address rejected: Access denied"},
        {ACCESS("{a@good.example=REJECT}"), .from = "A+tag@GOOD.example", .want = "554"},
        {ACCESS("{good.example=REJECT}"), .want = "554"},
        {ACCESS("{example=REJECT}"), .want = "554"},
        {ACCESS("{example=REJECT}") "parent_domain_matches_subdomains =\n", .want = "250"},
        {ACCESS("{.example=REJECT}") "parent_domain_matches_subdomains =\n", .want = "554"},
        {ACCESS("{{a@=REJECT}}"), .want = "554"},
        {ACCESS("{b@good.example=REJECT}"), .want = "250"},
        {ACCESS("{<>=REJECT}"), .from = "", .want = "554 5.7.1 <>: Sender address rejected"},
        {ACCESS("{<>=REJECT}"), .want = "250"},
        {"smtpd_client_restrictions = inline:{192.0=REJECT}\n",
         .want = "554 5.7.1 <client.example[192.0.2.7]>: Client"},
        {"smtpd_client_restrictions = inline:{192=REJECT}\n", .client = "198.51.100.9", .want = "250"},
        {"smtpd_client_restrictions = cidr:{{192.0.2.0/24 REJECT}}\n", .want = "554"},
        {"smtpd_client_restrictions = inline:{client.example=REJECT}\n", .want = "554"},
        {"smtpd_client_restrictions = inline:{2001:db8=REJECT}\n", .client = "2001:db8::1", .want = "554"},
        {"smtpd_helo_restrictions = inline:{client.example=REJECT}\n",
         .want = "554 5.7.1 <client.example>: Helo"},
        {"smtpd_sender_restrictions = check_recipient_access inline:{alice@example.org=REJECT}\n",
         .want = "554 5.7.1 <alice@example.org>: Recipient address rejected"},
        {"smtpd_sender_restrictions = check_reverse_client_hostname_access inline:{client.example=REJECT}\n",
         .want = "554 5.7.1 <client.example>: Unverified Client host rejected"},
        {"smtpd_sender_restrictions = check_reverse_client_hostname_access inline:{client.example=OK}\n",
         .want = "451 4.3.5 Server configuration error"},
        {"smtpd_sender_restrictions = check_sender_access fail:x\n",
         .want = "451 4.3.5 <a@good.example>: Sender address rejected: Server configuration error"},
    };
    CASES(rows);
}

static void access_actions(void **state)
{
    static const struct restrict_case rows[] = {
        {ACCESS("{{a@good.example=REJECT 5.1.1 go away}}"),
         .want = "554 5.1.7 <a@good.example>: Sender address rejected: go away"},
        {ACCESS("{{a@good.example=DEFER later}}"),
         .want = "450 4.7.1 <a@good.example>: Sender address rejected: later"},
        {ACCESS("{{a@good.example=550 no}}"),
         .want = "550 5.7.1 <a@good.example>: Sender address rejected: no"},
        {ACCESS("{{a@good.example=450 4.2.0 Greylisted}}"),
         .want = "450 4.2.0 <a@good.example>: Sender address rejected: Greylisted"},
        {ACCESS("{{a@good.example=421 4.7.0 bye}}"), .want = "421 4.7.0 "},
        {ACCESS("{a@good.example=DUNNO}"), .want = "250"},
        {ACCESS("{a@good.example=20260101}"), .want = "250"},
        {ACCESS("{{a@good.example=DEFER_IF_PERMIT wait}}"),
         .want = "450 4.7.1 <a@good.example>: Sender address rejected: wait"},
        {ACCESS("{{a@good.example=DEFER_IF_REJECT wait}}"), .to = "b@foreign.example", .want = "450 4.7.1 "},
        {ACCESS("{{a@good.example=strict}}") "smtpd_restriction_classes = strict = reject\n",
         .want = "554 5.7.1 "},
        {ACCESS("{{a@good.example=reject_unauth_destination, reject}}"), .want = "554 5.7.1 "},
        {ACCESS("{{a@good.example=check_sender_access inline:x}}"),
         .want = "451 4.3.5 Server configuration error"},
        {ACCESS("{{a@good.example=nonsense}}"), .want = "451 4.3.5 Server configuration error"},
        {ACCESS("{{a@good.example=HOLD}}"), .want = "250"},
        {ACCESS("{{a@good.example=FILTER smtp:x}}"), .want = "250"},
        {ACCESS("{{a@good.example=FILTER x}}"), .want = "451 4.3.5 Server configuration error"},
        {ACCESS("{{a@good.example=REDIRECT nowhere}}"), .want = "451 4.3.5 Server configuration error"},
        {ACCESS("{{a@good.example=PREPEND nothing}}"), .want = "451 4.3.5 Server configuration error"},
        {ACCESS("{{a@good.example=INFO hear}}"), .want = "250"},
    };
    CASES(rows);
}

/* --- what becomes of the message --- */

static void send(struct talk *t, const char *settings)
{
    static const struct talk_step steps[] = {
        {NULL, "220 "},
        {"EHLO client.example\r\n", "250-"},
        {"MAIL FROM:<a@good.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n",
         "250 2.1.0\n250 2.1.5\n354"},
        {"Subject: x\r\n\r\nhello\r\n.\r\n", "250 2.0.0 Ok: "},
    };
    talk_init(t, SMTP_KIND_MX, settings);
    talk_begin(t);
    TALK(t, steps);
    talk_end(t);
}

static void actions_on_messages(void **state)
{
    struct talk t;
    send(&t, ACCESS("{{a@good.example=DISCARD}}"));
    assert_int_equal(t.world.deliveries, 0);
    fake_world_deinit(&t.world);
    assert_non_null(strstr(talk_log(),
                           "NOQUEUE: discard: RCPT from client.example[192.0.2.7]: <a@good.example>: Sender "
                           "address triggers DISCARD action; from=<a@good.example>"));
    send(&t, ACCESS("{{a@good.example=BCC bob@example.org}}"));
    assert_int_equal(t.world.deliveries, 2);
    assert_true(str_find(buf_str(&t.world.delivered), S("Delivered-To: bob@example.org")) > 0);
    fake_world_deinit(&t.world);
    send(&t, ACCESS("{{a@good.example=REDIRECT bob@example.org}}"));
    assert_int_equal(t.world.deliveries, 1);
    assert_true(str_find(buf_str(&t.world.delivered), S("Delivered-To: bob@example.org")) > 0);
    fake_world_deinit(&t.world);
    send(&t, ACCESS("{{a@good.example=PREPEND X-Seen: yes}}"));
    assert_true(str_find(buf_str(&t.world.delivered), S("\nX-Seen: yes\nReceived: ")) > 0);
    fake_world_deinit(&t.world);
}

static void data_and_end(void **state)
{
    static const struct talk_step data[] = {
        {NULL, "220 "},
        {"EHLO client.example\r\n", "250-"},
        {"MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n",
         "250\n250\n250\n550 5.5.3 <DATA>: Data command rejected: Multi-recipient bounce"},
        {"RSET\r\n", "250"},
        {"MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n", "250\n250\n354"},
        {"x\r\n.\r\n", "250"},
        {"MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\nBDAT 3 LAST\r\nx\r\n",
         "250\n250\n250\n550 5.5.3 <DATA>: Data command rejected: Multi-recipient bounce"},
    };
    static const struct talk_step end[] = {
        {NULL, "220 "},
        {"EHLO client.example\r\n", "250-"},
        {"MAIL FROM:<a@good.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n", "250\n250\n354"},
        {"x\r\n.\r\n", "554 5.7.1 <END-OF-MESSAGE>: End-of-data rejected: Access denied"},
    };
    struct talk t;
    talk_init(&t, SMTP_KIND_MX, "smtpd_data_restrictions = reject_multi_recipient_bounce\n");
    talk_begin(&t);
    TALK(&t, data);
    talk_end(&t);
    assert_int_equal(t.world.deliveries, 1);
    fake_world_deinit(&t.world);
    talk_init(&t, SMTP_KIND_MX, "smtpd_end_of_data_restrictions = sleep 3, reject\n");
    talk_begin(&t);
    TALK(&t, end);
    talk_end(&t);
    assert_int_equal(t.world.deliveries, 0);
    assert_int_equal(t.world.paused_ms, 3000);
    fake_world_deinit(&t.world);
}

static void commands(void **state)
{
    static const struct talk_step denied[] = {
        {NULL, "554 5.7.1 <client.example[192.0.2.7]>: Client host rejected: Access denied"},
        {"EHLO client.example\r\n", "503 5.7.0 Error: access denied for client.example[192.0.2.7]"},
        {"BDAT 3 LAST\r\nx\r\n", "503 5.7.0 "},
        {"QUIT\r\n", "221"},
    };
    static const struct talk_step free[] = {
        {NULL, "220 "},
        {"VRFY alice\r\n", "502 5.5.1 VRFY command is disabled"},
        {"MAIL FROM:<a@good.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n", "250\n250\n354"},
        {"x\r\n.\r\n", "250"},
    };
    struct talk t;
    talk_init(&t, SMTP_KIND_MX, "smtpd_delay_reject = no\nsmtpd_client_restrictions = reject\n");
    talk_begin(&t);
    TALK(&t, denied);
    talk_end(&t);
    fake_world_deinit(&t.world);
    assert_non_null(strstr(talk_log(),
                           "NOQUEUE: reject: CONNECT from client.example[192.0.2.7]: 554 5.7.1 "
                           "<client.example[192.0.2.7]>: Client host rejected: Access denied; proto=SMTP\n"));
    talk_init(&t, SMTP_KIND_MX, "smtpd_helo_required = no\ndisable_vrfy_command = yes\n");
    talk_begin(&t);
    TALK(&t, free);
    talk_end(&t);
    fake_world_deinit(&t.world);
}

#define OF_SENDER "smtpd_sender_restrictions = reject_unverified_sender\n"
#define OF_RECIPIENT                                                                              \
    "relay_domains = foreign.example\nsmtpd_recipient_restrictions = reject_unauth_destination, " \
    "reject_unverified_recipient\n"

static void addresses_are_verified(void **state)
{
    static const struct restrict_case rows[] = {
        {OF_SENDER, .from = "new@good.example", .want = "250"},
        {OF_SENDER, .from = "", .want = "250"},
        {OF_SENDER, .from = "alice@example.org", .want = "250"},
        {OF_SENDER, .from = "nobody@example.org",
         .want = "450 4.1.7 <nobody@example.org>: Sender address rejected: unverified address: User unknown"},
        {OF_SENDER, .from = "refused@good.example",
         .want = "450 4.1.7 <refused@good.example>: Sender address rejected: unverified address: host mx "
                 "said: no"},
        {OF_SENDER "unverified_sender_reject_code = 550\n", .from = "refused@good.example",
         .want = "550 5.1.7 <refused@good.example>: Sender address rejected: undeliverable address: host mx "
                 "said: no"},
        {OF_SENDER "unverified_sender_reject_code = 250\n", .from = "refused@good.example", .want = "250"},
        {OF_SENDER, .from = "later@good.example",
         .want =
             "450 4.1.7 <later@good.example>: Sender address rejected: unverified address: host mx said: no"},
        {OF_SENDER "unverified_sender_defer_code = 250\n", .from = "slow@good.example", .want = "250"},
        {OF_SENDER, .from = "slow@good.example",
         .want = "450 4.1.7 <slow@good.example>: Sender address rejected: unverified address: Address "
                 "verification in "
                 "progress"},
        {OF_SENDER, .from = "broken@good.example",
         .want = "450 4.1.7 <broken@good.example>: Sender address rejected: address verification problem"},
        {OF_RECIPIENT, .to = "new@foreign.example", .want = "250"},
        {OF_RECIPIENT, .to = "alice@example.org", .want = "250"},
        {OF_RECIPIENT, .to = "refused@foreign.example",
         .want = "450 4.1.1 <refused@foreign.example>: Recipient address rejected: unverified address: host "
                 "mx said: no"},
        {OF_RECIPIENT
         "unverified_recipient_reject_code = 550\nunverified_recipient_reject_reason = not there\n",
         .to = "refused@foreign.example",
         .want = "550 5.1.1 <refused@foreign.example>: Recipient address rejected: undeliverable address: "
                 "not there"},
    };
    CASES(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_an_open_relay),    cmocka_unit_test(who_may_relay),
        cmocka_unit_test(lists_in_order),         cmocka_unit_test(verdicts),
        cmocka_unit_test(warnings_are_logged),    cmocka_unit_test(access_keys),
        cmocka_unit_test(access_actions),         cmocka_unit_test(actions_on_messages),
        cmocka_unit_test(data_and_end),           cmocka_unit_test(commands),
        cmocka_unit_test(addresses_are_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
