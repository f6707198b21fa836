/* store: annotations of mailboxes and of the account: what they outlive, what they go with, and limits. */
#include "fixture.h"

#define MAX METADATA_ENTRIES_MAX

static void set(const char *mailbox, const char *name, const char *value)
{
    const struct metadata m = {str_c(name), value ? str_c(value) : STR_NONE};
    ok(store_set_metadata(fixture_store, str_c(mailbox), &m, 1, e));
}

/* All as "name=value;". */
static const char *get(const char *mailbox)
{
    static char text[4096];
    AUTO(arena_freep) struct arena *a = arena_new(8 << 20);
    struct metadata *v;
    size_t n, at = 0;
    ok(store_metadata(fixture_store, str_c(mailbox), a, &v, &n, e));
    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, STR_FMT "=" STR_FMT ";", STR_ARG(v[i].name),
                               STR_ARG(v[i].value));
    return text;
}

static void test_setting(void **state)
{
    assert_string_equal(get("INBOX"), "");
    set("INBOX", "/private/a", "1");
    set("INBOX", "/shared/b", "2\n3");
    set("INBOX", "/PRIVATE/A", "4");
    set("", "/private/a", "server");
    assert_string_equal(get("INBOX"), "/shared/b=2\n3;/PRIVATE/A=4;");
    assert_string_equal(get(""), "/private/a=server;");
    set("INBOX", "/private/none", NULL);
    set("INBOX", "/private/a", NULL);
    set("INBOX", "/shared/B", NULL);
    assert_string_equal(get("INBOX"), "");
    assert_int_equal(access(fixture_path("malle.metadata"), F_OK), -1);
    const struct metadata twice[] = {
        {S("/private/x"), S("1")}, {S("/private/y"), S("")}, {S("/private/X"), S("2")}};
    ok(store_set_metadata(fixture_store, S("INBOX"), twice, 3, e));
    assert_string_equal(get("INBOX"), "/private/y=;/private/X=2;");
}

static void test_without_the_index(void **state)
{
    set("INBOX", "/private/a", "1");
    fixture_store = store_close(fixture_store);
    unlink(fixture_path("malle.index"));
    fixture_store = fixture_open();
    assert_string_equal(get("INBOX"), "/private/a=1;");
}

static void test_delete_and_rename(void **state)
{
    ok(store_create(fixture_store, S("A"), USE_NONE, e));
    ok(store_create(fixture_store, S("A/B"), USE_NONE, e));
    set("A", "/private/a", "1");
    set("A/B", "/private/b", "2");
    ok(store_rename(fixture_store, S("A"), S("C"), e));
    assert_string_equal(get("C"), "/private/a=1;");
    assert_string_equal(get("C/B"), "/private/b=2;");
    AUTO(arena_freep) struct arena *a = arena_new(8 << 20);
    struct metadata *v, one = {S("/private/a"), S("x")};
    size_t n;
    refused(RC_GONE, store_metadata(fixture_store, S("A"), a, &v, &n, e));
    refused(RC_GONE, store_set_metadata(fixture_store, S("A"), &one, 1, e));
    refused(RC_GONE, store_set_metadata(fixture_store, S("x/../y"), &one, 1, e));
    ok(store_delete(fixture_store, S("C/B"), e));
    ok(store_create(fixture_store, S("C/B"), USE_NONE, e));
    assert_string_equal(get("C/B"), "");
    set("INBOX", "/private/i", "3");
    ok(store_rename(fixture_store, S("INBOX"), S("D"), e));
    assert_string_equal(get("INBOX"), "/private/i=3;");
    assert_string_equal(get("D"), "");
}

static void test_limits(void **state)
{
    char names[MAX][20];
    static char value[METADATA_VALUE_MAX];
    static struct metadata v[MAX];
    memset(value, 'x', sizeof value);
    for (size_t i = 0; i < MAX; i++) {
        snprintf(names[i], sizeof names[i], "/private/%zu", i);
        v[i] = (struct metadata){str_c(names[i]), str_mem(value, sizeof value)};
    }
    ok(store_set_metadata(fixture_store, S("INBOX"), v, MAX, e));
    const struct metadata more[] = {{S("/private/new"), S("1")}, {S("/private/0"), S("changed")}};
    refused(RC_LIMIT, store_set_metadata(fixture_store, S("INBOX"), more, 2, e));
    AUTO(arena_freep) struct arena *a = arena_new(16 << 20);
    struct metadata *all;
    size_t n;
    ok(store_metadata(fixture_store, S("INBOX"), a, &all, &n, e));
    assert_int_equal(n, MAX);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(all[i].value.n, METADATA_VALUE_MAX); /* nothing of it was done */
    AUTO(arena_freep) struct arena *small = arena_new(1 << 20);
    refused(RC_LIMIT, store_metadata(fixture_store, S("INBOX"), small, &all, &n, e));
    set("INBOX", "/private/5", NULL);
    set("INBOX", "/private/new", "1");
}

/* What somebody else wrote is neither told nor thrown away. */
static void test_damage(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(8 << 20);
    const struct metadata m = {S("/private/b"), S("1")};
    struct metadata *v;
    size_t n;
    put_file("malle.metadata", "/private/a 1\nx\nrubbish\n");
    refused(RC_TEMP, store_metadata(fixture_store, S("INBOX"), a, &v, &n, e));
    refused(RC_TEMP, store_set_metadata(fixture_store, S("INBOX"), &m, 1, e));
    assert_string_equal(get_file("malle.metadata"), "/private/a 1\nx\nrubbish\n");
    unlink(fixture_path("malle.metadata"));
    assert_int_equal(symlink("/etc/passwd", fixture_path("malle.metadata")), 0);
    refused(RC_TEMP, store_metadata(fixture_store, S("INBOX"), a, &v, &n, e));
}

static void test_special_use(void **state)
{
    enum special_use use;
    ok(store_create(fixture_store, S("X"), USE_NONE, e));
    ok(store_set_special_use(fixture_store, S("X"), USE_SENT, e));
    ok(store_special_use(fixture_store, S("X"), &use, e));
    assert_int_equal(use, USE_SENT);
    ok(store_set_special_use(fixture_store, S("X"), USE_NONE, e));
    ok(store_special_use(fixture_store, S("X"), &use, e));
    assert_int_equal(use, USE_NONE);
    refused(RC_GONE, store_special_use(fixture_store, S("Y"), &use, e));
    refused(RC_GONE, store_set_special_use(fixture_store, S("Y"), USE_SENT, e));
}

int main(void)
{
#define on_store(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        on_store(test_setting),
        on_store(test_without_the_index),
        on_store(test_delete_and_rename),
        on_store(test_limits),
        on_store(test_damage),
        on_store(test_special_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
