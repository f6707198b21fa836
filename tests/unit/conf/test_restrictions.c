/* Restriction lists in the configuration: what `malle check` says, which list decides, and policy servers. */
#include "conf/policy_service.h"
#include "conf/restrictions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MINIMAL "hostname = mail.example.com\n"

static void faults(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: fine */
    } rows[] = {
        {"smtpd_helo_restrictions = permit_mynetworks, reject_invalid_helo_hostname\n", NULL},
        {"smtpd_helo_restrictions = reject_invalid_helo_hostnam\n",
         "f:2: smtpd_helo_restrictions: \"reject_invalid_helo_hostnam\" is no restriction; did you mean "
         "reject_invalid_helo_hostname\n"},
        {"smtpd_sender_restrictions = check_sender_access\n",
         "f:2: smtpd_sender_restrictions: check_sender_access needs a table such as "
         "hash:/etc/postfix/access\n"},
        {"smtpd_client_restrictions = reject_maps_rbl\n",
         "f:2: smtpd_client_restrictions: \"reject_maps_rbl\" is not supported\n"},
        {"smtpd_client_restrictions = reject_rbl_client bl.example=1.2\n",
         "f:2: smtpd_client_restrictions: \"bl.example=1.2\" is no list such as bl.example=127.0.0.[2..9]\n"},
        {"smtpd_data_restrictions = hash:/etc/x\n",
         "f:2: smtpd_data_restrictions: check_..._access is needed before \"hash:/etc/x\"\n"},
        {"smtpd_data_restrictions = check_policy_service unix:private/x\n",
         "f:2: smtpd_data_restrictions: check_policy_service: the path of unix:private/x must be absolute\n"},
        {"smtpd_data_restrictions = check_policy_service { inet:localhost:1, timeot = 3s }\n",
         "f:2: smtpd_data_restrictions: check_policy_service: timeot = \"3s\" is not understood\n"},
        {"smtpd_restriction_classes = a = reject\nsmtpd_client_restrictions = a\n", NULL},
        {"smtpd_restriction_classes = a = b; b = a\n",
         "f:2: smtpd_restriction_classes: a: it leads back to itself, or to too many others\n"},
        {"smtpd_restriction_classes = a = reject; a = permit\n",
         "f:2: smtpd_restriction_classes: a: it is there twice\n"},
        {"smtpd_restriction_classes = a = rejekt\n",
         "f:2: smtpd_restriction_classes: a: \"rejekt\" is no restriction; did you mean reject\n"},
        {"smtpd_restriction_classes = reject = permit\n",
         "f:2: smtpd_restriction_classes: \"reject\" is a restriction already\n"},
        {"smtpd_relay_restrictions = permit_mynetworks\n",
         "f:2: smtpd_relay_restrictions: nothing in it, nor in the other list for recipients, keeps "
         "strangers"},
        {"smtpd_recipient_restrictions = permit_mynetworks, warn_if_reject reject_unauth_destination\n",
         "f:2: smtpd_recipient_restrictions: nothing in it"},
        {"smtpd_relay_restrictions = permit_mynetworks\nsmtpd_recipient_restrictions = "
         "reject_unauth_destination\n",
         NULL},
        {"smtpd_relay_restrictions = permit, reject_unauth_destination\n",
         "f:2: smtpd_relay_restrictions: permit before reject_unauth_destination lets strangers"},
        {"smtpd_relay_restrictions = permit_sasl_authenticated, reject, permit\n", NULL},
        {"smtpd_restriction_classes = a = permit_mynetworks, "
         "reject_unauth_destination\nsmtpd_relay_restrictions = a\n",
         NULL},
        {"parent_domain_matches_subdomains = mynetworks\n", "f:2: parent_domain_matches_subdomains: "},
        {"reject_code = 250\n", "f:2: reject_code: 250 is less than 400\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf text = BUF_INIT(10000), said = BUF_INIT(10000);
        struct conf_report report = {0};
        buf_puts(&text, S(MINIMAL));
        buf_puts(&text, str_c(rows[i].text));
        AUTO(conf_freep) struct conf *c = conf_parse(buf_str(&text), "f", &report);
        conf_report_format(&report, &said);
        if (!rows[i].want != (c != NULL) ||
            (rows[i].want && !str_starts(buf_str(&said), str_c(rows[i].want))))
            fail_msg("%s\nwanted: %s\n   got: %s", rows[i].text, rows[i].want ? rows[i].want : "nothing",
                     buf_cstr(&said));
        conf_report_deinit(&report);
    }
}

static void who_decides(void **state)
{
    static const struct {
        const char *relay, *recipient;
        enum restriction_list want;
    } rows[] = {
        {"", "", RESTRICTION_LISTS},
        {"reject_unauth_destination", "reject", RESTRICTION_RELAY},
        {"permit_mynetworks", "defer", RESTRICTION_RECIPIENT},
        {"warn_if_reject reject", "a", RESTRICTION_RECIPIENT},
        {"a", "permit_mynetworks", RESTRICTION_RELAY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conf c = {.smtpd_relay_restrictions = rows[i].relay,
                         .smtpd_recipient_restrictions = rows[i].recipient,
                         .smtpd_restriction_classes = "a = permit_mynetworks, b; b = reject"};
        assert_int_equal(conf_restrictions_deciding(&c), rows[i].want);
    }
}

static void policy_servers(void **state)
{
    struct conf_report report = {0};
    AUTO(conf_freep)
    struct conf *c =
        conf_parse(S(MINIMAL "smtpd_policy_service_timeout = 7s\nsmtpd_policy_service_policy_context = x\n"),
                   "f", &report);
    AUTO(buf_deinit) struct buf spec = BUF_INIT(200);
    struct restriction r;
    struct conf_policy_service p;
    struct err e = {0};
    str list = S("check_policy_service { inet:localhost:10023, max_idle = 5s, try_limit=3, request_limit=9, "
                 "{default_action = dunno} }");
    assert_non_null(c);
    assert_int_equal(restriction_take(&list, RESTRICTION_DATA, S(""), &r, &e), RC_OK);
    assert_int_equal(conf_policy_service(c, &r, &p, &e), RC_OK);
    assert_true(p.timeout_ms == 7000 && p.max_idle_ms == 5000 && p.try_limit == 3 &&
                p.retry_delay_ms == 1000);
    assert_true(str_eq(p.default_action, S("dunno")) && str_eq(p.context, S("x")));
    conf_policy_spec(&p, &spec);
    assert_true(str_eq(buf_str(&spec), S("policy:inet:localhost:10023;7000;5000;1000000;9")));
    conf_report_deinit(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(faults), cmocka_unit_test(who_decides),
                                       cmocka_unit_test(policy_servers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
