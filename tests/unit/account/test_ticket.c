/* account/ticket: once, in time, from the right process; identities as bytes. */
#include "account/ticket.h"

#include "os/ipc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct account_identity sample(void)
{
    return (struct account_identity){.account = "bob@example.org",
                                     .uid = 5000,
                                     .gid = 5001,
                                     .groups = {7, 8},
                                     .n_groups = 2,
                                     .home = "/h",
                                     .mail_dir = "/var/mail/bob",
                                     .index_dir = "/var/index/bob",
                                     .quota = "*:bytes=1099511627776"};
}

static void life(void **state)
{
    struct ticket_table *t = ticket_table_new(4);
    struct account_identity id = sample(), got = {0};
    unsigned char a[TICKET_SIZE], b[TICKET_SIZE];
    assert_int_equal(ticket_issue(t, &id, 3, 1000, a), RC_OK);
    assert_int_equal(ticket_issue(t, &id, 3, 1000, b), RC_OK);
    assert_memory_not_equal(a, b, TICKET_SIZE);
    str ta = str_mem(a, TICKET_SIZE), tb = str_mem(b, TICKET_SIZE);
    assert_int_equal(ticket_redeem(t, ta, 3, 1000 + TICKET_TTL_MS - 1, &got), RC_OK);
    assert_memory_equal(&got, &id, sizeof id);
    assert_int_equal(ticket_redeem(t, ta, 3, 1001, &got), RC_GONE); /* once */
    assert_int_equal(ticket_redeem(t, tb, 4, 1001, &got), RC_GONE); /* of another process... */
    assert_int_equal(ticket_redeem(t, tb, 3, 1001, &got), RC_GONE); /* ...which ended it */
    assert_int_equal(ticket_issue(t, &id, 3, 2000, a), RC_OK);
    assert_int_equal(ticket_redeem(t, ta, 3, 2000 + TICKET_TTL_MS, &got), RC_GONE); /* too late */
    assert_int_equal(ticket_redeem(t, S(""), 3, 2000, &got), RC_GONE);
    assert_int_equal(ticket_redeem(t, S("0000000000000000"), 3, 2000, &got), RC_GONE);
    /* a slot that is free is never redeemed by its zeroes */
    assert_int_equal(ticket_redeem(t, S("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 0, 2000, &got), RC_GONE);
    assert_null(ticket_table_free(t));
}

static void capacity(void **state)
{
    struct ticket_table *t = ticket_table_new(2);
    struct account_identity id = sample();
    unsigned char a[TICKET_SIZE];
    assert_int_equal(ticket_issue(t, &id, 1, 1, a), RC_OK);
    assert_int_equal(ticket_issue(t, &id, 1, 1, a), RC_OK);
    assert_int_equal(ticket_issue(t, &id, 1, 1, a), RC_LIMIT);
    assert_int_equal(ticket_issue(t, &id, 1, 1 + TICKET_TTL_MS, a), RC_OK); /* expired ones make room */
    assert_null(ticket_table_free(t));
}

static void bytes(void **state)
{
    struct account_identity id = sample(), got = {0};
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX);
    identity_put(&b, &id);
    assert_int_equal(identity_get(buf_str(&b), &got), RC_OK);
    assert_memory_equal(&got, &id, sizeof id);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(identity_get(str_sub(buf_str(&b), 0, n), &got), RC_INVALID);
    buf_putc(&b, 'x');
    assert_int_equal(identity_get(buf_str(&b), &got), RC_INVALID);
    static const char *const paths[] = {"relative", "/a/../b", "/a/./b", "/..", ""};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct account_identity bad = sample();
        snprintf(bad.mail_dir, sizeof bad.mail_dir, "%s", paths[i]);
        buf_reset(&b);
        identity_put(&b, &bad);
        assert_int_equal(identity_get(buf_str(&b), &got), RC_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(life), cmocka_unit_test(capacity),
                                       cmocka_unit_test(bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
