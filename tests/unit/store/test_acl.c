/* Rights of others on mailboxes: Dovecot's file dovecot-acl, as it is read, changed, passed on, and left
 * alone.
 */
#include "fixture.h"

static void change_acl(struct store *st, const char *mailbox, const char *id, enum acl_op op,
                       const char *rights)
{
    struct acl_change c = {.op = op};
    assert_int_equal(acl_id_parse(str_c(id), &c.id), RC_OK);
    assert_int_equal(acl_rights_parse(str_c(rights), &c.rights), RC_OK);
    ok(store_acl_change(st, str_c(mailbox), &c, e));
}

/* As the file would have it. */
static void expect_acl(struct store *st, const char *mailbox, const char *want)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    AUTO(buf_deinit) struct buf text = BUF_INIT(ACL_BYTES_MAX);
    struct acl acl;
    ok(store_acl(st, str_c(mailbox), a, &acl, e));
    acl_format(&acl, &text);
    assert_string_equal(buf_cstr(&text), want);
}

static void test_change(void **state)
{
    struct store *st = *state;
    ok(store_create(st, S("Work"), USE_NONE, e));
    expect_acl(st, "Work", "");
    change_acl(st, "Work", "bob", ACL_REPLACE, "lr");
    change_acl(st, "inbox", "-$staff", ACL_ADD, "w");
    assert_string_equal(get_file(".Work/dovecot-acl"), "user=bob lr\n");
    assert_string_equal(get_file("dovecot-acl"), "-group=staff w\n");
    change_acl(st, "Work", "bob", ACL_ADD, "s");
    expect_acl(st, "Work", "user=bob lrs\n");
    change_acl(st, "Work", "bob", ACL_DELETE, "");
    expect_acl(st, "Work", "");
    assert_string_equal(find_file(".Work", ".lock"), "");
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    const struct acl_change c = {.id = {.kind = ACL_ANYONE}};
    struct acl acl;
    refused(RC_GONE, store_acl(st, S("nowhere"), a, &acl, e));
    refused(RC_GONE, store_acl(st, S("a//b"), a, &acl, e));
    refused(RC_GONE, store_acl_change(st, S("nowhere"), &c, e));
}

/* What cannot be understood may take rights away: it is not written over. */
static void test_unreadable(void **state)
{
    static const char *const bad[] = {"user=bob lr\nnobody x\n", "user=bob lr lr\n"};
    struct store *st = *state;
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    const struct acl_change c = {.id = {.kind = ACL_ANYONE}};
    struct acl acl;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_file("dovecot-acl", bad[i]);
        refused(RC_TEMP, store_acl(st, S("INBOX"), a, &acl, e));
        refused(RC_TEMP, store_acl_change(st, S("INBOX"), &c, e));
        assert_string_equal(get_file("dovecot-acl"), bad[i]);
    }
    static char big[ACL_BYTES_MAX + 2];
    memset(big, '\n', sizeof big - 1);
    put_file("dovecot-acl", big);
    refused(RC_TEMP, store_acl(st, S("INBOX"), a, &acl, e));
    assert_int_equal(unlink(fixture_path("dovecot-acl")), 0);
    assert_int_equal(mkdir(fixture_path("dovecot-acl"), 0700), 0);
    refused(RC_TEMP, store_acl(st, S("INBOX"), a, &acl, e));
}

static void test_full(void **state)
{
    struct store *st = *state;
    static char big[ACL_BYTES_MAX];
    memset(big, '#', sizeof big - 1);
    const char last[] = "\nuser=bob lr\n";
    memcpy(big + sizeof big - sizeof last, last, sizeof last);
    put_file("dovecot-acl", big);
    change_acl(st, "INBOX", "bob", ACL_REMOVE, "r"); /* comments go */
    expect_acl(st, "INBOX", "user=bob l\n");
    struct buf lines = BUF_INIT(ACL_BYTES_MAX);
    for (int i = 0; i < 4095; i++)
        buf_printf(&lines, "user=%08d l\n", i); /* there is room for 16 bytes more */
    put_file("dovecot-acl", buf_cstr(&lines));
    const struct acl_change c = {.id = {.kind = ACL_USER, .who = S("somebody.else")}, .rights = 1};
    refused(RC_LIMIT, store_acl_change(st, S("INBOX"), &c, e));
    assert_string_equal(get_file("dovecot-acl"), buf_cstr(&lines));
    change_acl(st, "INBOX", "00000007", ACL_DELETE, "");
    buf_deinit(&lines);
}

/* A new mailbox has the rights of the nearest one above it; a renamed one keeps its own. */
static void test_inherited(void **state)
{
    struct store *st = *state;
    ok(store_create(st, S("A"), USE_NONE, e));
    ok(store_create(st, S("A/B"), USE_NONE, e));
    change_acl(st, "A", "bob", ACL_REPLACE, "lr");
    change_acl(st, "INBOX", "anne", ACL_REPLACE, "l");
    put_file("dovecot-acl-list", "1 A\n");
    ok(store_create(st, S("A/C/D"), USE_NONE, e));
    ok(store_create(st, S("A/B/E"), USE_NONE, e));
    ok(store_create(st, S("INBOX/F"), USE_NONE, e));
    ok(store_create(st, S("G"), USE_NONE, e));
    expect_acl(st, "A/C/D", "user=bob lr\n");
    expect_acl(st, "A/B/E", ""); /* that of A/B, which has none */
    expect_acl(st, "INBOX/F", "user=anne l\n");
    expect_acl(st, "G", "");
    assert_string_equal(get_file("dovecot-acl-list"), ""); /* Dovecot is to make it anew */
    put_file("dovecot-acl-list", "1 A\n");
    ok(store_rename(st, S("A/C/D"), S("G/H"), e));
    expect_acl(st, "G/H", "user=bob lr\n");
    assert_string_equal(get_file("dovecot-acl-list"), "");
    put_file(".A/dovecot-acl", "nonsense here\n");
    ok(store_create(st, S("A/I"), USE_NONE, e));
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct acl acl;
    refused(RC_TEMP, store_acl(st, S("A/I"), a, &acl, e)); /* and nobody has a right there either */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_change),
        TEST(test_unreadable),
        TEST(test_full),
        TEST(test_inherited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
