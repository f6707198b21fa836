/* IMAP sessions over a socketpair: what each command answers, by the RFCs' examples and by what clients get
 * wrong. */
#include "imap_rows.h"

static void test_any_state(void **state)
{
    static const struct row rows[] = {
        {"a NOOP\r\n", "a OK NOOP completed.\r\n"},
        {"a noop \r\nb Noop\n", "a OK NOOP completed.\r\nb OK NOOP completed.\r\n"},
        {"a CAPABILITY\r\n",
         "* CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE IDLE LANGUAGE UTF8=ACCEPT NAMESPACE UIDPLUS "
         "MOVE "
         "SPECIAL-USE "
         "CREATE-SPECIAL-USE "
         "LIST-EXTENDED CHILDREN UNSELECT QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE CONDSTORE QRESYNC "
         "ESEARCH SEARCHRES MULTISEARCH WITHIN SEARCH=FUZZY PARTIAL SAVEDATE SORT "
         "SORT=DISPLAY ESORT CONTEXT=SEARCH CONTEXT=SORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS "
         "I18NLEVEL=1 LIST-STATUS "
         "STATUS=SIZE METADATA LIST-METADATA BINARY MULTIAPPEND CATENATE REPLACE UIDONLY UIDBATCHES "
         "INPROGRESS "
         "NOTIFY OBJECTID PREVIEW "
         "COMPRESS=DEFLATE "
         "APPENDLIMIT=100\r\na OK CAPABILITY completed.\r\n"},
        {"a LOGOUT\r\nb NOOP\r\n", "* BYE Logging out.\r\na OK LOGOUT completed.\r\n"},
        {"a ID NIL\r\nb ID (\"name\" \"x\" \"os\" NIL)\r\n",
         "* ID (\"name\" \"malle\")\r\na OK ID completed.\r\n* ID (\"name\" \"malle\")\r\nb OK ID "
         "completed.\r\n"},
        {"a ID (\"name\")\r\n", "a BAD Expected a space at byte 13.\r\n"},
        {"a NAMESPACE\r\n", "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\na OK NAMESPACE completed.\r\n"},
        /* RFC 5255 §3.2 */
        {"a LANGUAGE\r\nb LANGUAGE fr-CA EN-CA\r\nc LANGUAGE \"default\"\r\nd LANGUAGE I-DEFAULT\r\ne "
         "LANGUAGE mul "
         "{2+}\r\nfr\r\nf LANGUAGE (en)\r\n",
         "* LANGUAGE (en i-default)\r\na OK LANGUAGE completed.\r\n* LANGUAGE (en)\r\nb OK LANGUAGE "
         "completed.\r\n"
         "* LANGUAGE (en)\r\nc OK LANGUAGE completed.\r\n* LANGUAGE (i-default)\r\nd OK LANGUAGE "
         "completed.\r\n"
         "e NO [CANNOT] Only English is spoken here.\r\nf BAD Expected an atom or string at byte 12.\r\n"},
        {"a ENABLE CONDSTORE X-GOOD-IDEA\r\n", "* ENABLED CONDSTORE\r\na OK ENABLE completed.\r\n"},
        {"a ENABLE X-GOOD-IDEA\r\n", "* ENABLED\r\na OK ENABLE completed.\r\n"},
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

/* RFC 4314 §3.1: who may be let in is the owner's choice, but for everybody at once */
static void test_acl_anyone(void **state)
{
    struct imap_start start = {.store = mem_store_new(), .ops.wake_fd = -1, .acl_anyone = true};
    (void)state;
    char *got =
        imap_talk(&start, S("a SETACL INBOX anyone lr\r\nb SETACL INBOX demo l\r\nc GETACL INBOX\r\n"));
    assert_string_equal(got, "a OK SETACL completed.\r\n"
                             "b NO [CANNOT] The owner of a mailbox has all rights.\r\n"
                             "* ACL INBOX demo lrswipkxteacd anyone lr\r\nc OK GETACL completed.\r\n");
    free(got);
    start.acl_anyone = false;
    got = imap_talk(&start, S("a SETACL INBOX anyone lrs\r\nb SETACL INBOX anyone -r\r\nc GETACL INBOX\r\n"));
    assert_string_equal(got, "a NO [CANNOT] Rights for everybody are not allowed here.\r\n"
                             "b OK SETACL completed.\r\n"
                             "* ACL INBOX demo lrswipkxteacd anyone l\r\nc OK GETACL completed.\r\n");
    free(got);
    store_close(start.store);
}

/* RFC 9585 §4 */
static void test_progress(void **state)
{
    struct imap_start start = {.store = mem_store_new(), .ops.wake_fd = -1, .limits.progress_ms = -1};
    (void)state;
    char *got = imap_talk(&start, S("s SELECT INBOX\r\na SEARCH BODY body\r\nb] SEARCH NOT BODY body\r\n"
                                    "c SORT (SIZE) UTF-8 BODY body\r\nd COPY 1:2 Sent\r\ne SEARCH 1\r\n"));
    assert_string_equal(
        got, SELECTED
        "* OK [INPROGRESS (\"a\" 0 3)] Still working.\r\n* OK [INPROGRESS (\"a\" 1 3)] Still working.\r\n"
        "* OK [INPROGRESS (\"a\" 2 3)] Still working.\r\n* SEARCH 1 2 3\r\na OK SEARCH completed.\r\n"
        "* OK [INPROGRESS (NIL 0 3)] Still working.\r\n* OK [INPROGRESS (NIL 1 3)] Still working.\r\n"
        "* OK [INPROGRESS (NIL 2 3)] Still working.\r\n* SEARCH\r\nb] OK SEARCH completed.\r\n"
        "* OK [INPROGRESS (\"c\" 0 3)] Still working.\r\n* OK [INPROGRESS (\"c\" 1 3)] Still working.\r\n"
        "* OK [INPROGRESS (\"c\" 2 3)] Still working.\r\n* OK [INPROGRESS (\"c\" NIL NIL)] Still working.\r\n"
        "* OK [INPROGRESS (\"c\" NIL NIL)] Still working.\r\n* OK [INPROGRESS (\"c\" NIL NIL)] Still "
        "working.\r\n"
        "* SORT 1 2 3\r\nc OK SORT completed.\r\n* OK [INPROGRESS (\"d\" 0 2)] Still working.\r\n"
        "* OK [INPROGRESS (\"d\" 1 2)] Still working.\r\nd OK [COPYUID 7 1:2 1:2] COPY completed.\r\n"
        "* SEARCH 1\r\ne OK SEARCH completed.\r\n");
    free(got);
    store_close(start.store);
}

static void note_given_back(void *ctx)
{
    ++*(int *)ctx;
}

/* RFC 8437 §3: what follows belongs to the next log-in. */
static void test_unauthenticate(void **state)
{
    int given_back = 0;
    struct imap_start start = {.store = mem_store_new(),
                               .ops = {.wake_fd = -1, .give_back = note_given_back, .ctx = &given_back}};
    (void)state;
    char *got =
        imap_talk(&start, S("s SELECT INBOX\r\na UNAUTHENTICATE x\r\nb UNAUTHENTICATE\r\nc NOOP\r\n"));
    assert_string_equal(got, SELECTED "a BAD Expected the end of the command at byte 17.\r\n"
                                      "b OK UNAUTHENTICATE completed.\r\n");
    free(got);
    assert_int_equal(given_back, 1);
    got = imap_talk(&start, S("a LOGOUT\r\n"));
    free(got);
    assert_int_equal(given_back, 1);
    start.ops.give_back = NULL;
    got = imap_talk(&start, S("a UNAUTHENTICATE\r\nb NOOP\r\n"));
    assert_string_equal(got, "a BAD This connection cannot be used again.\r\nb OK NOOP completed.\r\n");
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
        /* RFC 5819 §2 */
        {"a LIST \"\" (INBOX lists%) RETURN (STATUS (MESSAGES UNSEEN) CHILDREN)\r\n",
         "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* STATUS INBOX (MESSAGES 3 UNSEEN 2)\r\n"
         "* LIST (\\NonExistent \\HasChildren) \"/\" lists\r\na OK LIST completed.\r\n"},
        {"a LIST \"\" INBOX RETURN (STATUS)\r\n", "a BAD Expected a space at byte 31.\r\n"},
        {"a LIST \"\" INBOX RETURN (STATUS ())\r\n", "a BAD Expected a status item at byte 33.\r\n"},
        {"a LIST (STATUS (MESSAGES)) \"\" INBOX\r\n", "a BAD Expected a LIST option at byte 9.\r\n"},
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
        {"a STATUS INBOX (HIGHESTMODSEQ MAILBOXID APPENDLIMIT SIZE)\r\n",
         "* STATUS INBOX (SIZE 66 HIGHESTMODSEQ 6 APPENDLIMIT 100 MAILBOXID (m7))\r\na OK STATUS "
         "completed.\r\n"},
        {"a STATUS none (MESSAGES)\r\n", "a NO [NONEXISTENT] There is no such mailbox.\r\n"},
        {"a STATUS INBOX ()\r\n", "a BAD Expected a status item at byte 17.\r\n"},
        {"a CREATE &U,BTFw-/\r\nb LIST \"\" &U,BTFw-\r\n",
         "a OK [MAILBOXID (m7)] CREATE completed.\r\n* LIST (\\HasNoChildren) \"/\" &U,BTFw-\r\nb OK LIST "
         "completed.\r\n"},
        {"a CREATE Sent\r\n", "a NO [ALREADYEXISTS] The mailbox exists or cannot be.\r\n"},
        {"a CREATE x (USE (\\Trash))\r\nb LIST (SPECIAL-USE) \"\" x\r\n",
         "a OK [MAILBOXID (m7)] CREATE completed.\r\n* LIST (\\HasNoChildren \\Trash) \"/\" x\r\nb OK LIST "
         "completed.\r\n"},
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
         "* OK [MAILBOXID (m7)] Its id.\r\n* OK [HIGHESTMODSEQ 6] The last change.\r\n"
         "a OK [READ-ONLY] EXAMINE completed.\r\nb OK CLOSE completed.\r\n"},
    };
    (void)state;
    CHECK(rows);
}

/* RFC 4731 §3.1, RFC 5182 §2.1 and §2.4, RFC 9394 §3.1; UIDs 1, 2 and 4. */
static void test_esearch(void **state)
{
    static const struct row rows[] = {
        {"s SELECT INBOX\r\na SEARCH RETURN (MIN MAX COUNT) ALL\r\nb UID SEARCH RETURN () ALL\r\n",
         SELECTED "* ESEARCH (TAG \"a\") MIN 1 MAX 3 COUNT 3\r\na OK SEARCH completed.\r\n"
                  "* ESEARCH (TAG \"b\") UID ALL 1:2,4\r\nb OK UID SEARCH completed.\r\n"},
        {"s SELECT INBOX\r\na SEARCH RETURN (MIN MAX COUNT ALL) DRAFT\r\nb SEARCH DRAFT\r\n",
         SELECTED "* ESEARCH (TAG \"a\") COUNT 0\r\na OK SEARCH completed.\r\n* SEARCH\r\nb OK SEARCH "
                  "completed.\r\n"},
        {"s SELECT INBOX\r\na SEARCH RETURN (SAVE) UNSEEN\r\nb UID SEARCH $\r\nc UID SEARCH RETURN (SAVE "
         "MIN) "
         "ALL\r\nd UID SEARCH UID $\r\n",
         SELECTED "a OK SEARCH completed.\r\n* SEARCH 1 4\r\nb OK UID SEARCH completed.\r\n"
                  "* ESEARCH (TAG \"c\") UID MIN 1\r\nc OK UID SEARCH completed.\r\n"
                  "* SEARCH 1\r\nd OK UID SEARCH completed.\r\n"},
        {"s SELECT INBOX\r\na UID SEARCH RETURN (SAVE MIN MAX) ALL\r\nb UID SEARCH $\r\nc UID SEARCH RETURN "
         "(SAVE "
         "MIN COUNT) ALL\r\nd UID SEARCH $\r\n",
         SELECTED "* ESEARCH (TAG \"a\") UID MIN 1 MAX 4\r\na OK UID SEARCH completed.\r\n"
                  "* SEARCH 1 4\r\nb OK UID SEARCH completed.\r\n"
                  "* ESEARCH (TAG \"c\") UID MIN 1 COUNT 3\r\nc OK UID SEARCH completed.\r\n"
                  "* SEARCH 1 2 4\r\nd OK UID SEARCH completed.\r\n"},
        /* BAD keeps the saved result, NO empties it */
        {"s SELECT INBOX\r\na SEARCH RETURN (SAVE) ALL\r\nb SEARCH RETURN (SAVE) FOO\r\nc SEARCH $\r\n"
         "d SEARCH RETURN (SAVE) CHARSET X-NONE TEXT x\r\ne SEARCH $\r\n",
         SELECTED "a OK SEARCH completed.\r\nb BAD Expected a search key at byte 24.\r\n"
                  "* SEARCH 1 2 3\r\nc OK SEARCH completed.\r\n"
                  "d NO [BADCHARSET (US-ASCII UTF-8)] This charset is not known.\r\n"
                  "* SEARCH\r\ne OK SEARCH completed.\r\n"},
        {"s SELECT INBOX\r\na UID SEARCH RETURN (PARTIAL -1:-2 COUNT) ALL\r\nb SEARCH RETURN (PARTIAL 4:9) "
         "ALL\r\n"
         "c SEARCH RETURN (PARTIAL 2:9 SAVE) ALL\r\nd SEARCH $\r\n",
         SELECTED "* ESEARCH (TAG \"a\") UID COUNT 3 PARTIAL (-1:-2 2,4)\r\na OK UID SEARCH completed.\r\n"
                  "* ESEARCH (TAG \"b\") PARTIAL (4:9 NIL)\r\nb OK SEARCH completed.\r\n"
                  "* ESEARCH (TAG \"c\") PARTIAL (2:9 2:3)\r\nc OK SEARCH completed.\r\n"
                  "* SEARCH 2 3\r\nd OK SEARCH completed.\r\n"},
        /* RFC 7162 §3.1.10 */
        {"s SELECT INBOX (CONDSTORE)\r\na SEARCH RETURN (MIN) MODSEQ 1\r\nb SEARCH RETURN (MIN MAX) MODSEQ "
         "1\r\n"
         "c SEARCH RETURN (MIN COUNT) MODSEQ 1\r\nd SEARCH MODSEQ 4\r\ne SEARCH RETURN (ALL) MODSEQ 7\r\n",
         SELECTED "* ESEARCH (TAG \"a\") MIN 1 MODSEQ 1\r\na OK SEARCH completed.\r\n"
                  "* ESEARCH (TAG \"b\") MIN 1 MAX 3 MODSEQ 4\r\nb OK SEARCH completed.\r\n"
                  "* ESEARCH (TAG \"c\") MIN 1 COUNT 3 MODSEQ 6\r\nc OK SEARCH completed.\r\n"
                  "* SEARCH 2 3 (MODSEQ 6)\r\nd OK SEARCH completed.\r\n"
                  "* ESEARCH (TAG \"e\")\r\ne OK SEARCH completed.\r\n"},
    };
    (void)state;
    CHECK(rows);
}

/* RFC 7162 §3.2: the session's side of it; the store's is in test_resync.c. */
static void test_qresync(void **state)
{
    struct imap_start start = {.store = mem_store_new(), .ops.wake_fd = -1};
    struct imap_talk *t = imap_talk_begin(&start);
    (void)state;
    imap_talk_send(t, "e ENABLE QRESYNC\r\ns SELECT INBOX (QRESYNC (7 4))\r\n");
    const char *got = imap_talk_until(t, "SELECT completed.\r\n");
    assert_non_null(strstr(got, "* ENABLED QRESYNC\r\n"));
    assert_non_null(strstr(got, "* OK [HIGHESTMODSEQ 6] The last change.\r\n* VANISHED (EARLIER) 3\r\n"
                                "* 2 FETCH (UID 2 FLAGS (\\Seen \\Recent) MODSEQ (6))\r\ns OK"));
    mem_store_expunge(start.store, "INBOX", 1);
    mem_store_expunge(start.store, "INBOX", 2);
    mem_store_deliver(start.store, "INBOX", "x");
    mem_store_set_flags(start.store, "INBOX", 4, FLAG_DELETED);
    imap_talk_send(t, "a NOOP\r\n");
    assert_string_equal(imap_talk_until(t, "completed.\r\n"),
                        "* VANISHED 1:2\r\n* 2 EXISTS\r\n* 0 RECENT\r\n"
                        "* 1 FETCH (UID 4 FLAGS (\\Deleted \\Recent work) MODSEQ (10))\r\na OK NOOP "
                        "completed.\r\n");
    imap_talk_send(t, "b EXPUNGE\r\nc UID FETCH 1:4 FLAGS (CHANGEDSINCE 6 VANISHED)\r\n");
    assert_string_equal(imap_talk_until(t, "FETCH completed.\r\n"),
                        "* VANISHED 4\r\nb OK [HIGHESTMODSEQ 11] EXPUNGE completed.\r\n"
                        "* VANISHED (EARLIER) 1:2,4\r\nc OK UID FETCH completed.\r\n");
    free(imap_talk_end(t));
    store_close(start.store);
}

/* RFC 9586 §3 */
static void test_uidonly(void **state)
{
    struct imap_start start = {.store = mem_store_new(), .ops.wake_fd = -1};
    struct imap_talk *t = imap_talk_begin(&start);
    (void)state;
    imap_talk_send(t, "e ENABLE UIDONLY QRESYNC\r\ns SELECT INBOX\r\n");
    assert_non_null(strstr(imap_talk_until(t, "SELECT completed.\r\n"), "* ENABLED QRESYNC UIDONLY\r\n"));
    imap_talk_send(t, "a FETCH 1 FLAGS\r\nb COPY 1 Sent\r\nc SEARCH ALL\r\nd UID SEARCH 1:2\r\n"
                      "f SELECT INBOX (QRESYNC (7 1 1:4 (1 1)))\r\ng NOOP\r\n");
    assert_string_equal(imap_talk_until(t, "NOOP completed.\r\n"),
                        "a BAD [UIDREQUIRED] Use the UID form.\r\nb BAD [UIDREQUIRED] Use the UID form.\r\n"
                        "c BAD [UIDREQUIRED] Use the UID form.\r\n"
                        "d BAD [UIDREQUIRED] Expected sets of message numbers at byte 17.\r\n"
                        "f BAD [UIDREQUIRED] No message sequence match data with UIDONLY.\r\n"
                        "g OK NOOP completed.\r\n");
    imap_talk_send(t, "a UID FETCH 2 (FLAGS)\r\nb UID FETCH 4 (UID RFC822.SIZE)\r\n"
                      "c UID STORE 4 +FLAGS (\\Deleted)\r\nd EXPUNGE\r\n");
    assert_string_equal(
        imap_talk_until(t, "EXPUNGE completed.\r\n"),
        "* 2 UIDFETCH (FLAGS (\\Seen \\Recent))\r\na OK UID FETCH completed.\r\n"
        "* 4 UIDFETCH (UID 4 RFC822.SIZE 22)\r\nb OK UID FETCH completed.\r\n"
        "* 4 UIDFETCH (FLAGS (\\Deleted \\Recent work) MODSEQ (7))\r\nc OK UID STORE completed.\r\n"
        "* VANISHED 4\r\nd OK [HIGHESTMODSEQ 8] EXPUNGE completed.\r\n");
    free(imap_talk_end(t));
    store_close(start.store);
}

/* RFC 9051 §6.3.1, Appendix E: what is another way after ENABLE IMAP4rev2 */
static void test_rev2(void **state)
{
    static const struct row rows[] = {
        {"e ENABLE IMAP4rev2\r\ns SELECT INBOX\r\na SEARCH UNSEEN\r\nb UID SEARCH SEEN\r\nc FETCH 3 "
         "FLAGS\r\n",
         "* ENABLED IMAP4rev2\r\ne OK ENABLE completed.\r\n"
         "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded work)\r\n"
         "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded work \\*)] These "
         "flags "
         "are kept.\r\n"
         "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] UIDs are valid.\r\n* OK [UIDNEXT 5] The next UID.\r\n"
         "* OK [MAILBOXID (m7)] Its id.\r\n* OK [HIGHESTMODSEQ 6] The last change.\r\n* LIST () \"/\" "
         "INBOX\r\n"
         "s OK [READ-WRITE] SELECT completed.\r\n"
         "* ESEARCH (TAG \"a\") ALL 1,3\r\na OK SEARCH completed.\r\n"
         "* ESEARCH (TAG \"b\") UID ALL 2\r\nb OK UID SEARCH completed.\r\n"
         "* 3 FETCH (FLAGS (work))\r\nc OK FETCH completed.\r\n"},
        {"a CREATE x&y-\r\n", "a BAD Expected a mailbox name in modified UTF-7 at byte 10.\r\n"},
        {"e ENABLE IMAP4rev2\r\na CREATE x&y\r\nb CREATE \"\xce\xa9\"\r\nc LIST \"\" (x% \"\xce\xa9\")\r\n"
         "d STATUS \"\xce\xa9\" (MESSAGES)\r\nf STATUS \"\xff\" (MESSAGES)\r\n",
         "* ENABLED IMAP4rev2\r\ne OK ENABLE completed.\r\na OK [MAILBOXID (m7)] CREATE completed.\r\nb OK "
         "[MAILBOXID (m7)] CREATE completed.\r\n"
         "* LIST (\\HasNoChildren) \"/\" x&y\r\n* LIST (\\HasNoChildren) \"/\" \"\xce\xa9\"\r\nc OK LIST "
         "completed.\r\n"
         "* STATUS \"\xce\xa9\" (MESSAGES 0)\r\nd OK STATUS completed.\r\n"
         "f BAD Expected a mailbox name in UTF-8 at byte 10.\r\n"},
    };
    (void)state;
    CHECK(rows);
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

/* A session whose index was removed would hear of nothing: it ends, so that the client connects again. */
static void test_stale_store(void **state)
{
    static const struct {
        const char *input, *want;
    } rows[] = {
        {"a NOOP\r\nb NOOP\r\n", "a OK NOOP completed.\r\n"
                                 "* BYE The mailbox index was rebuilt, please connect again.\r\n"},
        {"a IDLE\r\nDONE\r\n", "+ idling\r\n* BYE The mailbox index was rebuilt, please connect again.\r\n"},
        {"a UNSELECT\r\nb NOOP\r\n", "a OK UNSELECT completed.\r\n"
                                     "* BYE The mailbox index was rebuilt, please connect again.\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct imap_start start = {.store = mem_store_new(), .ops.wake_fd = -1};
        struct imap_talk *t = imap_talk_begin(&start);
        imap_talk_send(t, "s SELECT INBOX\r\n");
        assert_string_equal(imap_talk_until(t, "completed.\r\n"), SELECTED);
        mem_store_spoil(start.store);
        imap_talk_send(t, rows[i].input);
        char *rest = imap_talk_end(t);
        assert_string_equal(rest, rows[i].want);
        free(rest);
        store_close(start.store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_state),      cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_limits),         cmocka_unit_test(test_list),
        cmocka_unit_test(test_mailboxes),      cmocka_unit_test(test_select),
        cmocka_unit_test(test_announce),       cmocka_unit_test(test_idle),
        cmocka_unit_test(test_silence),        cmocka_unit_test(test_esearch),
        cmocka_unit_test(test_qresync),        cmocka_unit_test(test_rev2),
        cmocka_unit_test(test_uidonly),        cmocka_unit_test(test_stale_store),
        cmocka_unit_test(test_unauthenticate), cmocka_unit_test(test_progress),
        cmocka_unit_test(test_acl_anyone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
