/* Which mailboxes: RFC 5465 §6, §8; RFC 7377 §2.2, §4. */
#include "base/buf.h"
#include "fmt/imap_filter.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static enum rc parse(struct arena *a, str text, unsigned permitted, struct imap_filter *ret)
{
    struct imap_lex lex;
    imap_lex_init(&lex, text, a);
    enum rc rc = imap_filter_parse(&lex, permitted, ret);
    return rc == RC_OK ? imap_eol(&lex) : rc;
}

static void test_has(void **state)
{
    static const struct {
        const char *filter, *name;
        bool subscribed, has;
    } rows[] = {
        {"selected", "INBOX", true, false},
        {"SELECTED-DELAYED", "INBOX", true, false},
        {"inboxes", "a/b", false, true},
        {"Personal", "a/b", false, true},
        {"subscribed", "a", true, true},
        {"subscribed", "a", false, false},
        {"mailboxes a", "a", false, true},
        {"mailboxes a", "a/b", false, false},
        {"mailboxes (b \"a\")", "a", false, true},
        {"mailboxes \"a*\"", "ab", false, false}, /* RFC 5465 §6.6: no wildcards */
        {"mailboxes (inbox)", "INBOX", false, true},
        {"subtree a", "a", false, true},
        {"subtree a", "a/b/c", false, true},
        {"subtree a", "ab", false, false},
        {"subtree a", "b/a", false, false},
        {"subtree (x a/b)", "a/b/c", false, true},
        {"subtree (x a/b)", "a", false, false},
        {"subtree-one a", "a", false, true},
        {"subtree-one a", "a/b", false, true},
        {"subtree-one a", "a/b/c", false, false},
        {"subtree \"\"", "a/b", false, true},
        {"subtree-one \"\"", "a", false, true},
        {"subtree-one \"\"", "a/b", false, false},
        {"mailboxes &ANw-", "\xc3\x9c", false, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        struct imap_filter f;
        if (parse(a, str_c(rows[i].filter), ~0u, &f) != RC_OK ||
            imap_filter_has(&f, str_c(rows[i].name), rows[i].subscribed, '/') != rows[i].has)
            fail_msg("%s: %s", rows[i].filter, rows[i].name);
    }
}

static void test_refused(void **state)
{
    static const char *const rows[] = {"",
                                       "all",
                                       "subtree",
                                       "subtree ",
                                       "mailboxes ()",
                                       "mailboxes (a",
                                       "mailboxes a b",
                                       "mailboxes (a  (b))",
                                       "mailboxes (a)b",
                                       "mailboxes &",
                                       "subtree-two a",
                                       "selected-delayed x"};
    struct imap_filter f;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        if (parse(a, str_c(rows[i]), ~0u, &f) != RC_INVALID)
            fail_msg("accepted: %s", rows[i]);
    }
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    assert_int_equal(parse(a, S("selected-delayed"), ~(unsigned)FILTER_SELECTED_DELAYED, &f), RC_INVALID);
}

static void test_limit(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    AUTO(buf_deinit) struct buf text = BUF_INIT(1 << 12);
    struct imap_filter f;
    (void)state;
    buf_puts(&text, S("mailboxes (a"));
    for (int i = 1; i < FILTER_NAMES_MAX; i++)
        buf_puts(&text, S(" a"));
    size_t most = text.n;
    buf_puts(&text, S(")"));
    assert_int_equal(parse(a, buf_str(&text), ~0u, &f), RC_OK);
    assert_int_equal(f.n, FILTER_NAMES_MAX);
    buf_truncate(&text, most);
    buf_puts(&text, S(" a)"));
    assert_int_equal(parse(a, buf_str(&text), ~0u, &f), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_has),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
