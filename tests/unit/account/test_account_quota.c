/* What an account may have: its own limits, its domain's, the settings'. */
#include "account/db_schema.h"
#include "conf/conf.h"
#include "fixture.h"
#include "fmt/quota_rule.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct quota_limits limits_of(const char *settings, struct account_quota own,
                                     struct account_quota domain, const char *mailbox)
{
    AUTO(buf_deinit)
    struct buf text = BUF_INIT(4096), rules = BUF_INIT(QUOTA_RULES_BYTES),
               account = BUF_INIT(QUOTA_RULES_BYTES);
    struct conf_report report = {0};
    buf_printf(&text, "hostname = mail.x.y\n%s", settings);
    struct conf *c = conf_parse(buf_str(&text), "test", &report);
    assert_non_null(c);
    const struct account a = {.quota = own, .domain_quota = domain};
    account_put_quota(c, &a, &account);
    conf_quota_rules(c, buf_str(&account), &rules);
    struct quota_limits l = quota_limits_of(buf_str(&rules), str_c(mailbox), '.');
    conf_report_deinit(&report);
    conf_free(c);
    return l;
}

static void precedence(void **state)
{
    static const char rules[] = "quota_rule = *:bytes=100:messages=10, Trash:storage=+50b, Junk:ignore\n",
                      late[] = "quota_rule = Trash:storage=+50b, *:bytes=100:messages=10\n";
    static const struct {
        const char *settings;
        struct account_quota own, domain;
        const char *mailbox;
        uint64_t bytes, messages;
    } table[] = {
        {"", {0, 0}, {0, 0}, "INBOX", 0, 0},
        {"", {5, 0}, {0, 0}, "INBOX", 5, 0},
        {"", {0, 0}, {7, 3}, "INBOX", 7, 3},
        {"", {5, 0}, {7, 3}, "INBOX", 5, 3},
        {rules, {0, 0}, {0, 0}, "INBOX", 100, 10},
        {rules, {0, 0}, {0, 0}, "Trash", 150, 10},
        {rules, {5, 0}, {0, 0}, "INBOX", 5, 10},
        {rules, {5, 0}, {0, 0}, "Trash", 55, 10},
        {rules, {0, 0}, {7, 0}, "INBOX", 7, 10},
        {rules, {-1, 0}, {7, 0}, "INBOX", 0, 10},
        {rules, {-1, -1}, {7, 3}, "INBOX", 0, 0},
        {rules, {0, 0}, {-1, 3}, "INBOX", 0, 3},
        {late, {0, 0}, {0, 0}, "Trash", 150, 10},
        {late, {5, 0}, {0, 0}, "Trash", 55, 10},
        {"quota = no\nquota_rule = *:bytes=100\n", {5, 5}, {0, 0}, "INBOX", 0, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct quota_limits l = limits_of(table[i].settings, table[i].own, table[i].domain, table[i].mailbox);
        if (l.bytes != table[i].bytes || l.messages != table[i].messages)
            fail_msg("%zu: %llu %llu", i, (unsigned long long)l.bytes, (unsigned long long)l.messages);
    }
    assert_true(limits_of(rules, (struct account_quota){5, 0}, (struct account_quota){0, 0}, "Junk").ignored);
}

/* Rules of userdb take the places of those of the settings. */
static void places(void **state)
{
    AUTO(buf_deinit) struct buf rules = BUF_INIT(QUOTA_RULES_BYTES);
    struct conf_report report = {0};
    struct conf *c =
        conf_parse(S("hostname = x.y\nquota_rule = *:bytes=1, A:ignore, B:ignore\n"), "test", &report);
    assert_non_null(c);
    conf_quota_rules(c, S("\nC:ignore\n\nD:ignore"), &rules);
    assert_string_equal(buf_cstr(&rules), "*:bytes=1\nC:ignore\nB:ignore\nD:ignore\n");
    buf_reset(&rules);
    conf_quota_rules(c, S("*:bytes=2"), &rules);
    assert_string_equal(buf_cstr(&rules), "*:bytes=2\nA:ignore\nB:ignore\n");
    conf_report_deinit(&report);
    conf_free(c);
}

static void wrong_settings(void **state)
{
    static const char *const wrong[] = {
        "quota_rule = *:storage", "quota_rule = Junk",          "quota_grace = much",
        "quota_warning = 95%",    "quota_warning = storage=+1", "quota_rule = *:storage=1G, *:ignore",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct conf_report report = {0};
        AUTO(buf_deinit) struct buf text = BUF_INIT(400);
        buf_printf(&text, "hostname = x.y\n%s\n", wrong[i]);
        struct conf *c = conf_parse(buf_str(&text), "test", &report);
        assert_null(c);
        assert_int_equal(report.errors, 1);
        assert_true(report.v[0].line == 2 && strstr(report.v[0].text, "write it as"));
        conf_report_deinit(&report);
    }
}

static void of_domains(void **state)
{
    struct fixture f;
    struct account a;
    struct account_quota q;
    struct err e = {0};
    fixture_open(&f);
    fixture_add(&f, "bob@example.org");
    assert_int_equal(domain_find_quota(f.db, S("example.org"), &q, &e), RC_OK);
    assert_true(q.bytes == 0 && q.messages == 0);
    assert_int_equal(domain_set_quota(f.db, S("EXAMPLE.org"), &(struct account_quota){70, 7}, &e), RC_OK);
    assert_int_equal(account_find(f.db, S("bob@example.org"), &a, &e), RC_OK);
    assert_true(a.domain_quota.bytes == 70 && a.domain_quota.messages == 7 && a.quota.bytes == 0);
    assert_int_equal(domain_set_quota(f.db, S("example.org"), &(struct account_quota){0, 0}, &e), RC_OK);
    assert_int_equal(account_find(f.db, S("bob@example.org"), &a, &e), RC_OK);
    assert_true(a.domain_quota.bytes == 0 && a.domain_quota.messages == 0);
    assert_int_equal(domain_set_quota(f.db, S("x y"), &(struct account_quota){1, 1}, &e), RC_INVALID);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(precedence), cmocka_unit_test(places),
                                       cmocka_unit_test(wrong_settings), cmocka_unit_test(of_domains)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
