/* An account that is open for somebody else than its owner: each right lets him do one thing, without it that
 * is refused, and what he may not look up is not there. */
#include "fixture.h"

#define PREFIX "shared/anne@malle.test/"

static const struct store_guest bob = {.user = S("bob@malle.test"), .prefix = S(PREFIX)};
static struct store *guest;

static int open_guest(void **state)
{
    struct store_conf conf = {.account = S("demo@malle.test"),
                              .hostname = S("mail.malle.test"),
                              .separator = '/',
                              .mailbox_max = 5,
                              .keyword_max = 64,
                              .append_max = 50 << 20,
                              .guest = &bob};
    fixture_setup(state);
    conf.root = str_c(fixture_root);
    ok(store_open(&conf, &guest, e));
    ok(store_create(fixture_store, S("Work"), USE_NONE, e));
    return 0;
}

static int close_guest(void **state)
{
    guest = store_close(guest);
    return fixture_teardown(state);
}

/* What the owner lets him do with Work; NULL: nothing was ever said. */
static void give(const char *rights)
{
    char line[100];
    snprintf(line, sizeof line, "user=bob@malle.test %s\n", rights);
    put_file(".Work/dovecot-acl", line);
}

/* A right that is missing, where the mailbox may be looked up. */
#define forbidden(call)                              \
    do {                                             \
        struct err err_ = {0};                       \
        struct err *e = &err_;                       \
        assert_int_equal((call), RC_PERM);           \
        assert_string_equal(err_.enhanced, "5.7.1"); \
        (void)e;                                     \
    } while (0)

static enum rc do_append(const char *mailbox, struct err *e)
{
    struct append *ap = NULL;
    struct append_result r;
    const struct append_message m = {.flags = FLAG_SEEN | FLAG_DELETED | FLAG_FLAGGED};
    enum rc rc = append_begin(guest, str_c(mailbox), &ap, e);
    if (rc == RC_OK)
        rc = append_write(ap, S("Subject: x\r\n\r\n"), e);
    if (rc == RC_OK)
        rc = append_finish(ap, &m, e);
    if (rc == RC_OK)
        return append_commit(&ap, &r, e);
    append_abort(&ap);
    return rc;
}

static enum rc do_open(struct err *e)
{
    struct box *b = NULL;
    enum rc rc = box_open(guest, S(PREFIX "Work"), false, &b, e);
    box_close(b);
    return rc;
}

/* Everything that is done by name, without any right and with `l` alone. */
static void test_nothing(void **state)
{
    static const char *const rights[] = {"", "l"};
    AUTO(arena_freep) struct arena *a = arena_new(4 << 20);
    struct store_status status;
    struct store_quota quota;
    struct acl acl;
    struct metadata *kept, note = {S("/shared/comment"), S("x")};
    const struct acl_change change = {.id = {.kind = ACL_USER, .who = S("bob@malle.test")},
                                      .rights = ACL_ALL_RIGHTS};
    enum special_use use;
    uint64_t size;
    size_t n;
    int fds[2];
    for (size_t i = 0; i < 2; i++) {
        give(rights[i]);
        enum rc want = i == 0 ? RC_GONE : RC_PERM;
        str work = S(PREFIX "Work");
        refused(want, do_open(e));
        refused(want, do_append(PREFIX "Work", e));
        refused(want, store_status(guest, work, &status, e));
        refused(want, store_deleted_size(guest, work, &size, e));
        refused(want, store_quota(guest, work, &quota, e));
        refused(want, store_acl(guest, work, a, &acl, e));
        refused(want, store_acl_change(guest, work, &change, e));
        refused(want, store_metadata(guest, work, a, &kept, &n, e));
        refused(want, store_set_metadata(guest, work, &note, 1, e));
        refused(want, store_special_use(guest, work, &use, e));
        refused(want, store_watch_fds(guest, work, fds, e));
        refused(want, store_delete(guest, work, e));
        refused(want, store_rename(guest, work, S(PREFIX "Work/x"), e));
    }
    assert_string_equal(get_file(".Work/dovecot-acl"), "user=bob@malle.test l\n");
    forbidden(store_create(guest, S(PREFIX "Work/Below"), USE_NONE, e));
    forbidden(store_create(guest, S(PREFIX "New"), USE_NONE, e));
    forbidden(store_create(guest, S(PREFIX "No/Such/Thing"), USE_NONE, e));
    forbidden(store_subscribe(guest, S(PREFIX "Work"), true, e));
    forbidden(store_metadata(guest, STR_NONE, a, &kept, &n, e));
    forbidden(store_set_metadata(guest, STR_NONE, &note, 1, e));
    forbidden(store_set_special_use(guest, S(PREFIX "Work"), USE_SENT, e));
    refused(RC_GONE, store_quota(guest, STR_NONE, &quota, e));
    /* names of the owner's are nothing here */
    refused(RC_GONE, store_status(guest, S("Work"), &status, e));
    refused(RC_GONE, store_status(guest, S("INBOX"), &status, e));
    refused(RC_GONE, store_status(guest, S("shared/anne@malle.testx/Work"), &status, e));
    (void)state;
}

static void expect_list(const char *want)
{
    AUTO(arena_freep) struct arena *a = arena_new(4 << 20);
    AUTO(buf_deinit) struct buf text = BUF_INIT(4096);
    struct store_box_info *v;
    size_t n;
    ok(store_list(guest, a, &v, &n, e));
    for (size_t i = 0; i < n; i++)
        if (v[i].exists)
            buf_printf(&text, STR_FMT "\n", STR_ARG(v[i].name));
    assert_string_equal(buf_cstr(&text), want);
}

static void test_look_up(void **state)
{
    unsigned rights = 0;
    ok(store_create(fixture_store, S("Work/Below"), USE_NONE, e));
    ok(store_create(fixture_store, S("Drafts"), USE_DRAFTS, e));
    expect_list("");
    refused(RC_GONE, store_rights(guest, S(PREFIX "Work"), &rights, e));
    give("rswipkxtea"); /* all but l */
    expect_list("");
    put_file(".Work.Below/dovecot-acl", "anyone l\n");
    expect_list(PREFIX "Work/Below\n");
    put_file("dovecot-acl", "authenticated l\n");
    expect_list(PREFIX "INBOX\n" PREFIX "Work/Below\n");
    put_file(".Work.Below/dovecot-acl", "no such line\n");
    expect_list(PREFIX "INBOX\n");
    ok(store_rights(guest, S(PREFIX "Work"), &rights, e));
    assert_int_equal(rights, ACL_ALL_RIGHTS & ~ACL_L);
    give("p"); /* RFC 4314 §4: MYRIGHTS is for those with another right */
    refused(RC_GONE, store_rights(guest, S(PREFIX "Work"), &rights, e));
    (void)state;
}

static struct box *open_work(void)
{
    struct box *b = NULL;
    ok(box_open(guest, S(PREFIX "Work"), false, &b, e));
    return b;
}

/* Nobody else's view is what a guest changes: with r alone nothing can be. */
static void test_read(void **state)
{
    append_text(fixture_store, "Work", simple_message);
    give("lr");
    struct box *b = open_work();
    assert_true(box_read_only(b));
    expect_content(b, 1, "From: a@example.org\nSubject: hello\n\none\ntwo\n");
    b = box_close(b);
    give("lrs");
    b = open_work();
    assert_false(box_read_only(b));
    struct box_query *q;
    struct uidset one = set_of("1"), found = {0};
    struct box_copied copied;
    struct box_events none = {0};
    give("lsw"); /* with the next call */
    refused(RC_PERM, box_query_open(b, &one, 0, &q, e));
    refused(RC_PERM, box_find_flags(b, &one, FLAG_SEEN, 0, false, &found, e));
    refused(RC_PERM, box_copy(b, &one, S(PREFIX "Work"), false, &copied, e));
    refused(RC_GONE, box_sync(b, 0, &none, e));
    uidset_deinit(&one);
    box_close(b);
    (void)state;
}

/* What becomes of a message without flags, and of one with all of them, where `rights` are had. */
static void test_flags(void **state)
{
    enum { OTHERS = FLAG_FLAGGED | FLAG_ANSWERED | FLAG_DRAFT, ALL = OTHERS | FLAG_SEEN | FLAG_DELETED };
    static const struct {
        const char *rights;
        unsigned may;
    } rows[] = {{"lri", 0}, {"lrs", FLAG_SEEN}, {"lrt", FLAG_DELETED}, {"lrw", OTHERS}, {"lrswt", ALL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned may = rows[i].may;
        uid32 uid = append_text(fixture_store, "Work", simple_message);
        give(rows[i].rights);
        struct box *b = open_work();
        AUTO(uidset_deinit) struct uidset one = {0};
        uidset_add(&one, uid, uid);
        const str keyword = S("$Label");
        struct flag_change all = {.flags = ALL,
                                  .keywords = &keyword,
                                  .n_keywords = 1,
                                  .unchanged_since = UINT64_MAX},
                           other = all;
        if (!may)
            forbidden(box_change_flags(b, &one, &all, true, NULL, e));
        else
            ok(box_change_flags(b, &one, &all, true, NULL, e));
        assert_int_equal(message(b, uid).flags, may);
        assert_int_equal(message(b, uid).keywords != 0, (may & OTHERS) != 0);
        /* RFC 4314 §4: refused where none of what is named may be changed */
        other = (struct flag_change){.op = FLAGS_ADD, .flags = ALL & ~may, .unchanged_since = UINT64_MAX};
        if (may != ALL)
            forbidden(box_change_flags(b, &one, &other, true, NULL, e));
        /* a replacement leaves what may not be changed */
        struct box *owner = open_box(fixture_store, "Work");
        uidset_copy(&one, box_view(owner));
        other = (struct flag_change){.op = FLAGS_ADD, .flags = ALL, .unchanged_since = UINT64_MAX};
        ok(box_change_flags(owner, &one, &other, true, NULL, e));
        other = (struct flag_change){.op = FLAGS_REPLACE, .unchanged_since = UINT64_MAX};
        if (may)
            ok(box_change_flags(b, &one, &other, true, NULL, e));
        else
            forbidden(box_change_flags(b, &one, &other, true, NULL, e));
        assert_int_equal(message(b, uid).flags, ALL & ~may);
        box_close(owner);
        box_close(b);
    }
    (void)state;
}

static void test_insert(void **state)
{
    give("lrswtea");
    forbidden(do_append(PREFIX "Work", e));
    give("i"); /* a drop-box: not even looked up */
    ok(do_append(PREFIX "Work", e));
    give("is");
    ok(do_append(PREFIX "Work", e));
    give("itw");
    ok(do_append(PREFIX "Work", e));
    struct box *b = open_box(fixture_store, "Work");
    assert_int_equal(message(b, 1).flags, 0);
    assert_int_equal(message(b, 2).flags, FLAG_SEEN);
    assert_int_equal(message(b, 3).flags, FLAG_DELETED | FLAG_FLAGGED);
    box_close(b);
    /* taken away while a message is being written */
    struct append *ap = NULL;
    struct append_result r;
    const struct append_message m = {0};
    give("i");
    ok(append_begin(guest, S(PREFIX "Work"), &ap, e));
    ok(append_write(ap, S("Subject: x\r\n\r\n"), e));
    ok(append_finish(ap, &m, e));
    give("lrswtea");
    forbidden(append_commit(&ap, &r, e));
    assert_int_equal(count_files(".Work/cur"), 3);
    (void)state;
}

static void test_expunge(void **state)
{
    uid32 uid = append_flagged(fixture_store, "Work", simple_message, FLAG_DELETED, NULL, 0);
    AUTO(uidset_deinit) struct uidset one = {0};
    struct box_copied copied = {0};
    struct append *ap = NULL;
    uidset_add(&one, uid, uid);
    ok(store_create(fixture_store, S("To"), USE_NONE, e));
    put_file(".To/dovecot-acl", "anyone lrswi\n");
    give("lrswit");
    struct box *b = open_work();
    forbidden(box_expunge(b, NULL, false, e));
    forbidden(box_copy(b, &one, S(PREFIX "To"), true, &copied, e));
    give("lrswie");
    forbidden(box_expunge(b, NULL, true, e));
    forbidden(box_copy(b, &one, S(PREFIX "To"), true, &copied, e));
    ok(append_begin(guest, S(PREFIX "To"), &ap, e));
    forbidden(append_replace(ap, b, uid, e));
    append_abort(&ap);
    assert_int_equal(count_files(".To/cur"), 0);
    assert_int_equal(count_files(".Work/cur"), 1);
    put_file(".To/dovecot-acl", "anyone lrsw\n");
    give("lrswite");
    forbidden(box_copy(b, &one, S(PREFIX "To"), true, &copied, e));
    put_file(".To/dovecot-acl", "anyone rsw\n");
    refused(RC_GONE, box_copy(b, &one, S(PREFIX "To"), false, &copied, e));
    put_file(".To/dovecot-acl", "anyone i\n"); /* no flags come along */
    ok(box_copy(b, &one, S(PREFIX "To"), false, &copied, e));
    uidset_deinit(&copied.from);
    uidset_deinit(&copied.to);
    struct box *to = open_box(fixture_store, "To");
    assert_int_equal(message(to, 1).flags, 0);
    box_close(to);
    ok(box_expunge(b, NULL, false, e));
    assert_int_equal(count_files(".Work/cur"), 0);
    box_close(b);
    (void)state;
}

static void test_create(void **state)
{
    give("lrswipxtea");
    forbidden(store_create(guest, S(PREFIX "Work/Below"), USE_NONE, e));
    give("k");
    ok(store_create(guest, S(PREFIX "Work/Below"), USE_NONE, e));
    assert_string_equal(get_file(".Work.Below/dovecot-acl"), "user=bob@malle.test k\n"); /* as its parent */
    forbidden(store_create(guest, S(PREFIX "New"), USE_NONE, e));
    refused(RC_PERM, store_create(guest, S(PREFIX "Work/Below"), USE_NONE, e));
    ok(store_create(guest, S(PREFIX "Work/2"), USE_NONE, e));
    ok(store_create(guest, S(PREFIX "Work/3"), USE_NONE, e));
    refused(RC_LIMIT,
            store_create(guest, S(PREFIX "Work/4"), USE_NONE, e)); /* also those that he cannot see count */
    (void)state;
}

static void test_delete(void **state)
{
    ok(store_create(fixture_store, S("Other"), USE_NONE, e));
    ok(store_create(fixture_store, S("Work/Below"), USE_NONE, e));
    put_file("dovecot-acl", "user=bob@malle.test lrswipkxtea\n");
    put_file(".Work.Below/dovecot-acl", "user=bob@malle.test lx\n");
    give("lrswipktea");
    forbidden(store_delete(guest, S(PREFIX "Work"), e));
    forbidden(store_rename(guest, S(PREFIX "Work"), S(PREFIX "INBOX/Work"), e));
    forbidden(store_rename(guest, S(PREFIX "Work/Below"), S(PREFIX "Other/Below"), e));
    forbidden(store_rename(guest, S(PREFIX "Work/Below"), S(PREFIX "Top"), e));
    forbidden(store_rename(guest, S(PREFIX "INBOX"), S(PREFIX "Work/Inbox"), e));
    refused(RC_PERM, store_delete(guest, S(PREFIX "INBOX"), e));
    ok(store_rename(guest, S(PREFIX "Work/Below"), S(PREFIX "INBOX/Moved"), e));
    ok(store_delete(guest, S(PREFIX "INBOX/Moved"), e));
    give("x");
    ok(store_delete(guest, S(PREFIX "Work"), e));
    refused(RC_GONE, store_delete(guest, S(PREFIX "Work"), e));
    (void)state;
}

static void test_administer(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(4 << 20);
    struct acl acl;
    struct acl_change change = {.id = {.kind = ACL_USER, .who = S("eve")}, .rights = ACL_L};
    give("lrswipkxte");
    forbidden(store_acl(guest, S(PREFIX "Work"), a, &acl, e));
    forbidden(store_acl_change(guest, S(PREFIX "Work"), &change, e));
    assert_string_equal(get_file(".Work/dovecot-acl"), "user=bob@malle.test lrswipkxte\n");
    give("a");
    ok(store_acl(guest, S(PREFIX "Work"), a, &acl, e));
    ok(store_acl_change(guest, S(PREFIX "Work"), &change, e));
    assert_string_equal(get_file(".Work/dovecot-acl"), "user=bob@malle.test a\nuser=eve l\n");
    (void)state;
}

static void test_annotations(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(4 << 20);
    struct metadata *v, notes[] = {{S("/private/comment"), S("mine")}, {S("/shared/comment"), S("ours")}};
    size_t n;
    ok(store_set_metadata(fixture_store, S("Work"), notes, 2, e));
    give("lrsitea");
    ok(store_metadata(guest, S(PREFIX "Work"), a, &v, &n, e));
    assert_int_equal(n, 1);
    assert_true(str_eq(v[0].name, S("/shared/comment")));
    forbidden(store_set_metadata(guest, S(PREFIX "Work"), &notes[1], 1, e));
    give("lrw");
    forbidden(store_set_metadata(guest, S(PREFIX "Work"), notes, 2, e));
    ok(store_set_metadata(guest, S(PREFIX "Work"), &notes[1], 1, e));
    (void)state;
}

static void expect_shared_with(const char *want)
{
    AUTO(arena_freep) struct arena *a = arena_new(4 << 20);
    AUTO(buf_deinit) struct buf text = BUF_INIT(4096);
    str *v;
    size_t n;
    ok(store_shared_with(fixture_store, a, &v, &n, e));
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, STR_FMT " ", STR_ARG(v[i]));
    assert_string_equal(buf_cstr(&text), want);
}

static void test_shared_with(void **state)
{
    expect_shared_with("");
    put_file(".Work/dovecot-acl", "-user=eve l\nuser=bob lr\nuser=nobody\ngroup=staff l\nowner l\n");
    expect_shared_with("bob ");
    put_file("dovecot-acl", "authenticated l\nanyone r\n");
    put_file(".Work/dovecot-acl", "user=bob i\n");
    AUTO(arena_freep) struct arena *a = arena_new(4 << 20);
    str *v;
    size_t n;
    ok(store_shared_with(fixture_store, a, &v, &n, e));
    assert_int_equal(n, 2);
    (void)state;
}

/* Among one's own subscriptions there are mailboxes of others. */
static void test_subscribed(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(4 << 20);
    struct store_conf conf = {.account = S("demo@malle.test"),
                              .root = str_c(fixture_root),
                              .separator = '/',
                              .mailbox_max = 100,
                              .keyword_max = 64,
                              .shared_prefix = S("shared/")};
    struct store *st = NULL;
    struct store_box_info *v;
    size_t n;
    ok(store_open(&conf, &st, e));
    ok(store_subscribe(st, S(PREFIX "Work/a.b"), true, e));
    refused(RC_PERM, store_subscribe(st, S(PREFIX "a\nb"), true, e));
    ok(store_list(st, a, &v, &n, e));
    bool found = false;
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i].name, S(PREFIX "Work/a.b")))
            found = v[i].subscribed && !v[i].exists;
    assert_true(found);
    ok(store_subscribe(st, S(PREFIX "Work/a.b"), false, e));
    assert_null(strstr(get_file("subscriptions"), "shared"));
    store_close(st);
    (void)state;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_guest, close_guest)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing),    TEST(test_look_up),     TEST(test_read),        TEST(test_flags),
        TEST(test_insert),     TEST(test_expunge),     TEST(test_create),      TEST(test_delete),
        TEST(test_administer), TEST(test_annotations), TEST(test_shared_with), TEST(test_subscribed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
