/* Modification sequences and the history of expunges (RFC 7162): across sessions, beyond the history's bound,
 * and with an index that is built anew. */
#include "fixture.h"

#include "base/clock.h"
#include "os/db.h"

static void expect_changed(struct box *b, modseq since, const char *want)
{
    struct uidset s = {0};
    ok(box_changed_since(b, since, &s, e));
    expect_set(&s, want);
    uidset_deinit(&s);
}

static void expect_vanished(struct box *b, modseq since, const char *want)
{
    struct uidset s = {0};
    ok(box_vanished_since(b, since, &s, e));
    expect_set(&s, want);
    uidset_deinit(&s);
}

static void expunge(struct box *b, const char *uids)
{
    struct uidset s = set_of(uids);
    ok(box_expunge(b, &s, true, e));
    uidset_deinit(&s);
}

static modseq highest(const struct box *b)
{
    return box_status(b)->highestmodseq;
}

static void test_changed_and_vanished(void **state)
{
    struct store *st = *state;
    for (int i = 0; i < 6; i++)
        append_text(st, "INBOX", simple_message);
    struct box *a = open_box(st, "INBOX");
    modseq start = highest(a);
    expect_changed(a, start, "");
    expect_changed(a, 0, "1:6");
    expect_vanished(a, 0, "");
    change(a, "2,5", FLAGS_ADD, FLAG_SEEN, NULL);
    change(a, "2,5", FLAGS_ADD, FLAG_SEEN, NULL); /* changes nothing */
    expect_sync(a, 0, "!2(2) !5(5) ");
    assert_int_equal(highest(a), start + 1);
    expect_changed(a, start, "2,5");
    expect_changed(a, start + 1, "");
    expunge(a, "3");
    expect_vanished(a, start, ""); /* the session was not told yet: it will hear of it in the usual way */
    expect_sync(a, 0, "-3(3) ");
    expect_vanished(a, start, "3");
    expunge(a, "4:5");
    expect_sync(a, 0, "-3(4) -3(5) ");
    expect_vanished(a, start + 2, "4:5");
    expect_vanished(a, start + 3, "");
    expect_vanished(a, UINT64_MAX, "");
    expect_changed(a, UINT64_MAX, "");
    expect_changed(a, start, "2");
    append_text(st, "INBOX", simple_message);
    struct box *b = open_box(st, "INBOX");
    expect_changed(b, start, "2,7");
    expect_vanished(b, start, "3:5");
    box_close(a);
    box_close(b);
}

/* RFC 7162 §3.1: a change by another session on a message that this one then changes silently. */
static void test_silent_hides_nothing(void **state)
{
    struct store *st = *state;
    append_text(st, "INBOX", simple_message);
    append_text(st, "INBOX", simple_message);
    struct store *other = fixture_open();
    struct box *a = open_box(st, "INBOX"), *b = open_box(other, "INBOX");
    struct uidset s = set_of("1:2");
    struct flag_change c = {.op = FLAGS_ADD, .flags = FLAG_SEEN, .unchanged_since = UINT64_MAX};
    change(b, "1", FLAGS_ADD, FLAG_FLAGGED, NULL);
    ok(box_change_flags(a, &s, &c, true, NULL, e));
    expect_sync(a, 0, "!1(1) ");
    expect_sync(a, 0, "");
    uidset_deinit(&s);
    box_close(a);
    box_close(b);
    store_close(other);
}

static int64_t history_rows(void)
{
    struct db *db = NULL;
    int64_t n = 0;
    ok(db_open(fixture_path("malle.index"), DB_READ_ONLY, &db, e));
    ok(db_get_int(db, &n, e, "SELECT count(*) FROM expunged"));
    db_close(db);
    return n;
}

/* Every second of many messages goes at once: too many ranges for the history. */
static void test_history_is_bounded(void **state)
{
    enum { FILES = 4402 };
    struct uidset odd = {0}, vanished = {0};
    append_text(*state, "INBOX", simple_message);
    for (int i = 2; i <= FILES; i++) {
        char name[60];
        snprintf(name, sizeof name, "cur/%d.M%dP1.host:2,", 1000000000 + i, i);
        put_file(name, "a: b\n\nc\n");
    }
    struct box *b = open_box(*state, "INBOX");
    assert_int_equal(box_status(b)->messages, FILES);
    modseq start = highest(b);
    for (uid32 uid = 1; uid <= FILES; uid += 2)
        uidset_add(&odd, uid, uid);
    ok(box_expunge(b, &odd, true, e));
    assert_true(history_rows() <= 2000);
    expunge(b, "4402");
    b = box_close(b);
    b = open_box(*state, "INBOX");
    expect_vanished(b, start + 1, "4402");
    uidset_add(&odd, 4402, 4402);
    ok(box_vanished_since(b, start, &vanished, e));
    uidset_subtract(&odd, &vanished);
    expect_set(&odd, ""); /* none is forgotten */
    uidset_intersect(&vanished, box_view(b));
    expect_set(&vanished, ""); /* and none that is there is called gone */
    assert_int_equal(append_text(*state, "INBOX", simple_message), 4403);
    uidset_deinit(&odd);
    uidset_deinit(&vanished);
    box_close(b);
}

static void lose_index(void)
{
    fixture_store = store_close(fixture_store);
    unlink(fixture_path("malle.index"));
    unlink(fixture_path("malle.index-wal"));
    unlink(fixture_path("malle.index-shm"));
    fixture_store = fixture_open();
}

static void test_index_lost(void **state)
{
    for (int i = 0; i < 5; i++)
        append_text(*state, "INBOX", simple_message);
    struct box *b = open_box(*state, "INBOX");
    expunge(b, "2");
    expect_sync(b, 0, "-2(2) ");
    modseq before = highest(b);
    uint32_t uidvalidity = box_status(b)->uidvalidity;
    box_close(b);
    lose_index();
    b = open_box(fixture_store, "INBOX");
    assert_int_equal(box_status(b)->uidvalidity, uidvalidity);
    assert_true(highest(b) > before);
    expect_changed(b, before, "1,3:5");
    expect_vanished(b, before, "2"); /* what the new index cannot know: all that is not there */
    modseq after = highest(b);
    expect_changed(b, after, "");
    expect_vanished(b, after, "");
    change(b, "3", FLAGS_ADD, FLAG_SEEN, NULL);
    expect_changed(b, after, "3");
    expunge(b, "4");
    expect_sync(b, 0, "-3(4) !2(3) ");
    expect_vanished(b, after, "4");
    box_close(b);
}

static const char *email_id(struct box *b, uid32 uid)
{
    static char id[2][300];
    static int turn;
    struct box_query *q = NULL;
    struct box_msg m = {0};
    struct uidset s = {0};
    char *p = id[turn++ % 2];
    uidset_add(&s, uid, uid);
    ok(box_query_open(b, &s, BOX_WANT_OBJECT, &q, e));
    ok(box_query_next(q, &m, e));
    snprintf(p, sizeof id[0], STR_FMT, STR_ARG(m.email_id));
    box_query_close(q);
    uidset_deinit(&s);
    return p;
}

/* RFC 8474: ids stay with contents and mailboxes, also when the index is lost; a GUID of Dovecot's is taken
 * over. */
static void test_object_ids(void **state)
{
    struct box_copied copied;
    struct uidset one = set_of("1");
    char first[300], mailbox[33];
    append_text(*state, "INBOX", simple_message);
    append_text(*state, "INBOX", simple_message);
    struct box *b = open_box(*state, "INBOX");
    snprintf(first, sizeof first, "%s", email_id(b, 1));
    assert_int_equal(strlen(first), 32);
    assert_string_not_equal(first, email_id(b, 2));
    ok(box_copy(b, &one, S("INBOX"), false, &copied, e));
    snprintf(mailbox, sizeof mailbox, "%s", box_status(b)->id);
    assert_int_equal(strlen(mailbox), 32);
    box_close(b);
    lose_index();
    b = open_box(fixture_store, "INBOX");
    assert_string_equal(box_status(b)->id, mailbox);
    assert_string_equal(email_id(b, 1), first);
    assert_string_equal(email_id(b, 3), first);
    assert_string_not_equal(email_id(b, 2), first);
    box_close(b);
    put_file("cur/foreign:2,", "a: b\n\nc\n");
    put_file("dovecot-uidlist", "3 V7 N10 G0123456789abcdef0123456789abcdef\n9 Gfeed-1 :foreign\n");
    lose_index();
    b = open_box(fixture_store, "INBOX");
    assert_string_equal(email_id(b, 9), "feed-1");
    assert_string_equal(box_status(b)->id, "0123456789abcdef0123456789abcdef");
    box_close(b);
    uidset_deinit(&one);
    uidset_deinit(&copied.from);
    uidset_deinit(&copied.to);
}

/* The clock was set back between two losses of the index: modification sequences go on all the same. */
static void test_clock_set_back(void **state)
{
    append_text(*state, "INBOX", simple_message);
    lose_index();
    struct box *b = open_box(fixture_store, "INBOX");
    change(b, "1", FLAGS_ADD, FLAG_SEEN, NULL);
    expect_sync(b, 0, "!1(1) ");
    modseq before = highest(b);
    box_close(b);
    clock_inject_wall_offset(-3600 * 1000);
    lose_index();
    b = open_box(fixture_store, "INBOX");
    assert_true(highest(b) > before);
    box_close(b);
    clock_inject_wall_offset(0);
}

/* A power failure took what an index that was new to the mailbox had found, and others went on before the
 * next session. */
static void test_first_merge_lost(void **state)
{
    static const char as_inserted[] =
        "DELETE FROM message; DELETE FROM file; DELETE FROM chunk; DELETE FROM expunged;"
        "UPDATE mailbox SET modseq = modseq - 1, uidnext = 1, messages = 0, unseen = 0, deleted = 0, size = "
        "0,"
        " uidlist_ino = 0, new_time = 0, cur_time = 0;"
        "INSERT INTO expunged SELECT id, modseq, 0, 0 FROM mailbox";
    struct db *db = NULL;
    put_file("cur/a:2,", "a: b\n\nc\n");
    put_file("cur/b:2,", "a: b\n\nc\n");
    put_file("cur/c:2,", "a: b\n\nc\n");
    struct box *b = open_box(*state, "INBOX");
    expect_set(box_view(b), "1:3");
    box_close(b);
    lose_index(); /* of a mailbox that has a uidlist */
    b = open_box(fixture_store, "INBOX");
    modseq told = highest(b);
    box_close(b);
    fixture_store = store_close(fixture_store);
    ok(db_open(fixture_path("malle.index"), 0, &db, e));
    ok(db_script(db, as_inserted, e));
    db_close(db);
    assert_int_equal(unlink(fixture_path("cur/b:2,")), 0);
    assert_int_equal(rename(fixture_path("cur/c:2,"), fixture_path("cur/c:2,F")), 0);
    fixture_store = fixture_open();
    b = open_box(fixture_store, "INBOX");
    expect_set(box_view(b), "1,3");
    assert_int_equal(message(b, 3).flags, FLAG_FLAGGED);
    assert_true(highest(b) > told);
    expect_changed(b, told, "1,3");
    expect_vanished(b, told, "2");
    box_close(b);
}

static void look(struct box *b)
{
    static const struct box_events silent = {0};
    age_folder("");
    ok(box_sync(b, BOX_SYNC_SCAN, &silent, e));
}

static struct box *park_and_resume(struct box *b, bool with_index)
{
    AUTO(parked_deinit) struct parked p = {0};
    assert_true(box_park(b, &p.view));
    box_close(b);
    b = NULL;
    if (with_index)
        fixture_reopen();
    else
        lose_index();
    ok(box_resume(fixture_store, S("INBOX"), &p.view, &b, e));
    return b;
}

/* A mailbox that is opened as it was when it was parked tells what became of it, and nothing else. */
static void test_park(void **state)
{
    for (int i = 0; i < 6; i++) {
        char name[100];
        snprintf(name, sizeof name, "new/%d.M%dP1.host", 1600000000 + i, i);
        put_file(name, "a: b\n\nc\n");
    }
    struct box *a = open_box(*state, "INBOX");
    a = park_and_resume(a, true);
    expect_sync(a, 0, "");
    assert_true(box_is_recent(a, 3) && box_status(a)->recent == 6);
    struct store *other = fixture_open();
    struct box *b = open_box(other, "INBOX");
    expunge(b, "2");
    change(b, "4", FLAGS_ADD, FLAG_SEEN, "work");
    expect_sync(a, BOX_SYNC_NO_EXPUNGE, "!4(4) ");
    modseq told = highest(a);
    expunge(b, "5");
    change(b, "6", FLAGS_ADD, FLAG_SEEN, "home");
    append_text(other, "INBOX", simple_message);
    a = park_and_resume(a, true);
    const str *names;
    assert_int_equal(box_keywords(a, &names), 1);
    assert_true(highest(a) == told);
    expect_set(box_view(a), "1:6");
    expect_sync(a, 0, "-2(2) -4(5) =5/4 !4(6) ");
    assert_int_equal(box_keywords(a, &names), 2);
    box_close(a);
    box_close(b);
    store_close(other);
}

/* While something is not told yet that a change of the session's own hides, it does not park. */
static void test_park_not_now(void **state)
{
    struct parked p = {0};
    append_text(*state, "INBOX", simple_message);
    struct box *a = open_box(*state, "INBOX");
    struct uidset s = set_of("1");
    struct flag_change c = {.op = FLAGS_ADD, .flags = FLAG_SEEN, .unchanged_since = UINT64_MAX};
    ok(box_change_flags(a, &s, &c, true, NULL, e));
    assert_false(box_park(a, &p.view));
    expect_sync(a, 0, "");
    assert_true(box_park(a, &p.view));
    p.view.uidvalidity++;
    struct box *other = NULL;
    refused(RC_GONE, box_resume(*state, S("INBOX"), &p.view, &other, e));
    refused(RC_GONE, box_resume(*state, S("nowhere"), &p.view, &other, e));
    parked_deinit(&p);
    uidset_deinit(&s);
    box_close(a);
}

/* The UIDs are those of the uidlist; all flags may have changed, so all are told. */
static void test_park_without_index(void **state)
{
    for (int i = 0; i < 3; i++)
        append_text(*state, "INBOX", simple_message);
    struct box *a = open_box(*state, "INBOX");
    expunge(a, "2");
    expect_sync(a, 0, "-2(2) ");
    a = park_and_resume(a, false);
    expect_set(box_view(a), "1,3");
    expect_sync(a, 0, "!1(1) !2(3) ");
    box_close(a);
}

/* What other programs do to the Maildir counts as much as what sessions do. */
static void test_foreign_program(void **state)
{
    char from[400], to[410];
    for (int i = 0; i < 3; i++)
        append_text(*state, "INBOX", simple_message);
    struct box *b = open_box(*state, "INBOX");
    modseq start = highest(b);
    struct uidset s = {0};
    snprintf(from, sizeof from, "cur/%s", find_file("cur", ":2,"));
    snprintf(to, sizeof to, "%sS", from);
    assert_int_equal(rename(fixture_path(from), fixture_path(to)), 0);
    look(b);
    ok(box_changed_since(b, start, &s, e));
    assert_int_equal(uidset_count(&s), 1);
    assert_int_equal(message(b, uidset_max(&s)).flags, FLAG_SEEN);
    modseq seen = highest(b);
    assert_true(seen > start);
    put_file("new/1700000000.M1P1.other", "a: b\n\nc\n");
    look(b);
    expect_changed(b, seen, "4");
    modseq delivered = highest(b);
    assert_true(delivered > seen);
    assert_int_equal(unlink(fixture_path(to)), 0);
    look(b);
    expect_changed(b, delivered, "");
    struct uidset gone = {0};
    ok(box_vanished_since(b, delivered, &gone, e));
    uidset_subtract(&gone, &s);
    expect_set(&gone, "");
    assert_int_equal(box_status(b)->messages, 3);
    assert_true(highest(b) > delivered);
    uidset_deinit(&s);
    uidset_deinit(&gone);
    box_close(b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_changed_and_vanished), TEST(test_silent_hides_nothing), TEST(test_history_is_bounded),
        TEST(test_index_lost),           TEST(test_clock_set_back),       TEST(test_foreign_program),
        TEST(test_first_merge_lost),     TEST(test_object_ids),           TEST(test_park),
        TEST(test_park_not_now),         TEST(test_park_without_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
