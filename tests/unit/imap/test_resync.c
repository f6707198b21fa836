/* CONDSTORE and QRESYNC (RFC 7162) through sessions on a real store. INBOX has five messages, whose
 * modification sequences are 2 to 6. */
#include "store_talk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct world {
    char *root;
    struct store_talk a, b;
    uint32_t uidvalidity;
};

static int setup(void **state)
{
    static struct world w;
    w.root = store_folder_new();
    store_talk_begin(&w.a, w.root);
    store_talk_begin(&w.b, w.root);
    for (int i = 0; i < 5; i++)
        store_talk_append(&w.a, "INBOX", "", S("Subject: x\n\nbody\n"));
    const char *status = store_talk_say(&w.a, "STATUS INBOX (UIDVALIDITY)");
    assert_int_equal(sscanf(status, "* STATUS INBOX (UIDVALIDITY %u)", &w.uidvalidity), 1);
    store_talk_say(&w.b, "SELECT INBOX");
    store_talk_say(&w.a, "SELECT INBOX");
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    store_talk_end(&w->a);
    store_talk_end(&w->b);
    store_folder_remove(w->root);
    return 0;
}

struct row {
    const char *command, *want;
};

static void expect_rows(struct store_talk *t, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        store_talk_expect(t, rows[i].command, rows[i].want);
}
#define EXPECT_ROWS(t, rows) expect_rows((t), (rows), sizeof(rows) / sizeof *(rows))

static void test_condstore(void **state)
{
    static const struct row rows[] = {
        {"FETCH 1:2 (MODSEQ)", "* OK [HIGHESTMODSEQ 6] The last change.\r\n* 1 FETCH (MODSEQ (2))\r\n"
                               "* 2 FETCH (MODSEQ (3))\r\nOK"},
        {"FETCH 1 (MODSEQ)", "* 1 FETCH (MODSEQ (2))\r\nOK"},
        {"STORE 2 +FLAGS (\\Seen)", "* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (7))\r\nOK"},
        {"STORE 2 +FLAGS (\\Seen)", "* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (7))\r\nOK"},
        {"STORE 2 +FLAGS.SILENT (\\Flagged)", "* 2 FETCH (UID 2 MODSEQ (8))\r\nOK"},
        {"STORE 1:3 (UNCHANGEDSINCE 6) +FLAGS.SILENT (\\Deleted)",
         "* 1 FETCH (UID 1 MODSEQ (9))\r\n* 3 FETCH (UID 3 MODSEQ (9))\r\nOK [MODIFIED 2]"},
        {"UID STORE 1:3 (UNCHANGEDSINCE 8) FLAGS ()",
         "* 2 FETCH (UID 2 FLAGS () MODSEQ (10))\r\nOK [MODIFIED 1,3]"},
        {"STORE 4 (UNCHANGEDSINCE 0) +FLAGS (\\Seen)", "OK [MODIFIED 4]"},
        {"FETCH 1:* FLAGS (CHANGEDSINCE 9)", "* 2 FETCH (FLAGS () MODSEQ (10))\r\nOK"},
        {"UID FETCH 2:* FLAGS (CHANGEDSINCE 8)", "* 2 FETCH (UID 2 FLAGS () MODSEQ (10))\r\n"
                                                 "* 3 FETCH (UID 3 FLAGS (\\Deleted) MODSEQ (9))\r\nOK"},
        {"FETCH 1:* FLAGS (CHANGEDSINCE 10)", "OK"},
        {"UID FETCH 1:* UID (PARTIAL -1:-2)", "* 4 FETCH (UID 4)\r\n* 5 FETCH (UID 5)\r\nOK"},
        {"UID FETCH 1:* UID (PARTIAL 2:3)", "* 2 FETCH (UID 2)\r\n* 3 FETCH (UID 3)\r\nOK"},
        {"UID FETCH 1:* UID (PARTIAL 5:9)", "* 5 FETCH (UID 5)\r\nOK"},
        {"UID FETCH 1:* UID (PARTIAL 6:9)", "OK"},
        {"UID FETCH 1:* UID (PARTIAL -4:-9)", "* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\nOK"},
        {"SEARCH MODSEQ 9", "* SEARCH 1 2 3 (MODSEQ 10)\r\nOK"},
        {"SEARCH NOT MODSEQ 9", "* SEARCH 4 5 (MODSEQ 6)\r\nOK"},
        {"SEARCH MODSEQ \"/flags/\\\\draft\" all 10", "* SEARCH 2 (MODSEQ 10)\r\nOK"},
        {"SEARCH MODSEQ 99", "* SEARCH\r\nOK"},
        {"STATUS INBOX (HIGHESTMODSEQ)", "* STATUS INBOX (HIGHESTMODSEQ 10)\r\nOK"},
        /* RFC 9051 §6.4.5, RFC 7162 §3.1: an implicit \Seen tells its modification sequence */
        {"FETCH 5 BODY[TEXT]<0.1>",
         "* 5 FETCH (UID 5 FLAGS (\\Seen) MODSEQ (11) BODY[TEXT]<0> {1}\r\nb)\r\nOK"},
        {"COPY 5 Archive", NULL},
        {"MOVE 5 Archive", NULL},
        {"NOOP", "OK"},
        {"STATUS Archive (HIGHESTMODSEQ MESSAGES)", "* STATUS Archive (MESSAGES 2 HIGHESTMODSEQ 3)\r\nOK"},
        {"FETCH 1 FLAGS (VANISHED)", "BAD"},
        {"FETCH 1 FLAGS (PARTIAL 1:2)", "BAD"},
        {"UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)", "BAD"}, /* not enabled */
        {"STORE 1 (UNCHANGEDSINCE) +FLAGS ()", "BAD"},
        {"STORE 1 (UNCHANGEDSINCE 1", "BAD"},
        {"SELECT INBOX (QRESYNC (1 1))", "BAD"},
        {"NOOP", "OK"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].want)
            store_talk_expect(&w->a, rows[i].command, rows[i].want);
        else
            store_talk_say(&w->a, rows[i].command);
}

/* RFC 7162 §3.1: changes by others carry UID and modification sequence; a silent change of one's own hides
 * none. */
static void test_told_by_others(void **state)
{
    static const struct row plain[] = {
        {"NOOP", "* 3 FETCH (UID 3 FLAGS (\\Flagged))\r\nOK"},
    };
    static const struct row aware[] = {
        {"NOOP", "* 3 FETCH (UID 3 FLAGS (\\Flagged \\Seen) MODSEQ (8))\r\nOK"},
        {"STORE 1 +FLAGS.SILENT (\\Answered)",
         "* 1 FETCH (UID 1 MODSEQ (10))\r\n"
         "* 1 FETCH (UID 1 FLAGS (\\Answered \\Draft) MODSEQ (10))\r\nOK"},
    };
    struct world *w = *state;
    store_talk_say(&w->b, "STORE 3 +FLAGS (\\Flagged)");
    EXPECT_ROWS(&w->a, plain);
    store_talk_say(&w->a, "UNSELECT");
    assert_non_null(strstr(store_talk_say(&w->a, "SELECT INBOX (CONDSTORE)"), "[HIGHESTMODSEQ 7]"));
    store_talk_say(&w->b, "STORE 3 +FLAGS (\\Seen)");
    expect_rows(&w->a, aware, 1);
    store_talk_say(&w->b, "STORE 1 +FLAGS (\\Draft)");
    expect_rows(&w->a, aware + 1, 1);
    store_talk_expect(&w->a, "NOOP", "OK");
}

/* What the untagged responses to SELECT with these parameters are from VANISHED or FETCH on. */
static void expect_resync(struct world *w, const char *parameters, const char *want)
{
    char command[200], params[150];
    snprintf(params, sizeof params, parameters, w->uidvalidity);
    snprintf(command, sizeof command, "SELECT INBOX (QRESYNC (%s))", params);
    const char *got = store_talk_say(&w->a, command), *from = strstr(got, "The last change.\r\n");
    assert_non_null(from);
    assert_string_equal(from + strlen("The last change.\r\n"), want);
}

static void test_qresync(void **state)
{
    struct world *w = *state;
    store_talk_expect(&w->a, "ENABLE QRESYNC",
                      "* ENABLED QRESYNC\r\n* OK [HIGHESTMODSEQ 6] The last change.\r\nOK");
    store_talk_expect(&w->a, "ENABLE QRESYNC CONDSTORE", "* ENABLED CONDSTORE QRESYNC\r\nOK");
    store_talk_say(&w->b, "STORE 2,4 +FLAGS.SILENT (\\Deleted)");       /* 7 */
    store_talk_say(&w->b, "EXPUNGE");                                   /* 8 */
    store_talk_expect(&w->a, "FETCH 1 UID", "* 1 FETCH (UID 1)\r\nOK"); /* RFC 7162 §3.2.10.2 */
    store_talk_expect(&w->a, "UID FETCH 1:3 (FLAGS) (CHANGEDSINCE 6 VANISHED)",
                      "* VANISHED 2,4\r\nOK"); /* in the view until told */
    store_talk_expect(&w->a, "UID FETCH 1:3 (FLAGS) (CHANGEDSINCE 6 VANISHED)",
                      "* VANISHED (EARLIER) 2\r\nOK");
    store_talk_expect(&w->a, "UID FETCH 1:* (FLAGS) (CHANGEDSINCE 8 VANISHED)", "OK");
    store_talk_say(&w->b, "STORE 3 +FLAGS.SILENT (\\Seen)"); /* 9; UID 5 */
    expect_resync(w, "%u 6",
                  "* VANISHED (EARLIER) 2,4\r\n* 3 FETCH (UID 5 FLAGS (\\Seen) MODSEQ (9))\r\n"
                  "OK [READ-WRITE]");
    expect_resync(w, "%u 8", "* 3 FETCH (UID 5 FLAGS (\\Seen) MODSEQ (9))\r\nOK [READ-WRITE]");
    expect_resync(w, "%u 9", "OK [READ-WRITE]");
    expect_resync(w, "%u 6 1:3", "* VANISHED (EARLIER) 2\r\nOK [READ-WRITE]");
    expect_resync(w, "1 6", "OK [READ-WRITE]"); /* another UIDVALIDITY */
    /* RFC 7162 §3.2.5.2: the client knows what went up to a pair that matches */
    expect_resync(w, "%u 8 1:5 (1:5 1:5)", "* 3 FETCH (UID 5 FLAGS (\\Seen) MODSEQ (9))\r\nOK [READ-WRITE]");
    expect_resync(w, "%u 7 1:4 (1:5 1:5)", "* VANISHED (EARLIER) 2,4\r\nOK [READ-WRITE]");
    expect_resync(w, "%u 7 1:4 (1:4 1,3:5)", "* VANISHED (EARLIER) 4\r\nOK [READ-WRITE]");
    expect_resync(w, "%u 7 1:4 (1:3 1,3,5)", "OK [READ-WRITE]");
    expect_resync(w, "%u 7 1:4 (1:4294967295 1:4294967295)", "* VANISHED (EARLIER) 2,4\r\nOK [READ-WRITE]");
    char command[100];
    snprintf(command, sizeof command, "SELECT INBOX (QRESYNC (%u 7 1:4 (1:2 1)))", w->uidvalidity);
    const char *got = store_talk_say(&w->a, command);
    assert_string_equal(got + strlen(got) - 3, "BAD");
    store_talk_expect(&w->a, "CHECK", "BAD");
}

static void test_expunge(void **state)
{
    struct world *w = *state;
    store_talk_say(&w->a, "ENABLE QRESYNC");
    store_talk_say(&w->a, "STORE 1,3:4 +FLAGS.SILENT (\\Deleted)"); /* 7 */
    store_talk_expect(&w->a, "UID EXPUNGE 1", "* VANISHED 1\r\nOK [HIGHESTMODSEQ 8]");
    store_talk_expect(&w->a, "EXPUNGE", "* VANISHED 3:4\r\nOK [HIGHESTMODSEQ 9]");
    store_talk_expect(&w->b, "NOOP", "* 1 EXPUNGE\r\n* 2 EXPUNGE\r\n* 2 EXPUNGE\r\nOK");
    const char *got = store_talk_say(&w->a, "UID MOVE 5 Archive");
    assert_non_null(strstr(got, "* VANISHED 5\r\nOK [HIGHESTMODSEQ 10]"));
    store_talk_expect(&w->a, "STORE 1 +FLAGS.SILENT (\\Deleted)", "* 1 FETCH (UID 2 MODSEQ (11))\r\nOK");
    store_talk_expect(&w->a, "CLOSE", "OK"); /* RFC 7162 §3.2.8: nothing is told */
    store_talk_expect(&w->a, "STATUS INBOX (MESSAGES HIGHESTMODSEQ)",
                      "* STATUS INBOX (MESSAGES 0 HIGHESTMODSEQ 12)\r\nOK");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_condstore),
        TEST(test_told_by_others),
        TEST(test_qresync),
        TEST(test_expunge),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    store_talk_parks = true; /* a client cannot tell */
    return failed + cmocka_run_group_tests_name("parked", tests, NULL, NULL);
}
