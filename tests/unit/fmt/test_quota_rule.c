/* Rules of quotas as Dovecot writes them, and what they come to. */
#include "fmt/quota_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define K *1024ull
#define M *1048576ull
#define G *1073741824ull

static void limits(void **state)
{
    static const struct {
        const char *rules, *mailbox;
        uint64_t bytes, messages;
        bool ignored;
    } table[] = {
        {"", "INBOX", 0, 0, false},
        {"*:storage=1G:messages=1000", "INBOX", 1 G, 1000, false},
        {"*:storage=100", "INBOX", 100 K, 0, false}, /* kilobytes */
        {"*:bytes=100", "INBOX", 100, 0, false},
        {"*:bytes=100k", "INBOX", 100 K, 0, false},
        {"*:storage=5MB", "INBOX", 5 M, 0, false},
        {"?:storage=2T", "INBOX", 2048 G, 0, false},
        {"*:storage=1G\n*:storage=2G", "", 2 G, 0, false}, /* the last counts */
        {"*:storage=1G:messages=9\n*:bytes=5", "", 5, 9, false},
        {"*:storage=1G\nTrash:storage=+100M", "Trash", (1 G) + (100 M), 0, false},
        {"*:storage=1G\nTrash:storage=+100M", "INBOX", 1 G, 0, false},
        {"*:storage=1G\nTrash:storage=+100M", "", 1 G, 0, false},
        {"*:storage=1G\nTrash:storage=+10%", "Trash", (1 G) + (1 G) / 10, 0, false},
        {"*:storage=1000b\nTrash:storage=50%", "Trash", 500, 0, false},
        {"*:storage=1000b\nSent:storage=-400b", "Sent", 600, 0, false},
        {"*:storage=1000b\nSent:storage=-4000b", "Sent", 1, 0, false}, /* 0 would be no limit */
        {"*:storage=1000b\nSent:storage=10b", "Sent", 10, 0, false},
        {"*:messages=10\nSent:messages=+5", "Sent", 0, 15, false},
        {"*:storage=1G\nJunk:ignore", "Junk", 1 G, 0, true},
        {"*:storage=1G\nJunk:ignore", "Junk/2026", 1 G, 0, false},
        {"*:storage=1G\nJunk*:ignore", "Junk/2026", 1 G, 0, true},
        {"*:storage=1G\nJunk/%:ignore", "Junk/a/b", 1 G, 0, false},
        {"*:storage=1G\nJunk*:ignore\nJunk:storage=+1G", "Junk", 1 G, 0, true}, /* the first that fits */
        {"Trash:storage=+100M", "Trash", 0, 0, false}, /* nothing is more than no limit */
        {"\n\n*:storage=1k\n", "INBOX", 1 K, 0, false},
        {"nonsense\n*:storage=1k", "INBOX", 1 K, 0, false},
        {"*:storage=0:messages=0", "INBOX", 0, 0, false},
        {"*:storage=1k\ninbox:storage=2k", "INBOX", 2 K, 0, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct quota_limits l = quota_limits_of(str_c(table[i].rules), str_c(table[i].mailbox), '/');
        if (l.bytes != table[i].bytes || l.messages != table[i].messages || l.ignored != table[i].ignored)
            fail_msg("%s of %s: %llu %llu %d", table[i].rules, table[i].mailbox, (unsigned long long)l.bytes,
                     (unsigned long long)l.messages, l.ignored);
    }
}

static void wrong_rules(void **state)
{
    static const char *const wrong[] = {
        "",
        "*",
        "*:",
        ":storage=1G",
        "*:storage",
        "*:storage=",
        "*:ignore",
        "*:storage=x",
        "*:size=1",
        "*:storage=1Q",
        "*:storage=+1G",
        "*:storage=10%",
        "*:messages=1k",
        "T:storage=--1",
        "T:storage=9999999999T",
        "T:bytes=18446744073709551616",
        "T:storage=1 x",
        "T:storage=1GBB",
    };
    struct quota_rule r;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (quota_rule_parse(str_c(wrong[i]), &r) != RC_INVALID)
            fail_msg("%s was taken", wrong[i]);
}

static void verdicts(void **state)
{
    static const struct {
        struct quota_limits l;
        struct quota_use before, added;
        uint64_t grace;
        enum quota_verdict verdict;
    } table[] = {
        {{100, 0, false}, {0, 0}, {100, 1}, 0, QUOTA_FITS},
        {{100, 0, false}, {1, 1}, {100, 1}, 0, QUOTA_OVER},
        {{100, 0, false}, {1, 1}, {100, 1}, 10, QUOTA_FITS},
        {{100, 0, false}, {100, 1}, {10, 1}, 10, QUOTA_FITS}, /* the last one may pass the limit... */
        {{100, 0, false}, {101, 1}, {1, 1}, 10, QUOTA_OVER},  /* ...and then it is over */
        {{100, 0, false}, {0, 0}, {101, 1}, 0, QUOTA_NEVER},
        {{100, 0, false}, {0, 0}, {101, 2}, 0, QUOTA_OVER},
        {{100, 0, true}, {500, 0}, {101, 1}, 0, QUOTA_FITS}, /* ignored */
        {{0, 5, false}, {500, 4}, {101, 1}, 0, QUOTA_FITS},
        {{0, 5, false}, {500, 5}, {101, 1}, 0, QUOTA_OVER},
        {{0, 5, false}, {500, 5}, {101, 1}, 100, QUOTA_OVER}, /* grace is of bytes */
        {{0, 0, false}, {UINT64_MAX, UINT64_MAX}, {INT64_MAX, 1}, 0, QUOTA_FITS},
        {{INT64_MAX, 0, false}, {1, 1}, {INT64_MAX, 1}, INT64_MAX, QUOTA_FITS},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(quota_judge(&table[i].l, &table[i].before, &table[i].added, table[i].grace),
                         table[i].verdict);
    assert_int_equal(quota_grace(S("10%"), 1000), 100);
    assert_int_equal(quota_grace(S("50 M"), 1000), 50 M);
    assert_int_equal(quota_grace(S("0"), 1000), 0);
    assert_true(quota_grace_valid(S("50 M")) && quota_grace_valid(S("10%")));
    assert_false(quota_grace_valid(S("ten")) || quota_grace_valid(S("+10%")) || quota_grace_valid(S("")));
}

static bool crosses(const char *warning, uint64_t before, uint64_t after)
{
    struct quota_warning w;
    const struct quota_limits l = {1000, 10, false};
    assert_int_equal(quota_warning_parse(str_c(warning), &w), RC_OK);
    return quota_warning_crossed(&w, &l, &(struct quota_use){before, before / 100},
                                 &(struct quota_use){after, after / 100});
}

static void warnings(void **state)
{
    struct quota_warning w;
    assert_true(crosses("storage=95%", 900, 950));
    assert_false(crosses("storage=95%", 900, 949));
    assert_false(crosses("storage=95%", 950, 960)); /* once */
    assert_true(crosses("storage=95%", 0, 5000));
    assert_true(crosses("messages=80%", 790, 800));
    assert_true(crosses("storage=500%:messages=80%", 790, 800));
    assert_true(crosses("-storage=95% under %u", 960, 900));
    assert_false(crosses("-storage=95%", 900, 960));
    assert_true(crosses("bytes=500", 400, 600));
    assert_int_equal(quota_warning_parse(S("storage=95% quota-warning 95 joe"), &w), RC_OK);
    assert_true(str_eq(w.command, S("quota-warning 95 joe")) && !w.below);
    static const char *const wrong[] = {"", "95%", "-", "storage=+5%", "storage", "below storage=5%"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(quota_warning_parse(str_c(wrong[i]), &w), RC_INVALID);
}

static void formats(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(200);
    quota_rule_put(&out, &(struct quota_limits){5, 0, false});
    buf_putc(&out, ' ');
    quota_rule_put(&out, &(struct quota_limits){5, 7, false});
    buf_putc(&out, ' ');
    quota_rule_put(&out, &(struct quota_limits){0, 0, false});
    assert_string_equal(buf_cstr(&out), "*:bytes=5 *:bytes=5:messages=7 *:bytes=0:messages=0");
}

static void trash(void **state)
{
    uint32_t priority;
    str mailbox;
    assert_int_equal(quota_trash_parse(S(" 2  Deleted Items "), &priority, &mailbox), RC_OK);
    assert_int_equal(priority, 2);
    assert_true(str_eq(mailbox, S("Deleted Items")));
    assert_int_equal(quota_trash_parse(S("Junk"), &priority, &mailbox), RC_INVALID);
    assert_int_equal(quota_trash_parse(S("1"), &priority, &mailbox), RC_INVALID);
    assert_int_equal(quota_trash_parse(S("-1 Junk"), &priority, &mailbox), RC_INVALID);
    assert_int_equal(quota_trash_parse(S("1 "), &priority, &mailbox), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(limits),   cmocka_unit_test(wrong_rules),
                                       cmocka_unit_test(trash),    cmocka_unit_test(verdicts),
                                       cmocka_unit_test(warnings), cmocka_unit_test(formats)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
