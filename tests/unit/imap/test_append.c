/* APPEND, MULTIAPPEND, CATENATE and REPLACE over a socketpair (RFC 9051 §6.3.12, RFC 3502, RFC 4469, RFC
 * 8508). */
#include "imap_rows.h"

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
        {"a APPEND Sent ~{2+}\r\nxx\r\nb APPEND Sent ~{2}\r\nxx\r\n",
         "a OK [APPENDUID 7 1] APPEND completed.\r\n+ OK\r\nb OK [APPENDUID 7 2] APPEND completed.\r\n"},
        {"a APPEND Sent (\\Bad) {2+}\r\nxx\r\nb NOOP\r\n",
         "a BAD Expected flags that can be set at byte 22.\r\nb OK NOOP completed.\r\n"},
        {"a APPEND Sent {2+}\r\nxx y\r\nb STATUS Sent (MESSAGES)\r\n",
         "a BAD Expected a literal at byte 2.\r\n* STATUS Sent (MESSAGES 0)\r\nb OK STATUS "
         "completed.\r\n"},
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
    got = imap_talk(&start, S("a APPEND Sent ~{3+}\r\nx\0x\r\nb NOOP\r\n")); /* RFC 3516 §4.3 */
    assert_string_equal(got, "a NO [UNKNOWN-CTE] A message with NUL bytes is not taken; encode it.\r\n"
                             "b OK NOOP completed.\r\n");
    free(got);
    store_close(start.store);
}

/* RFC 3502: all or none. */
static void test_append_several(void **state)
{
    static const struct row rows[] = {
        {"a APPEND Sent {2+}\r\nxx (\\Seen $y) {3+}\r\nyyy {1}\r\nz\r\nb STATUS Sent (MESSAGES UNSEEN "
         "SIZE)\r\n",
         "+ OK\r\na OK [APPENDUID 7 1:3] APPEND completed.\r\n* STATUS Sent (MESSAGES 3 UNSEEN 2 SIZE 6)\r\n"
         "b OK STATUS completed.\r\n"},
        {"a APPEND Sent {2+}\r\nxx {0+}\r\n\r\nb STATUS Sent (MESSAGES)\r\n",
         "a NO [CANNOT] A message cannot be empty.\r\n* STATUS Sent (MESSAGES 0)\r\nb OK STATUS "
         "completed.\r\n"},
        {"a APPEND Sent {2+}\r\nxx {101}\r\nb STATUS Sent (MESSAGES)\r\n",
         "a NO [TOOBIG] The message is larger than the limit of 100 bytes.\r\n* STATUS Sent (MESSAGES 0)\r\n"
         "b OK STATUS completed.\r\n"},
        {"a APPEND Sent {2+}\r\nxx (\\Bad) {4+}\r\nNOOP {2+}\r\nxx\r\nb STATUS Sent (MESSAGES)\r\n",
         "a BAD Expected flags that can be set at byte 9.\r\n* STATUS Sent (MESSAGES 0)\r\nb OK STATUS "
         "completed.\r\n"},
        {"a APPEND Sent {2+}\r\nxx {2+}\r\nx", ""},
        {"a APPEND Sent {1+}\r\n1 {1+}\r\n2 {1+}\r\n3 {1+}\r\n4 {1+}\r\n5 {1+}\r\n6 {1+}\r\n7 {1+}\r\n8 "
         "{1+}\r\n9\r\n"
         "b STATUS Sent (MESSAGES)\r\n", /* the store takes 8 */
         "a NO [LIMIT] Told to fail.\r\n* STATUS Sent (MESSAGES 0)\r\nb OK STATUS completed.\r\n"},
    };
    (void)state;
    CHECK(rows);
}

/* RFC 4469; the message with UID 1 is "Subject: one", an empty line, "body". */
static void test_catenate(void **state)
{
    static const struct row rows[] = {
        {"a APPEND Sent (\\Draft) CATENATE (TEXT {3+}\r\nX:  URL "
         "\"/INBOX;UIDVALIDITY=7/;UID=1/;SECTION=HEADER\" "
         "URL {25+}\r\n/INBOX/;UID=2/;PARTIAL=18 TEXT {0+}\r\n)\r\nb STATUS Sent (SIZE)\r\n",
         "a OK [APPENDUID 7 1] APPEND completed.\r\n* STATUS Sent (SIZE 23)\r\nb OK STATUS completed.\r\n"},
        {"a APPEND Sent CATENATE (URL /INBOX/;UID=1 TEXT {2+}\r\nxx) {3+}\r\nyyy\r\nb STATUS Sent (MESSAGES "
         "SIZE)\r\n",
         "a OK [APPENDUID 7 1:2] APPEND completed.\r\n* STATUS Sent (MESSAGES 2 SIZE 27)\r\nb OK STATUS "
         "completed.\r\n"},
        {"a APPEND Sent CATENATE (URL ;UID=1)\r\ns SELECT INBOX\r\nb APPEND Sent CATENATE (URL ;UID=1)\r\n",
         "a NO [BADURL ;UID=1] There is no such message or part of one.\r\n" SELECTED
         "b OK [APPENDUID 7 1] APPEND completed.\r\n"},
        {"a APPEND Sent CATENATE (TEXT {2+}\r\nxx URL \"/none/;UID=1\" TEXT {10+}\r\nb LOGOUT\r\n)\r\nb "
         "NOOP\r\n",
         "a NO [BADURL /none/;UID=1] There is no such message or part of one.\r\nb OK NOOP completed.\r\n"},
        {"a APPEND Sent CATENATE (URL /INBOX/;UID=3)\r\nb APPEND Sent CATENATE (URL "
         "/INBOX/;UID=1/;SECTION=2)\r\n"
         "c APPEND Sent CATENATE (URL /INBOX;UIDVALIDITY=8/;UID=1)\r\n"
         "d APPEND Sent CATENATE (URL \"imap://other.example/INBOX/;UID=1\")\r\n"
         "e APPEND Sent CATENATE (URL {5+}\r\na]\r\nb)\r\n",
         "a NO [BADURL /INBOX/;UID=3] There is no such message or part of one.\r\n"
         "b NO [BADURL /INBOX/;UID=1/;SECTION=2] There is no such message or part of one.\r\n"
         "c NO [BADURL /INBOX;UIDVALIDITY=8/;UID=1] There is no such message or part of one.\r\n"
         "d NO [BADURL imap://other.example/INBOX/;UID=1] There is no such message or part of one.\r\n"
         "e NO [BADURL a%5D%0D%0Ab] There is no such message or part of one.\r\n"},
        {"a APPEND Sent CATENATE ()\r\nb APPEND Sent CATENATE (FILE x)\r\nc APPEND Sent CATENATE (TEXT x)\r\n"
         "d APPEND Sent CATENATE (URL /INBOX/;UID=1/;PARTIAL=22)\r\n",
         "a BAD Expected TEXT or URL at byte 25.\r\nb BAD Expected TEXT or URL at byte 25.\r\n"
         "c BAD Expected a literal at byte 30.\r\nd NO [CANNOT] A message cannot be empty.\r\n"},
        {"a APPEND Sent CATENATE (TEXT {60+}\r\n012345678901234567890123456789012345678901234567890123456789 "
         "TEXT "
         "{41}\r\nb NOOP\r\n",
         "a NO [TOOBIG] The message is larger than the limit of 100 bytes.\r\nb OK NOOP completed.\r\n"},
        {"a APPEND Sent CATENATE (URL {70000}\r\nb NOOP\r\n",
         "a NO [LIMIT] The literal is too large.\r\nb OK NOOP completed.\r\n"},
        {"a APPEND Sent CATENATE (TEXT {1+}\r\nx URL {70000}\r\nb NOOP\r\n",
         "a NO [LIMIT] The URL is too long.\r\nb OK NOOP completed.\r\n"},
    };
    (void)state;
    CHECK(rows);
}

/* RFC 8508 */
static void test_replace(void **state)
{
    static const struct row rows[] = {
        {"s SELECT INBOX\r\na REPLACE 2 INBOX (\\Draft) {5}\r\nhello\r\nb UID REPLACE 1 Sent {2+}\r\nxx\r\n"
         "c UID SEARCH ALL\r\n",
         SELECTED
         "+ OK\r\n* OK [APPENDUID 7 5] The replacement is there.\r\n* 2 EXPUNGE\r\n* 3 EXISTS\r\n* 0 "
         "RECENT\r\n"
         "a OK REPLACE completed.\r\n* OK [APPENDUID 7 1] The replacement is there.\r\n* 1 EXPUNGE\r\n"
         "b OK UID REPLACE completed.\r\n* SEARCH 4 5\r\nc OK UID SEARCH completed.\r\n"},
        {"s SELECT INBOX\r\na REPLACE 9 INBOX {2+}\r\nxx\r\nb UID REPLACE 3 INBOX {2+}\r\nxx\r\nc REPLACE "
         "1:2 INBOX "
         "{2+}\r\nxx\r\nd REPLACE 1 none {2}\r\ne REPLACE 1 INBOX {1+}\r\nx {1+}\r\ny\r\nf REPLACE 1 INBOX "
         "x\r\n",
         SELECTED
         "a BAD Expected a set of messages that are there at byte 11.\r\n"
         "b NO [NONEXISTENT] There is no message with that UID.\r\n"
         "c BAD Expected the number of one message at byte 14.\r\nd NO [TRYCREATE] There is no such "
         "mailbox.\r\n"
         "e BAD Expected the end of the command at byte 1.\r\nf BAD Expected a literal at byte 19.\r\n"},
        {"a REPLACE 1 INBOX {2+}\r\nxx\r\nb NOOP\r\n",
         "a BAD Select a mailbox first.\r\nb OK NOOP completed.\r\n"},
        {"s SELECT INBOX\r\na UID REPLACE 4 INBOX CATENATE (TEXT {3+}\r\nX:  URL /INBOX/;UID=4)\r\n", SELECTED
         "* OK [APPENDUID 7 5] The replacement is there.\r\n* 3 EXPUNGE\r\n* 3 EXISTS\r\n* 0 RECENT\r\n"
         "a OK UID REPLACE completed.\r\n"},
    };
    (void)state;
    CHECK(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_append), cmocka_unit_test(test_append_several),
                                       cmocka_unit_test(test_catenate), cmocka_unit_test(test_replace)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
