/* FETCH, STORE, SEARCH, COPY, MOVE and EXPUNGE through a session on a real store (RFC 3501 §6.4, RFC 6851).
 */
#include "store_talk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char nested[] = "Subject: outer\n"
                             "MIME-Version: 1.0\n"
                             "Content-Type: multipart/mixed; boundary=b\n"
                             "\n"
                             "--b\n"
                             "Content-Type: text/plain\n"
                             "\n"
                             "first\n"
                             "--b\n"
                             "Content-Type: message/rfc822\n"
                             "\n"
                             "Subject: inner\n"
                             "\n"
                             "second\n"
                             "--b--\n";

struct world {
    char *root;
    struct store_talk t;
};

/* Three messages in INBOX, selected twice so that nothing is recent. */
static int setup(void **state)
{
    static struct world w;
    w.root = store_folder_new();
    store_talk_begin(&w.t, w.root);
    store_talk_append(&w.t, "INBOX", "(\\Seen) \" 1-Feb-1994 12:00:00 +0000\"",
                      S("Subject: one\nTo: a@b.example\n\nalpha\n"));
    store_talk_append(&w.t, "INBOX", "(\\Flagged) \" 2-Feb-1994 12:00:00 +0000\"", str_c(nested));
    store_talk_append(&w.t, "INBOX", "\" 3-Feb-1994 12:00:00 +0000\"",
                      S("Subject: three\n\nnul \x01 here\n"));
    store_talk_say(&w.t, "SELECT INBOX");
    store_talk_say(&w.t, "SELECT INBOX");
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    store_talk_end(&w->t);
    store_folder_remove(w->root);
    return 0;
}

struct row {
    const char *command, *want;
};

static void expect_rows(struct world *w, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        store_talk_expect(&w->t, rows[i].command, rows[i].want);
}
#define EXPECT_ROWS(w, rows) expect_rows((w), (rows), sizeof(rows) / sizeof *(rows))

static void test_fetch(void **state)
{
    static const struct row rows[] = {
        {"FETCH 1:2 FLAGS", "* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (FLAGS (\\Flagged))\r\nOK"},
        {"FETCH 1 FAST",
         "* 1 FETCH (FLAGS (\\Seen) INTERNALDATE \" 1-Feb-1994 12:00:00 +0000\" RFC822.SIZE 40)\r\nOK"},
        {"UID FETCH 1,3,7:* INTERNALDATE",
         "* 1 FETCH (UID 1 INTERNALDATE \" 1-Feb-1994 12:00:00 +0000\")\r\n"
         "* 3 FETCH (UID 3 INTERNALDATE \" 3-Feb-1994 12:00:00 +0000\")\r\nOK"},
        {"FETCH 1 ENVELOPE",
         "* 1 FETCH (ENVELOPE (NIL \"one\" NIL NIL NIL ((NIL NIL \"a\" \"b.example\")) NIL NIL NIL "
         "NIL))\r\nOK"},
        {"FETCH 1 (RFC822.HEADER BODY.PEEK[TEXT])", "* 1 FETCH (RFC822.HEADER {33}\r\nSubject: one\r\nTo: "
                                                    "a@b.example\r\n\r\n BODY[TEXT] {7}\r\nalpha\r\n)\r\nOK"},
        {"FETCH 1 BODY.PEEK[HEADER.FIELDS (TO)]<2.7>",
         "* 1 FETCH (BODY[HEADER.FIELDS (TO)]<2> {7}\r\n: a@b.e)\r\nOK"},
        {"FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (TO)]",
         "* 1 FETCH (BODY[HEADER.FIELDS.NOT (TO)] {16}\r\nSubject: one\r\n\r\n)\r\nOK"},
        {"FETCH 2 (BODY.PEEK[1] BODY.PEEK[2.HEADER] BODY.PEEK[2.1] BODY.PEEK[3] BODY.PEEK[2.MIME])",
         "* 2 FETCH (BODY[1] {5}\r\nfirst BODY[2.HEADER] {18}\r\nSubject: inner\r\n\r\n BODY[2.1] "
         "{6}\r\nsecond "
         "BODY[3] NIL BODY[2.MIME] {32}\r\nContent-Type: message/rfc822\r\n\r\n)\r\nOK"},
        {"FETCH 4 FLAGS", "BAD"},
        {"UID FETCH 4 FLAGS", "OK"},
        {"FETCH 1 (FLAGS", "BAD"},
    };
    EXPECT_ROWS((struct world *)*state, rows);
}

static void test_fetch_sets_seen(void **state)
{
    static const struct row rows[] = {
        {"FETCH 1:3 BODY.PEEK[TEXT]<0.2>", "* 1 FETCH (BODY[TEXT]<0> {2}\r\nal)\r\n* 2 FETCH (BODY[TEXT]<0> "
                                           "{2}\r\n--)\r\n* 3 FETCH (BODY[TEXT]<0> {2}\r\nnu)\r\nOK"},
        {"SEARCH SEEN", "* SEARCH 1\r\nOK"},
        {"FETCH 1:2 BODY[TEXT]<0.2>",
         "* 1 FETCH (BODY[TEXT]<0> {2}\r\nal)\r\n* 2 FETCH (FLAGS (\\Flagged \\Seen) "
         "BODY[TEXT]<0> {2}\r\n--)\r\nOK"},
        {"SEARCH SEEN", "* SEARCH 1 2\r\nOK"},
        {"UNSELECT", "OK"},
    };
    static const struct row read_only[] = {
        {"FETCH 3 RFC822.TEXT", "* 3 FETCH (RFC822.TEXT {12}\r\nnul \x01 here\r\n)\r\nOK"},
        {"SEARCH UNSEEN", "* SEARCH 3\r\nOK"},
        {"STORE 3 +FLAGS (\\Seen)", "NO [READ-ONLY]"},
        {"EXPUNGE", "NO [READ-ONLY]"},
        {"MOVE 3 Archive", "NO [READ-ONLY]"},
    };
    struct world *w = *state;
    EXPECT_ROWS(w, rows);
    store_talk_say(&w->t, "EXAMINE INBOX");
    EXPECT_ROWS(w, read_only);
}

/* A part that is read in slices is the same bytes, whatever the size of the slices. */
static void test_slices(void **state)
{
    struct world *w = *state;
    AUTO(buf_deinit)
    struct buf message = BUF_INIT(1 << 20), whole = BUF_INIT(1 << 20), joined = BUF_INIT(1 << 20);
    buf_puts(&message, S("Subject: long\n\n"));
    for (unsigned i = 0; i < 6000; i++)
        buf_printf(&message, "line %u%s\n", i, i % 7 ? "" : "\n");
    store_talk_append(&w->t, "INBOX", "", buf_str(&message));
    store_talk_say(&w->t, "NOOP");
    str reply = str_c(store_talk_say(&w->t, "FETCH 4 BODY.PEEK[TEXT]"));
    str head = str_sub(reply, 0, (size_t)str_chr(reply, '\n') + 1);
    buf_puts(&whole, str_sub(reply, head.n, reply.n - head.n - strlen(")\r\nOK")));
    for (size_t step = 1000, at = 0; at < whole.n; at += step, step += 997) {
        char command[100];
        snprintf(command, sizeof command, "FETCH 4 BODY.PEEK[TEXT]<%zu.%zu>", at, step);
        reply = str_c(store_talk_say(&w->t, command));
        head = str_sub(reply, 0, (size_t)str_chr(reply, '\n') + 1);
        buf_puts(&joined, str_sub(reply, head.n, reply.n - head.n - strlen(")\r\nOK")));
    }
    assert_int_equal(joined.n, whole.n);
    assert_memory_equal(joined.p, whole.p, whole.n);
}

static void test_store(void **state)
{
    static const struct row rows[] = {
        {"STORE 1:2 +FLAGS (\\Deleted \\seen)",
         "* 1 FETCH (FLAGS (\\Deleted \\Seen))\r\n* 2 FETCH (FLAGS (\\Flagged \\Deleted \\Seen))\r\nOK"},
        {"STORE 2 -FLAGS \\Deleted", "* 2 FETCH (FLAGS (\\Flagged \\Seen))\r\nOK"},
        {"STORE 1:* FLAGS.SILENT (\\Draft)", "OK"},
        {"NOOP", "OK"},
        {"UID STORE 3 FLAGS ()", "* 3 FETCH (UID 3 FLAGS ())\r\nOK"},
        {"UID STORE 9 FLAGS ()", "OK"},
        {"STORE 1 +FLAGS (work $Forwarded)",
         "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded work)\r\n"
         "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded work \\*)] These "
         "flags are "
         "kept.\r\n* 1 FETCH (FLAGS (\\Draft work $Forwarded))\r\nOK"},
        {"SEARCH KEYWORD WORK KEYWORD $forwarded", "* SEARCH 1\r\nOK"},
        {"STORE 2 +FLAGS (\\Recent)", "* 2 FETCH (FLAGS (\\Draft))\r\nOK"},
        {"STORE 2 +FLAGS (\\Nonsense)", "BAD"},
        {"STORE 2 FLAG ()", "BAD"},
        {"STORE 2 +FLAGS", "BAD"},
    };
    EXPECT_ROWS((struct world *)*state, rows);
}

static void test_search(void **state)
{
    static const struct row rows[] = {
        {"SEARCH ALL", "* SEARCH 1 2 3\r\nOK"},
        {"UID SEARCH 2:*", "* SEARCH 2 3\r\nOK"},
        {"SEARCH UID 99", "* SEARCH\r\nOK"},
        {"SEARCH NOT SEEN NOT FLAGGED", "* SEARCH 3\r\nOK"},
        {"SEARCH ON 2-Feb-1994", "* SEARCH 2\r\nOK"},
        {"SEARCH SINCE 2-Feb-1994 BEFORE 3-Feb-1994", "* SEARCH 2\r\nOK"},
        {"SEARCH LARGER 40", "* SEARCH 2\r\nOK"},
        {"SEARCH NOT LARGER 40", "* SEARCH 1 3\r\nOK"},
        {"SEARCH SMALLER 40", "* SEARCH 3\r\nOK"},
        {"SEARCH SUBJECT ONE", "* SEARCH 1\r\nOK"},
        {"SEARCH BODY second", "* SEARCH 2\r\nOK"},
        {"SEARCH TEXT inner", "* SEARCH 2\r\nOK"},
        {"SEARCH BODY inner", "* SEARCH\r\nOK"},
        {"SEARCH OR BODY alpha (FLAGGED TEXT first)", "* SEARCH 1 2\r\nOK"},
        {"SEARCH NOT (OR BODY alpha BODY first)", "* SEARCH 3\r\nOK"},
        {"SEARCH CHARSET KLINGON ALL", "NO [BADCHARSET (US-ASCII UTF-8)]"},
        {"SEARCH 4:9", "* SEARCH\r\nOK"}, /* RFC 7377 §2 */
        {"SEARCH 9:2 NOT 3:4", "* SEARCH 2\r\nOK"},
        {"SEARCH 0", "BAD"},
        {"SEARCH", "BAD"},
    };
    EXPECT_ROWS((struct world *)*state, rows);
}

/* A random search key; the result has bit i for message i + 1 when that matches. */
static unsigned put_key(struct buf *out, unsigned *seed, int depth)
{
    static const struct {
        const char *key;
        unsigned matches;
    } keys[] = {{"SEEN", 1},    {"UNSEEN", 6},    {"FLAGGED", 2},     {"UNFLAGGED", 5},   {"1:2", 3},
                {"UID 2:*", 6}, {"LARGER 40", 2}, {"SUBJECT ONE", 1}, {"BODY second", 2}, {"ALL", 7}};
    const unsigned all = 7, kind = depth > 0 ? (unsigned)rand_r(seed) % 4 : 3;
    if (kind == 3) {
        size_t i = (size_t)rand_r(seed) % (sizeof keys / sizeof *keys);
        buf_puts(out, str_c(keys[i].key));
        return keys[i].matches;
    }
    buf_puts(out, str_c(kind == 0 ? "NOT " : kind == 1 ? "OR " : "("));
    unsigned matches = put_key(out, seed, depth - 1);
    if (kind == 0)
        return all & ~matches;
    buf_putc(out, ' ');
    unsigned second = put_key(out, seed, depth - 1);
    buf_puts(out, str_c(kind == 1 ? "" : ")"));
    return kind == 1 ? matches | second : matches & second;
}

/* What sets of messages, rows and contents decide, in any order and nesting. */
static void test_search_nested(void **state)
{
    struct world *w = *state;
    unsigned seed = 1;
    for (int i = 0; i < 500; i++) {
        AUTO(buf_deinit) struct buf command = BUF_INIT(4096), want = BUF_INIT(64);
        buf_puts(&command, S("SEARCH "));
        unsigned matches = put_key(&command, &seed, 5);
        buf_puts(&want, S("* SEARCH"));
        for (unsigned k = 0; k < 3; k++)
            if (matches >> k & 1)
                buf_printf(&want, " %u", k + 1);
        buf_puts(&want, S("\r\nOK"));
        store_talk_expect(&w->t, buf_cstr(&command), buf_cstr(&want));
    }
}

static void test_copy_and_move(void **state)
{
    struct world *w = *state;
    static const struct row gone[] = {
        {"COPY 1 Nowhere", "NO [TRYCREATE]"},
        {"MOVE 1 Nowhere", "NO [TRYCREATE]"},
        {"UID COPY 9 Archive", "OK"},
        {"COPY 9 Archive", "BAD"},
        {"COPY 1", "BAD"},
    };
    EXPECT_ROWS(w, gone);
    assert_non_null(strstr(store_talk_say(&w->t, "COPY 1,3 Archive"), "OK [COPYUID "));
    assert_non_null(strstr(buf_cstr(&w->t.reply), " 1,3 1:2]"));
    const char *moved = store_talk_say(&w->t, "MOVE 1:2 Archive");
    assert_true(str_starts(str_c(moved), S("* OK [COPYUID ")));
    assert_non_null(strstr(moved, " 1:2 3:4] "));
    assert_true(str_ends(str_c(moved), S("\r\n* 1 EXPUNGE\r\n* 1 EXPUNGE\r\nOK")) ||
                str_ends(str_c(moved), S("\r\n* 2 EXPUNGE\r\n* 1 EXPUNGE\r\nOK")));
    store_talk_expect(&w->t, "FETCH 1:* UID", "* 1 FETCH (UID 3)\r\nOK");
    store_talk_say(&w->t, "SELECT Archive");
    store_talk_say(&w->t, "SELECT Archive");
    store_talk_expect(
        &w->t, "FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])",
        "* 1 FETCH (FLAGS (\\Seen) BODY[HEADER.FIELDS (SUBJECT)] {16}\r\nSubject: one\r\n\r\n)\r\n"
        "* 2 FETCH (FLAGS () BODY[HEADER.FIELDS (SUBJECT)] {18}\r\nSubject: three\r\n\r\n)\r\n"
        "* 3 FETCH (FLAGS (\\Seen) BODY[HEADER.FIELDS (SUBJECT)] {16}\r\nSubject: one\r\n\r\n)\r\n"
        "* 4 FETCH (FLAGS (\\Flagged) BODY[HEADER.FIELDS (SUBJECT)] {18}\r\nSubject: outer\r\n\r\n)\r\nOK");
}

static void test_expunge(void **state)
{
    static const struct row rows[] = {
        {"STORE 1,3 +FLAGS.SILENT (\\Deleted)", "OK"},
        {"UID EXPUNGE 2:3", "* 3 EXPUNGE\r\nOK"},
        {"EXPUNGE", "* 1 EXPUNGE\r\nOK"},
        {"UID SEARCH ALL", "* SEARCH 2\r\nOK"},
        {"EXPUNGE", "OK"},
        {"EXPUNGE 1", "BAD"},
        {"UID EXPUNGE", "BAD"},
    };
    EXPECT_ROWS((struct world *)*state, rows);
}

/* RFC 2180 §4.1: what another session expunged is left out, and its number stays until it may be told. */
static void test_expunged_by_another(void **state)
{
    static const struct row rows[] = {
        {"FETCH 1 (FLAGS)", "NO [EXPUNGEISSUED]"},
        {"FETCH 1:2 (UID)", "* 2 FETCH (UID 2)\r\nOK"},
        {"STORE 1:2 FLAGS ()", "* 2 FETCH (FLAGS ())\r\nOK"},
        {"SEARCH SUBJECT o", "* SEARCH 2\r\nOK"},
        {"NOOP", "* 1 EXPUNGE\r\nOK"},
        {"FETCH 1 (UID)", "* 1 FETCH (UID 2)\r\nOK"},
    };
    struct world *w = *state;
    struct store_talk other;
    store_talk_begin(&other, w->root);
    store_talk_say(&other, "SELECT INBOX");
    store_talk_say(&other, "STORE 1 +FLAGS.SILENT (\\Deleted)");
    store_talk_expect(&other, "EXPUNGE", "* 1 EXPUNGE\r\nOK");
    store_talk_end(&other);
    EXPECT_ROWS(w, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fetch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fetch_sets_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slices, setup, teardown),
        cmocka_unit_test_setup_teardown(test_store, setup, teardown),
        cmocka_unit_test_setup_teardown(test_search, setup, teardown),
        cmocka_unit_test_setup_teardown(test_search_nested, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copy_and_move, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expunge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expunged_by_another, setup, teardown),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    store_talk_parks = true; /* a client cannot tell */
    return failed + cmocka_run_group_tests_name("parked", tests, NULL, NULL);
}
