/* The conformance suite of store.h: what every implementation behind that header must do. Written against the
 * interface alone; what is particular to Maildir is in test_maildir.c. */
#include "fixture.h"

#include "fmt/textsig.h"

static void expect_list(struct store *st, const char *want)
{
    struct arena *a = arena_new(1 << 20);
    struct store_box_info *v;
    size_t n;
    char text[2000] = "";
    ok(store_list(st, a, &v, &n, e));
    for (size_t i = 0; i < n; i++) {
        size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, STR_FMT "%s%s%s%s ", STR_ARG(v[i].name), v[i].exists ? "" : "?",
                 v[i].subscribed ? "+" : "", v[i].noselect ? "!" : "", v[i].has_children ? "/" : "");
    }
    assert_string_equal(text, want);
    arena_free(a);
}

static void test_mailboxes(void **state)
{
    struct store *st = *state;
    expect_list(st, "INBOX ");
    ok(store_create(st, S("A/B"), USE_NONE, e));
    ok(store_create(st, S("Sent"), USE_NONE, e));
    ok(store_create(st, S("\xe5\x8f\xb0\xe5\x8c\x97"), USE_NONE, e));
    expect_list(st, "INBOX A?!/ A/B Sent \xe5\x8f\xb0\xe5\x8c\x97 ");
    ok(store_subscribe(st, S("Sent"), true, e));
    ok(store_subscribe(st, S("Gone/Away"), true, e));
    ok(store_subscribe(st, S("inbox"), true, e));
    expect_list(st, "INBOX+ A?!/ A/B Gone/Away?+ Sent+ \xe5\x8f\xb0\xe5\x8c\x97 ");
    ok(store_subscribe(st, S("Gone/Away"), false, e));
    ok(store_subscribe(st, S("Gone/Away"), false, e));
    ok(store_rename(st, S("A"), S("C/D"), e));
    expect_list(st, "INBOX+ C?!/ C/D?!/ C/D/B Sent+ \xe5\x8f\xb0\xe5\x8c\x97 ");
    ok(store_delete(st, S("C/D/B"), e));
    expect_list(st, "INBOX+ Sent+ \xe5\x8f\xb0\xe5\x8c\x97 ");
}

static void test_refused_names(void **state)
{
    struct store *st = *state;
    static const char *const bad[] = {"",  "/",      "/a",   "a//b",  "a.b",  "..",
                                      ".", "a/../b", "a\nb", "a\x01", "\xff", "a/"};
    for (size_t i = 0; i + 1 < sizeof bad / sizeof *bad; i++)
        refused(RC_PERM, store_create(st, str_c(bad[i]), USE_NONE, e));
    ok(store_create(st, S("a/"), USE_NONE, e)); /* RFC 9051 §6.3.4: a trailing separator is ignored */
    refused(RC_PERM, store_create(st, S("a"), USE_NONE, e));
    refused(RC_PERM, store_create(st, S("Inbox"), USE_NONE, e));
    refused(RC_PERM, store_delete(st, S("INBOX"), e));
    refused(RC_GONE, store_delete(st, S("nowhere"), e));
    refused(RC_GONE, store_rename(st, S("nowhere"), S("x"), e));
    refused(RC_PERM, store_rename(st, S("a"), S("a/b"), e));
    ok(store_create(st, S("b"), USE_NONE, e));
    refused(RC_PERM, store_rename(st, S("a"), S("b"), e));
    struct box *b = NULL;
    refused(RC_GONE, box_open(st, S("nowhere"), false, &b, e));
    struct append *ap = NULL;
    refused(RC_GONE, append_begin(st, S("nowhere"), &ap, e));
    struct store_status status;
    refused(RC_GONE, store_status(st, S("nowhere"), &status, e));
    char longname[400];
    memset(longname, 'x', sizeof longname - 1);
    longname[sizeof longname - 1] = '\0';
    refused(RC_PERM, store_create(st, str_c(longname), USE_NONE, e));
}

static void test_special_use(void **state)
{
    struct store *st = *state;
    struct arena *a = arena_new(1 << 20);
    struct store_box_info *v;
    size_t n;
    ok(store_create(st, S("Gesendet"), USE_SENT, e));
    ok(store_create(st, S("Trash"), USE_NONE, e));
    ok(store_list(st, a, &v, &n, e));
    assert_int_equal(n, 3);
    assert_int_equal(v[0].use, USE_NONE);
    assert_int_equal(v[1].use, USE_SENT);
    assert_int_equal(v[2].use, USE_TRASH);
    arena_free(a);
}

static void test_append_and_read(void **state)
{
    struct store *st = *state;
    str kw[] = {S("$Label1"), S("Foo")};
    assert_int_equal(append_text(st, "INBOX", simple_message), 1);
    assert_int_equal(append_flagged(st, "INBOX", "a\nb\rc\r\nd\r", FLAG_SEEN | FLAG_DRAFT, kw, 2), 2);
    assert_int_equal(append_text(st, "INBOX", ""), 3);
    struct box *b = open_box(st, "inbox");
    expect_set(box_view(b), "1:3");
    struct box_msg m = message(b, 1);
    assert_int_equal(m.seq, 1);
    assert_int_equal(m.flags, 0);
    assert_int_equal(m.size, strlen(simple_message));
    assert_int_equal(m.internal_date, 1000000000);
    expect_content(b, 1, "From: a@example.org\nSubject: hello\n\none\ntwo\n");
    m = message(b, 2);
    assert_int_equal(m.flags, FLAG_SEEN | FLAG_DRAFT);
    assert_int_equal(m.size, 10);
    expect_content(b, 2, "a\nb\rc\nd\r");
    const str *names;
    assert_int_equal(box_keywords(b, &names), 2);
    assert_true(str_eq(names[0], kw[0]) && str_eq(names[1], kw[1]));
    assert_int_equal(m.keywords, 3);
    assert_int_equal(message(b, 3).size, 0);
    assert_int_equal(box_first_unseen(b), 1);
    const struct store_status *s = box_status(b);
    assert_int_equal(s->messages, 3);
    assert_int_equal(s->unseen, 2);
    assert_int_equal(s->uidnext, 4);
    assert_int_equal(s->size, strlen(simple_message) + 10);
    struct buf uidl = BUF_INIT(200);
    ok(box_pop3_uidl(b, 2, &uidl, e));
    char want[40];
    snprintf(want, sizeof want, "00000002%08x", s->uidvalidity);
    assert_string_equal(buf_cstr(&uidl), want);
    buf_deinit(&uidl);
    box_close(b);
}

static void test_append_limit(void **state)
{
    struct append *ap = NULL;
    struct store *st = *state;
    static char big[1 << 20];
    ok(append_begin(st, S("INBOX"), &ap, e));
    for (int i = 0; i < 50; i++)
        ok(append_write(ap, str_mem(big, sizeof big), e));
    refused(RC_LIMIT, append_write(ap, S("x"), e));
    append_abort(&ap);
    assert_null(ap);
    struct store_status s;
    ok(store_status(st, S("INBOX"), &s, e));
    assert_int_equal(s.messages, 0);
}

static void test_flags(void **state)
{
    struct store *st = *state;
    for (int i = 0; i < 5; i++)
        append_text(st, "INBOX", simple_message);
    struct box *b = open_box(st, "INBOX");
    change(b, "2:3", FLAGS_ADD, FLAG_SEEN | FLAG_FLAGGED, NULL);
    change(b, "3", FLAGS_REMOVE, FLAG_FLAGGED, NULL);
    change(b, "4", FLAGS_REPLACE, FLAG_DELETED, "Work");
    expect_sync(b, 0, "!2(2) !3(3) !4(4) ");
    expect_sync(b, 0, "");
    assert_int_equal(message(b, 2).flags, FLAG_SEEN | FLAG_FLAGGED);
    assert_int_equal(message(b, 3).flags, FLAG_SEEN);
    assert_int_equal(message(b, 4).flags, FLAG_DELETED);
    assert_int_equal(message(b, 4).keywords, 1);
    assert_int_equal(box_status(b)->unseen, 3);
    assert_int_equal(box_status(b)->deleted, 1);
    assert_int_equal(box_first_unseen(b), 1);
    modseq before = box_status(b)->highestmodseq;
    change(b, "3", FLAGS_ADD, FLAG_SEEN, NULL); /* no change, no new modseq */
    expect_sync(b, 0, "");
    assert_int_equal(box_status(b)->highestmodseq, before);
    change(b, "1:5", FLAGS_ADD, FLAG_SEEN, NULL);
    assert_int_equal(box_first_unseen(b), 0);
    change(b, "5", FLAGS_REMOVE, FLAG_SEEN, NULL);
    assert_int_equal(box_first_unseen(b), 5);
    box_close(b);
    fixture_reopen();
    b = open_box(fixture_store, "INBOX");
    assert_int_equal(message(b, 2).flags, FLAG_SEEN | FLAG_FLAGGED);
    assert_int_equal(message(b, 4).flags, FLAG_DELETED | FLAG_SEEN);
    assert_int_equal(message(b, 4).keywords, 1);
    box_close(b);
}

static void test_silent_and_unchanged_since(void **state)
{
    struct store *st = *state;
    for (int i = 0; i < 3; i++)
        append_text(st, "INBOX", simple_message);
    struct box *a = open_box(st, "INBOX");
    struct store *other = fixture_open();
    struct box *b = open_box(other, "INBOX");
    modseq seen = box_status(a)->highestmodseq;
    struct uidset s = set_of("1:2"), failed = {0};
    struct flag_change c = {.op = FLAGS_ADD, .flags = FLAG_SEEN, .unchanged_since = UINT64_MAX};
    ok(box_change_flags(a, &s, &c, true, NULL, e));
    expect_sync(a, 0, "");             /* its own, silent */
    expect_sync(b, 0, "!1(1) !2(2) "); /* the other session hears of it */
    struct uidset all = set_of("1:3");
    c = (struct flag_change){.op = FLAGS_ADD, .flags = FLAG_FLAGGED, .unchanged_since = seen};
    ok(box_change_flags(b, &all, &c, true, &failed, e)); /* RFC 7162 §3.1.3 */
    expect_set(&failed, "1:2");
    expect_sync(a, 0, "!3(3) ");
    assert_int_equal(message(a, 1).flags, FLAG_SEEN);
    assert_int_equal(message(a, 3).flags, FLAG_FLAGGED);
    uidset_deinit(&s);
    uidset_deinit(&all);
    uidset_deinit(&failed);
    box_close(a);
    box_close(b);
    store_close(other);
}

static void test_expunge_and_sync(void **state)
{
    struct store *st = *state;
    for (int i = 0; i < 6; i++)
        append_text(st, "INBOX", simple_message);
    struct store *other = fixture_open();
    struct box *a = open_box(st, "INBOX"), *b = open_box(other, "INBOX");
    change(a, "2,4:5", FLAGS_ADD, FLAG_DELETED, NULL);
    expect_sync(a, 0, "!2(2) !4(4) !5(5) ");
    struct uidset s = set_of("1:4");
    ok(box_expunge(a, &s, false, e)); /* UID EXPUNGE (RFC 9051 §6.4.9) */
    expect_set(box_view(a), "1:6");
    expect_sync(a, 0, "-2(2) -3(4) ");
    expect_set(box_view(a), "1,3,5:6");
    append_text(st, "INBOX", simple_message);
    expect_sync(b, BOX_SYNC_NO_EXPUNGE, "=7/0 !5(5) ");
    expect_set(box_view(b), "1:7");
    expect_sync(b, 0, "-2(2) -3(4) ");
    expect_set(box_view(b), "1,3,5:7");
    ok(box_expunge(b, NULL, false, e));
    expect_sync(b, 0, "-3(5) ");
    expect_sync(a, 0, "-3(5) =4/0 ");
    struct uidset one = set_of("1");
    ok(box_expunge(a, &one, true, e)); /* without \Deleted */
    expect_sync(a, 0, "-1(1) ");
    assert_int_equal(box_status(a)->messages, 3);
    assert_int_equal(box_status(a)->deleted, 0);
    struct box_content c;
    refused(RC_GONE, box_content_open(a, 1, &c, e));
    uidset_deinit(&s);
    uidset_deinit(&one);
    box_close(a);
    box_close(b);
    store_close(other);
}

static void test_read_only(void **state)
{
    struct store *st = *state;
    struct box *b = NULL;
    append_text(st, "INBOX", simple_message);
    ok(box_open(st, S("INBOX"), true, &b, e));
    assert_true(box_read_only(b));
    struct uidset s = set_of("1");
    struct flag_change c = {.op = FLAGS_ADD, .flags = FLAG_SEEN, .unchanged_since = UINT64_MAX};
    refused(RC_PERM, box_change_flags(b, &s, &c, false, NULL, e));
    refused(RC_PERM, box_expunge(b, &s, true, e));
    struct box_copied r;
    ok(store_create(st, S("X"), USE_NONE, e));
    refused(RC_PERM, box_copy(b, &s, S("X"), true, &r, e));
    ok(box_copy(b, &s, S("X"), false, &r, e));
    uidset_deinit(&r.from);
    uidset_deinit(&r.to);
    uidset_deinit(&s);
    box_close(b);
}

static void test_copy_and_move(void **state)
{
    struct store *st = *state;
    str kw = S("Work");
    append_text(st, "INBOX", simple_message);
    append_flagged(st, "INBOX", "x\r\n", FLAG_FLAGGED, &kw, 1);
    append_text(st, "INBOX", "third\r\n");
    ok(store_create(st, S("Dest"), USE_NONE, e));
    str other = S("Other");
    append_flagged(st, "Dest", "y\r\n", 0, &other, 1);
    struct box *b = open_box(st, "INBOX");
    struct uidset s = set_of("2:3"), all = set_of("1:3"), none = set_of("9");
    struct box_copied r;
    refused(RC_GONE, box_copy(b, &s, S("Nowhere"), false, &r, e));
    ok(box_copy(b, &none, S("Dest"), false, &r, e));
    assert_int_equal(r.uidvalidity, 0);
    ok(box_copy(b, &s, S("Dest"), false, &r, e));
    expect_set(&r.from, "2:3");
    expect_set(&r.to, "2:3");
    uidset_deinit(&r.from);
    uidset_deinit(&r.to);
    ok(box_copy(b, &all, S("Dest"), true, &r, e));
    expect_set(&r.to, "4:6");
    uidset_deinit(&r.from);
    uidset_deinit(&r.to);
    expect_sync(b, 0, "-1(1) -1(2) -1(3) ");
    struct box *d = open_box(st, "Dest");
    expect_set(box_view(d), "1:6");
    struct box_msg m = message(d, 5);
    const str *names;
    assert_int_equal(box_keywords(d, &names), 2);
    assert_true(str_eq(names[1], kw));
    assert_int_equal(m.flags, FLAG_FLAGGED);
    assert_int_equal(m.keywords, 2);
    assert_int_equal(m.internal_date, 1000000000);
    expect_content(d, 6, "third\n");
    uidset_deinit(&s);
    uidset_deinit(&all);
    uidset_deinit(&none);
    box_close(b);
    box_close(d);
}

/* A keyword that another session made since this one last looked goes along. */
static void test_copy_of_a_new_keyword(void **state)
{
    struct store *st = *state, *other = fixture_open();
    append_text(st, "INBOX", simple_message);
    struct box *b = open_box(st, "INBOX"), *o = open_box(other, "INBOX");
    struct uidset s = set_of("1");
    struct box_copied r;
    const str *names;
    change(o, "1", FLAGS_ADD, 0, "late");
    ok(box_copy(b, &s, S("INBOX"), false, &r, e));
    expect_sync(b, 0, "=2/0 !1(1) ");
    assert_int_equal(box_keywords(b, &names), 1);
    assert_true(str_eq(names[0], S("late")));
    assert_int_equal(message(b, 2).keywords, 1);
    uidset_deinit(&r.from);
    uidset_deinit(&r.to);
    uidset_deinit(&s);
    box_close(b);
    box_close(o);
    store_close(other);
}

static void test_copy_to_itself(void **state)
{
    struct store *st = *state;
    append_text(st, "INBOX", simple_message);
    struct box *b = open_box(st, "INBOX");
    struct uidset s = set_of("1");
    struct box_copied r;
    ok(box_copy(b, &s, S("INBOX"), false, &r, e));
    expect_set(&r.to, "2");
    expect_sync(b, 0, "=2/0 ");
    uidset_deinit(&r.from);
    uidset_deinit(&r.to);
    uidset_deinit(&s);
    box_close(b);
}

static void test_rename_inbox(void **state)
{
    struct store *st = *state;
    append_text(st, "INBOX", simple_message);
    ok(store_rename(st, S("INBOX"), S("Old"), e));
    struct store_status s;
    ok(store_status(st, S("INBOX"), &s, e));
    assert_int_equal(s.messages, 0);
    ok(store_status(st, S("Old"), &s, e));
    assert_int_equal(s.messages, 1);
}

static void test_rename_keeps_numbers(void **state)
{
    struct store *st = *state;
    struct store_status before, after;
    ok(store_create(st, S("One"), USE_NONE, e));
    append_text(st, "One", simple_message);
    ok(store_status(st, S("One"), &before, e));
    ok(store_rename(st, S("One"), S("Two"), e));
    ok(store_status(st, S("Two"), &after, e));
    assert_int_equal(before.uidvalidity, after.uidvalidity);
    assert_int_equal(after.messages, 1);
    ok(store_create(st, S("One"), USE_NONE, e)); /* a new mailbox of an old name is another one */
    ok(store_status(st, S("One"), &after, e));
    assert_int_not_equal(before.uidvalidity, after.uidvalidity);
    assert_int_equal(after.messages, 0);
}

static void test_deleted_while_open(void **state)
{
    struct store *st = *state;
    ok(store_create(st, S("X"), USE_NONE, e));
    append_text(st, "X", simple_message);
    struct box *b = open_box(st, "X");
    ok(store_delete(st, S("X"), e));
    struct box_events ev = {0};
    refused(RC_GONE, box_sync(b, 0, &ev, e));
    box_close(b);
}

static void test_texts(void **state)
{
    struct store *st = *state;
    append_text(st, "INBOX", simple_message);
    append_text(st, "INBOX", simple_message);
    struct uidset s = set_of("1:2");
    for (int round = 0; round < 2; round++) { /* parsed, then cached */
        struct box *b = open_box(st, "INBOX");
        struct box_query *q = NULL;
        struct box_msg m;
        struct err err;
        ok(box_query_open(b, &s, BOX_WANT_ENVELOPE | BOX_WANT_BODYSTRUCTURE, &q, e));
        for (int i = 0; i < 2; i++) {
            ok(box_query_next(q, &m, e));
            assert_true(str_find(m.envelope, S("\"hello\"")) > 0);
            assert_true(str_starts(m.bodystructure, S("(\"text\" \"plain\"")) ||
                        str_starts(m.bodystructure, S("(\"TEXT\" \"PLAIN\"")));
        }
        assert_int_equal(box_query_next(q, &m, &err), RC_GONE);
        box_query_close(q);
        box_close(b);
    }
    uidset_deinit(&s);
}

/* What is made of the content once is there although the content cannot be read any more. */
static void test_header_and_signature(void **state)
{
    struct store *st = *state;
    append_text(st, "INBOX", simple_message);
    struct uidset s = set_of("1:*");
    for (int round = 0; round < 3; round++) {
        struct box *b = open_box(st, "INBOX");
        struct box_query *q = NULL;
        struct box_msg m;
        if (round == 1)
            assert_int_equal(rename(fixture_path("cur"), fixture_path("away")), 0);
        ok(box_query_open(b, &s, BOX_WANT_HEADER | BOX_WANT_SIGNATURE, &q, e));
        ok(box_query_next(q, &m, e));
        assert_true(str_eq(m.header, S("From: a@example.org\nSubject: hello\n")));
        assert_true(textsig_may_hold(m.signature, S("one\ntwo")));
        assert_false(textsig_may_hold(m.signature, S("three")));
        box_query_close(q);
        if (round == 1)
            assert_int_equal(rename(fixture_path("away"), fixture_path("cur")), 0);
        box_close(b);
    }
    uidset_deinit(&s);
}

static void test_long_header(void **state)
{
    struct store *st = *state;
    AUTO(buf_deinit) struct buf text = BUF_INIT(100000);
    struct uidset s = set_of("1:*");
    struct box_query *q = NULL;
    struct box_msg m;
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, "To: %d@example.org\r\n", i);
    append_text(st, "INBOX", buf_cstr(&text));
    struct box *b = open_box(st, "INBOX");
    ok(box_query_open(b, &s, BOX_WANT_HEADER, &q, e));
    ok(box_query_next(q, &m, e));
    assert_null(m.header.p);
    box_query_close(q);
    box_close(b);
    uidset_deinit(&s);
}

static void test_flags_during_query(void **state)
{
    struct store *st = *state;
    for (int i = 0; i < 300; i++)
        append_text(st, "INBOX", "x\r\n");
    struct box *b = open_box(st, "INBOX");
    struct store *other = fixture_open();
    struct box *o = open_box(other, "INBOX");
    struct box_query *q = NULL;
    struct box_msg m;
    struct err err;
    uint32_t n = 0;
    ok(box_query_open(b, box_view(b), BOX_WANT_ENVELOPE, &q, e));
    while (box_query_next(q, &m, &err) == RC_OK) {
        char uid[12];
        snprintf(uid, sizeof uid, "%u", m.uid);
        assert_int_equal(m.seq, ++n);
        if (n % 50 == 0) { /* FETCH BODY[] sets \Seen while another session writes too */
            change(o, uid, FLAGS_ADD, FLAG_FLAGGED, NULL);
            change(b, uid, FLAGS_ADD, FLAG_SEEN, NULL);
        }
    }
    assert_int_equal(n, 300);
    box_query_close(q);
    assert_int_equal(message(b, 150).flags, FLAG_SEEN | FLAG_FLAGGED);
    box_close(b);
    box_close(o);
    store_close(other);
}

/* A session makes one while it was not told yet of one that another has made. */
static void test_keywords_of_two_sessions(void **state)
{
    const str *names;
    struct store *other = fixture_open();
    append_text(*state, "INBOX", simple_message);
    append_text(*state, "INBOX", simple_message);
    struct box *a = open_box(*state, "INBOX"), *b = open_box(other, "INBOX");
    change(a, "1", FLAGS_ADD, 0, "one");
    change(b, "2", FLAGS_ADD, 0, "two");
    assert_int_equal(box_keywords(b, &names), 2);
    assert_true(str_eq(names[0], S("one")) && str_eq(names[1], S("two")));
    assert_int_equal(message(b, 1).keywords, 1);
    assert_int_equal(message(b, 2).keywords, 2);
    box_close(a);
    box_close(b);
    store_close(other);
}

static void test_keyword_limit(void **state)
{
    struct store *st = *state;
    append_text(st, "INBOX", simple_message);
    struct box *b = open_box(st, "INBOX");
    for (int i = 0; i < 64; i++) {
        char name[20];
        snprintf(name, sizeof name, "key%d", i);
        assert_true(box_keyword_room(b));
        change(b, "1", FLAGS_ADD, 0, name);
    }
    assert_false(box_keyword_room(b));
    change(b, "1", FLAGS_ADD, FLAG_SEEN, "one-too-many");
    assert_true(message(b, 1).keywords == UINT64_MAX);
    assert_int_equal(message(b, 1).flags, FLAG_SEEN);
    change(b, "1", FLAGS_REMOVE, 0, "KEY63"); /* keywords are case-insensitive (RFC 9051 §2.3.2) */
    assert_true(message(b, 1).keywords == UINT64_MAX >> 1);
    box_close(b);
    fixture_reopen();
    b = open_box(fixture_store, "INBOX");
    assert_true(message(b, 1).keywords == UINT64_MAX >> 1);
    box_close(b);
}

static void test_defaults(void **state)
{
    (void)state;
    fixture_store = store_close(fixture_store);
    nftw(fixture_root, fixture_remove, 20, FTW_DEPTH | FTW_PHYS);
    fixture_store = fixture_open_with(true, '/');
    expect_list(fixture_store, "INBOX+ Archive+ Drafts+ Junk+ Sent+ Trash+ ");
    ok(store_delete(fixture_store, S("Junk"), e));
    fixture_store = store_close(fixture_store);
    fixture_store = fixture_open_with(true, '/');
    expect_list(fixture_store,
                "INBOX+ Archive+ Drafts+ Junk?+ Sent+ Trash+ "); /* only new accounts get them */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mailboxes),
        TEST(test_refused_names),
        TEST(test_special_use),
        TEST(test_append_and_read),
        TEST(test_append_limit),
        TEST(test_flags),
        TEST(test_silent_and_unchanged_since),
        TEST(test_expunge_and_sync),
        TEST(test_read_only),
        TEST(test_copy_and_move),
        TEST(test_copy_of_a_new_keyword),
        TEST(test_copy_to_itself),
        TEST(test_rename_inbox),
        TEST(test_rename_keeps_numbers),
        TEST(test_deleted_while_open),
        TEST(test_texts),
        TEST(test_header_and_signature),
        TEST(test_long_header),
        TEST(test_flags_during_query),
        TEST(test_keywords_of_two_sessions),
        TEST(test_keyword_limit),
        TEST(test_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
