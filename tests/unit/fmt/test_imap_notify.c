/* Arguments of NOTIFY: RFC 5465 §3.1, §5, §6, §8. */
#include "fmt/imap_notify.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BOTH "MessageNew MessageExpunge"

static enum rc parse(struct arena *a, str text, struct imap_notify *ret)
{
    struct imap_lex lex;
    imap_lex_init(&lex, text, a);
    return imap_notify_parse(&lex, ret);
}

static void test_groups(void **state)
{
    static const struct {
        const char *text;
        unsigned kind, events; /* of the last group */
        size_t n;
        bool status, has_fetch;
    } rows[] = {
        {"SET (selected NONE)", FILTER_SELECTED, 0, 1, false, false},
        {"set status (SELECTED-DELAYED (" BOTH "))", FILTER_SELECTED_DELAYED, NOTIFY_MESSAGES, 1, true,
         false},
        {"SET (selected (messagenew (uid body.peek[header.fields (from to subject)]) MessageExpunge))",
         FILTER_SELECTED, NOTIFY_MESSAGES, 1, false, true},
        {"SET (personal (FlagChange " BOTH "))", FILTER_PERSONAL, NOTIFY_MESSAGES | NOTIFY_FLAGS, 1, false,
         false},
        {"SET STATUS (mailboxes INBOX (" BOTH ")) (inboxes (SubscriptionChange MailboxName))", FILTER_INBOXES,
         NOTIFY_SUBSCRIPTIONS | NOTIFY_NAMES, 2, true, false},
        {"SET (selected (MessageNew (UID FLAGS) MessageExpunge)) (subtree (a b) (" BOTH " FlagChange))",
         FILTER_SUBTREE, NOTIFY_MESSAGES | NOTIFY_FLAGS, 2, false, true},
        {"SET (personal (mailboxmetadatachange ServerMetadataChange MailboxName))", FILTER_PERSONAL,
         NOTIFY_METADATA | NOTIFY_SERVER_METADATA | NOTIFY_NAMES, 1, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        struct imap_notify n;
        if (parse(a, str_c(rows[i].text), &n) != RC_OK)
            fail_msg("refused: %s", rows[i].text);
        assert_false(n.none);
        assert_int_equal(n.n, rows[i].n);
        assert_int_equal(n.groups[n.n - 1].filter.kind, rows[i].kind);
        assert_int_equal(n.groups[n.n - 1].events, rows[i].events);
        assert_int_equal(n.status, rows[i].status);
        assert_int_equal(n.has_fetch, rows[i].has_fetch);
    }
}

static void test_none(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    struct imap_notify n = {0};
    (void)state;
    assert_int_equal(parse(a, S("none "), &n), RC_OK);
    assert_true(n.none);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        enum rc rc;
    } rows[] = {
        {"", RC_INVALID},
        {"ALL", RC_INVALID},
        {"NONE x", RC_INVALID},
        {"SET", RC_INVALID},
        {"SET STATUS", RC_INVALID},
        {"SET STATUSES (selected NONE)", RC_INVALID},
        {"SET ()", RC_INVALID},
        {"SET (selected)", RC_INVALID},
        {"SET (selected NONE", RC_INVALID},
        {"SET (selected (NONE))", RC_PERM}, /* no event of that name */
        {"SET selected NONE", RC_INVALID},
        {"SET (selected ())", RC_INVALID},
        {"SET (selected (" BOTH " MailboxMetadataChange))", RC_INVALID},
        {"SET (selected-delayed (ServerMetadataChange))", RC_INVALID},
        {"SET (selected " BOTH ")", RC_INVALID},
        {"SET (selected NONE)(personal NONE)", RC_INVALID},
        /* §5: what comes together only */
        {"SET (personal (MessageNew))", RC_INVALID},
        {"SET (personal (MessageExpunge))", RC_INVALID},
        {"SET (personal (FlagChange))", RC_INVALID},
        {"SET (personal (MessageNew FlagChange))", RC_INVALID},
        /* §6.1: the selected mailbox once, and for messages alone */
        {"SET (selected NONE) (selected NONE)", RC_INVALID},
        {"SET (selected NONE) (selected-delayed NONE)", RC_INVALID},
        {"SET (selected (" BOTH " MailboxName))", RC_INVALID},
        {"SET (selected (SubscriptionChange))", RC_INVALID},
        /* §8: FETCH items for the selected mailbox alone */
        {"SET (personal (MessageNew (UID) MessageExpunge))", RC_INVALID},
        {"SET (selected (MessageNew (UID) MessageNew (UID) MessageExpunge))", RC_INVALID},
        {"SET (selected (MessageNew () MessageExpunge))", RC_INVALID},
        {"SET (selected (MessageNew (XYZZY) MessageExpunge))", RC_INVALID},
        {"SET (selected (MessageNew (BODY[1.) MessageExpunge))", RC_INVALID},
        /* §3.1: events that are not known here */
        {"SET (selected (" BOTH " AnnotationChange))", RC_PERM},
        {"SET (personal (X))", RC_PERM},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        struct imap_notify n;
        enum rc rc = parse(a, str_c(rows[i].text), &n);
        if (rc != rows[i].rc)
            fail_msg("%d: %s", rc, rows[i].text);
    }
}

static void test_limit(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    AUTO(buf_deinit) struct buf text = BUF_INIT(1 << 12);
    struct imap_notify n;
    (void)state;
    buf_puts(&text, S("SET"));
    for (int i = 0; i < NOTIFY_GROUPS_MAX; i++)
        buf_puts(&text, S(" (personal NONE)"));
    assert_int_equal(parse(a, buf_str(&text), &n), RC_OK);
    buf_puts(&text, S(" (personal NONE)"));
    assert_int_equal(parse(a, buf_str(&text), &n), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
