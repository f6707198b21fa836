/* IMAP sessions over a socketpair: what each command answers, by the RFCs' examples and by what clients get
 * wrong. */
#include "imap_talk.h"
#include "mem_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#define SELECTED                                                                                             \
    "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded work)\r\n"                            \
    "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded work \\*)] These flags " \
    "are kept.\r\n"                                                                                          \
    "* 3 EXISTS\r\n* 3 RECENT\r\n* OK [UNSEEN 1] The first unseen message.\r\n"                              \
    "* OK [UIDVALIDITY 7] UIDs are valid.\r\n* OK [UIDNEXT 5] The next UID.\r\n"                             \
    "s OK [READ-WRITE] SELECT completed.\r\n"

struct row {
    const char *in, *want;
};

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct imap_start start = {.store = mem_store_new(), .ops.wake_fd = -1};
        char *got = imap_talk(&start, str_c(rows[i].in));
        if (strcmp(got, rows[i].want) != 0)
            print_error("for %s\n", rows[i].in);
        assert_string_equal(got, rows[i].want);
        free(got);
        store_close(start.store);
    }
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

static void test_any_state(void **state)
{
    static const struct row rows[] = {
        {"a NOOP\r\n", "a OK NOOP completed.\r\n"},
        {"a noop \r\nb Noop\n", "a OK NOOP completed.\r\nb OK NOOP completed.\r\n"},
        {"a CAPABILITY\r\n", "* CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS MOVE "
                             "SPECIAL-USE CREATE-SPECIAL-USE "
                             "LIST-EXTENDED CHILDREN UNSELECT QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE\r\na "
                             "OK CAPABILITY completed.\r\n"},
        {"a LOGOUT\r\nb NOOP\r\n", "* BYE Logging out.\r\na OK LOGOUT completed.\r\n"},
        {"a ID NIL\r\nb ID (\"name\" \"x\" \"os\" NIL)\r\n",
         "* ID (\"name\" \"malle\")\r\na OK ID completed.\r\n* ID (\"name\" \"malle\")\r\nb OK ID "
         "completed.\r\n"},
        {"a ID (\"name\")\r\n", "a BAD Expected a space at byte 13.\r\n"},
        {"a NAMESPACE\r\n", "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\na OK NAMESPACE completed.\r\n"},
        {"a ENABLE CONDSTORE X-GOOD-IDEA\r\n", "* ENABLED\r\na OK ENABLE completed.\r\n"},
        {"a ENABLE\r\n", "a BAD Expected a space at byte 9.\r\n"},
    };
    (void)state;
    CHECK(rows);
}

static void test_bad_input(void **state)
{
    static const struct row rows[] = {
        {"a XYZZY\r\n", "a BAD Unknown command.\r\n"},
        {"a UID XYZZY 1\r\n", "a BAD Unknown command.\r\n"},
        {"a\r\n", "a BAD A command must follow the tag.\r\n"},
        {"\r\n", "* BAD A line begins with a tag and a command.\r\n"},
        {"+ NOOP\r\n", "* BAD A line begins with a tag and a command.\r\n"},
        {"a LOGIN x y\r\n", "a BAD That is done: this session is logged in.\r\n"},
        {"a STARTTLS\r\n", "a BAD That is done: this session is logged in.\r\n"},
        {"a CLOSE\r\n", "a BAD Select a mailbox first.\r\n"},
        {"a NOOP x\r\n", "a BAD Expected the end of the command at byte 7.\r\n"},
        {"a SELECT \"INBOX\r\n", "a BAD Expected a quoted string with its closing quote at byte 10.\r\n"},
        /* RFC 7888 §4: refused literals are skipped in sync */
        {"a SELECT {99999999+}\r\n", "a NO [LIMIT] The literal is too large.\r\n"},
        {"a SELECT {4294967296+}\r\n",
         "a NO [LIMIT] The literal is too large.\r\n* BYE The literal is too large to skip.\r\n"},
        {"a SELECT {4294967296}\r\nb NOOP\r\n",
         "a NO [LIMIT] The literal is too large.\r\nb OK NOOP completed.\r\n"},
        {"a SELECT {9}\r\nINBO\r\n", "+ OK\r\n"},
    };
    (void)state;
    CHECK(rows);
    struct imap_start start = {.store = mem_store_new(), .ops.wake_fd = -1};
    char *got = imap_talk(&start, S("a NO\0OP\r\nb NOOP\r\n"));
    assert_string_equal(got, "a BAD Unknown command.\r\nb OK NOOP completed.\r\n");
    free(got);
    store_close(start.store);
}

static void test_limits(void **state)
{
    struct imap_start start = {
        .store = mem_store_new(), .ops.wake_fd = -1, .limits = {.line_max = 20, .bad_max = 3}};
    (void)state;
    char *got = imap_talk(
        &start, S("a NOOP 34567890123456789 {3+}\r\nx\r\n y\r\nb NOOP\r\nc X\r\nd X\r\ne X\r\nf NOOP\r\n"));
    assert_string_equal(
        got, "a BAD The command is too long.\r\nb OK NOOP completed.\r\nc BAD Unknown command.\r\n"
             "d BAD Unknown command.\r\ne BAD Unknown command.\r\n* BYE Too many bad commands.\r\n");
    free(got);
    store_close(start.store);
}

static void test_list(void **state)
{
    static const struct row rows[] = {
        {"a LIST \"\" \"\"\r\n", "* LIST (\\Noselect) \"/\" \"\"\r\na OK LIST completed.\r\n"},
        {"a LIST \"\" *\r\n",
         "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LIST (\\HasNoChildren \\Drafts) \"/\" Drafts\r\n"
         "* LIST (\\HasNoChildren \\Sent) \"/\" Sent\r\n* LIST (\\Noselect \\HasChildren) \"/\" lists\r\n"
         "* LIST (\\HasNoChildren) \"/\" lists/c\r\na OK LIST completed.\r\n"},
        {"a LIST lists/ %\r\n", "* LIST (\\HasNoChildren) \"/\" lists/c\r\na OK LIST completed.\r\n"},
        {"a LIST (SPECIAL-USE) \"\" \"*\" RETURN (SUBSCRIBED)\r\n",
         "* LIST (\\HasNoChildren \\Drafts) \"/\" Drafts\r\n* LIST (\\HasNoChildren \\Subscribed \\Sent) "
         "\"/\" Sent\r\n"
         "a OK LIST completed.\r\n"},
        {"a SUBSCRIBE lists/gone\r\nb LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (li% none)\r\n",
         "a OK SUBSCRIBE completed.\r\n* LIST (\\NonExistent \\HasChildren) \"/\" lists (\"CHILDINFO\" "
         "(\"SUBSCRIBED\"))\r\nb OK LIST completed.\r\n"},
        {"a SUBSCRIBE lists/c\r\nb LSUB \"\" *\r\nc LSUB \"\" l%\r\n",
         "a OK SUBSCRIBE completed.\r\n* LSUB () \"/\" Sent\r\n* LSUB () \"/\" lists/c\r\nb OK LSUB "
         "completed.\r\n"
         "* LSUB (\\Noselect) \"/\" lists\r\nc OK LSUB completed.\r\n"},
        {"a LIST (RECURSIVEMATCH) \"\" *\r\n",
         "a BAD Expected an option for RECURSIVEMATCH to match at byte 25.\r\n"},
        {"a LIST (FOO) \"\" *\r\n", "a BAD Expected a LIST option at byte 9.\r\n"},
        {"a LIST \"\" \"&bad\"\r\n", "a BAD Expected a mailbox name in modified UTF-7 at byte 11.\r\n"},
    };
    (void)state;
    CHECK(rows);
}

static void test_mailboxes(void **state)
{
    static const struct row rows[] = {
        {"a STATUS INBOX (MESSAGES UNSEEN UIDNEXT UIDVALIDITY RECENT)\r\n",
         "* STATUS INBOX (MESSAGES 3 RECENT 3 UIDNEXT 5 UIDVALIDITY 7 UNSEEN 2)\r\na OK STATUS "
         "completed.\r\n"},
        {"a STATUS none (MESSAGES)\r\n", "a NO [NONEXISTENT] There is no such mailbox.\r\n"},
        {"a STATUS INBOX ()\r\n", "a BAD Expected a status item at byte 17.\r\n"},
        {"a CREATE &U,BTFw-/\r\nb LIST \"\" &U,BTFw-\r\n",
         "a OK CREATE completed.\r\n* LIST (\\HasNoChildren) \"/\" &U,BTFw-\r\nb OK LIST completed.\r\n"},
        {"a CREATE Sent\r\n", "a NO [ALREADYEXISTS] The mailbox exists or cannot be.\r\n"},
        {"a CREATE x (USE (\\Trash))\r\nb LIST (SPECIAL-USE) \"\" x\r\n",
         "a OK CREATE completed.\r\n* LIST (\\HasNoChildren \\Trash) \"/\" x\r\nb OK LIST completed.\r\n"},
        {"a CREATE x (USE (\\All))\r\n",
         "a NO [USEATTR] A mailbox can have one of \\Archive, \\Drafts, \\Junk, \\Sent, \\Trash.\r\n"},
        {"a CREATE x (USE \\Trash)\r\n", "a BAD Expected ( at byte 17.\r\n"},
        {"a DELETE inbox\r\n", "a NO [CANNOT] INBOX stays.\r\n"},
        {"a DELETE Drafts\r\nb DELETE Drafts\r\n",
         "a OK DELETE completed.\r\nb NO [NONEXISTENT] There is no such mailbox.\r\n"},
        {"a RENAME Drafts Sent\r\nb RENAME Drafts d\r\nc STATUS d (MESSAGES)\r\n",
         "a NO [ALREADYEXISTS] The name is taken.\r\nb OK RENAME completed.\r\n* STATUS d (MESSAGES 0)\r\n"
         "c OK STATUS completed.\r\n"},
        {"a UNSUBSCRIBE Sent\r\nb LSUB \"\" *\r\n",
         "a OK UNSUBSCRIBE completed.\r\nb OK LSUB completed.\r\n"},
    };
    (void)state;
    CHECK(rows);
}

static void test_select(void **state)
{
    static const struct row rows[] = {
        {"s SELECT INBOX\r\n", SELECTED},
        {"s SELECT {5+}\r\nInBoX\r\n", SELECTED},
        {"s SELECT {5}\r\nINBOX\r\n", "+ OK\r\n" SELECTED},
        {"s SELECT INBOX\r\na SELECT none\r\nb CLOSE\r\n", SELECTED
         "* OK [CLOSED] The previous mailbox is closed.\r\na NO [NONEXISTENT] There is no such mailbox.\r\n"
         "b BAD Select a mailbox first.\r\n"},
        {"s SELECT INBOX\r\na CHECK\r\nb UNSELECT\r\nc CHECK\r\n",
         SELECTED "a OK CHECK completed.\r\nb OK UNSELECT completed.\r\nc BAD Select a mailbox first.\r\n"},
        {"a EXAMINE Sent\r\nb CLOSE\r\n",
         "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded)\r\n"
         "* OK [PERMANENTFLAGS ()] The mailbox is read-only.\r\n* 0 EXISTS\r\n* 0 RECENT\r\n"
         "* OK [UIDVALIDITY 7] UIDs are valid.\r\n* OK [UIDNEXT 1] The next UID.\r\n"
         "a OK [READ-ONLY] EXAMINE completed.\r\nb OK CLOSE completed.\r\n"},
    };
    (void)state;
    CHECK(rows);
}

static void test_append(void **state)
{
    static const struct row rows[] = {
        {"a APPEND Sent (\\Seen $x) \"17-Jul-1996 02:44:25 -0700\" {5+}\r\nhello\r\nb STATUS Sent (MESSAGES "
         "UNSEEN "
         "SIZE)\r\n",
         "a OK [APPENDUID 7 1] APPEND completed.\r\n* STATUS Sent (MESSAGES 1 UNSEEN 0 SIZE 5)\r\n"
         "b OK STATUS completed.\r\n"},
        {"a APPEND Sent {5}\r\nhello\r\n", "+ OK\r\na OK [APPENDUID 7 1] APPEND completed.\r\n"},
        {"a APPEND {4+}\r\nSent {5+}\r\nhello\r\n", "a OK [APPENDUID 7 1] APPEND completed.\r\n"},
        {"a APPEND none {5+}\r\nhello\r\nb NOOP\r\n",
         "a NO [TRYCREATE] There is no such mailbox.\r\nb OK NOOP completed.\r\n"},
        {"a APPEND none {5}\r\nb NOOP\r\n",
         "a NO [TRYCREATE] There is no such mailbox.\r\nb OK NOOP completed.\r\n"},
        {"a APPEND Sent {101}\r\nb NOOP\r\n",
         "a NO [TOOBIG] The message is larger than the limit of 100 bytes.\r\nb OK NOOP completed.\r\n"},
        {"a APPEND Sent {4294967296+}\r\nb", "* BYE The message is too large to skip.\r\na NO [TOOBIG] The "
                                             "message is larger than the limit of 100 bytes.\r\n"},
        {"a APPEND Sent {0+}\r\n\r\nb NOOP\r\n",
         "a NO [CANNOT] A message cannot be empty.\r\nb OK NOOP completed.\r\n"},
        {"a APPEND Sent ~{2+}\r\nxx\r\nb NOOP\r\n",
         "a BAD Expected a literal without \"~\" at byte 22.\r\nb OK NOOP completed.\r\n"},
        {"a APPEND Sent (\\Bad) {2+}\r\nxx\r\nb NOOP\r\n",
         "a BAD Expected flags that can be set at byte 22.\r\nb OK NOOP completed.\r\n"},
        {"a APPEND Sent {2+}\r\nxx y\r\nb STATUS Sent (MESSAGES)\r\n",
         "a BAD Expected the end of the command at byte 1.\r\n* STATUS Sent (MESSAGES 0)\r\nb OK STATUS "
         "completed.\r\n"},
        {"a APPEND Sent {2+}\r\nxx {3+}\r\nx\r\n\r\nb NOOP\r\n",
         "a BAD Expected the end of the command at byte 1.\r\nb OK NOOP completed.\r\n"},
        {"a APPEND Sent \"hello\"\r\n",
         "a BAD Expected a date and time such as \"17-Jul-1996 02:44:25 -0700\" at byte 15.\r\n"},
        {"a APPEND Sent {9+}\r\nhe",
         ""}, /* the connection ends in the middle: nothing is kept, nothing said */
        /* RFC 9051 §6.3.12: a message for the selected mailbox is told at once */
        {"s SELECT INBOX\r\na APPEND INBOX {5+}\r\nhello\r\n",
         SELECTED "* 4 EXISTS\r\n* 0 RECENT\r\na OK [APPENDUID 7 5] APPEND completed.\r\n"},
    };
    (void)state;
    CHECK(rows);
    struct imap_start start = {.store = mem_store_new(), .ops.wake_fd = -1};
    char *got = imap_talk(&start, S("a APPEND Sent {3+}\r\nx\0x\r\nb NOOP\r\n"));
    assert_string_equal(got, "a BAD A message cannot hold NUL bytes.\r\nb OK NOOP completed.\r\n");
    free(got);
    store_close(start.store);
}

/* RFC 9051 §7.5.1: what others did is told in order: expunges, count, flags. */
static void test_announce(void **state)
{
    struct imap_start start = {.store = mem_store_new(), .ops.wake_fd = -1};
    struct imap_talk *t = imap_talk_begin(&start);
    (void)state;
    imap_talk_send(t, "s SELECT INBOX\r\n");
    assert_string_equal(imap_talk_until(t, "completed.\r\n"), SELECTED);
    mem_store_expunge(start.store, "INBOX", 1);
    mem_store_deliver(start.store, "INBOX", "x");
    mem_store_set_flags(start.store, "INBOX", 4, FLAG_SEEN | FLAG_PASSED);
    imap_talk_send(t, "a NOOP\r\n");
    assert_string_equal(
        imap_talk_until(t, "completed.\r\n"),
        "* 1 EXPUNGE\r\n* 3 EXISTS\r\n* 0 RECENT\r\n"
        "* 2 FETCH (UID 4 FLAGS (\\Seen $Forwarded \\Recent work))\r\na OK NOOP completed.\r\n");
    mem_store_fail(start.store, RC_TEMP);
    imap_talk_send(t, "b LIST \"\" *\r\n");
    assert_string_equal(imap_talk_until(t, "fail.\r\n"), "b NO [UNAVAILABLE] Told to fail.\r\n");
    mem_store_fail(start.store, RC_GONE);
    imap_talk_send(t, "c NOOP\r\nd NOOP\r\n");
    char *rest = imap_talk_end(t);
    assert_string_equal(rest, "* BYE The selected mailbox was deleted.\r\nc OK NOOP completed.\r\n");
    free(rest);
    store_close(start.store);
}

static void wake_clear(void *ctx)
{
    char byte;
    assert_int_equal(read(*(int *)ctx, &byte, 1), 1);
}

static void test_idle(void **state)
{
    int wake[2];
    (void)state;
    assert_int_equal(pipe(wake), 0);
    struct imap_start start = {.store = mem_store_new(),
                               .ops = {.wake_fd = wake[0], .wake_clear = wake_clear, .ctx = &wake[0]}};
    struct imap_talk *t = imap_talk_begin(&start);
    imap_talk_send(t, "s SELECT INBOX\r\na IDLE\r\n");
    assert_string_equal(imap_talk_until(t, "+ idling\r\n"), SELECTED "+ idling\r\n");
    mem_store_deliver(start.store, "INBOX", "x");
    assert_int_equal(write(wake[1], "x", 1), 1);
    assert_string_equal(imap_talk_until(t, "RECENT\r\n"), "* 4 EXISTS\r\n* 0 RECENT\r\n");
    imap_talk_send(t, "DO");
    imap_talk_send(t, "NE\r\nb IDLE\r\nrubbish\r\nc NOOP\r\n");
    char *rest = imap_talk_end(t);
    assert_string_equal(rest, "a OK IDLE completed.\r\n+ idling\r\nb BAD Expected DONE at byte 1.\r\n"
                              "c OK NOOP completed.\r\n");
    free(rest);
    store_close(start.store);
    close(wake[0]);
    close(wake[1]);
}

static void test_silence(void **state)
{
    struct imap_start start = {
        .store = mem_store_new(), .ops.wake_fd = -1, .limits = {.idle_ms = 100, .keepalive_ms = 60}};
    (void)state;
    struct imap_talk *t = imap_talk_begin(&start);
    assert_string_equal(imap_talk_until(t, "inactivity.\r\n"), "* BYE Disconnected for inactivity.\r\n");
    free(imap_talk_end(t));
    t = imap_talk_begin(&start);
    imap_talk_send(t, "a IDLE\r\n");
    assert_string_equal(imap_talk_until(t, "inactivity.\r\n"),
                        "+ idling\r\n* OK Still here\r\n* BYE Disconnected for inactivity.\r\n");
    free(imap_talk_end(t));
    store_close(start.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_state), cmocka_unit_test(test_bad_input), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_list),      cmocka_unit_test(test_mailboxes), cmocka_unit_test(test_select),
        cmocka_unit_test(test_append),    cmocka_unit_test(test_announce),  cmocka_unit_test(test_idle),
        cmocka_unit_test(test_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
