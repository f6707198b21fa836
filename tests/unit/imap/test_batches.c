/* UIDBATCHES over a mailbox of some size (RFC 10022 §3.1). */
#include "store_talk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void append_many(struct store_talk *t, int n)
{
    struct buf command = BUF_INIT(1 << 20);
    buf_puts(&command, S("APPEND INBOX"));
    for (int i = 0; i < n; i++)
        buf_puts(&command, S(" {3+}\r\nx\r\n"));
    assert_non_null(strstr(store_talk_say(t, buf_cstr(&command)), "OK [APPENDUID"));
    buf_deinit(&command);
}

static void test_batches(void **state)
{
    char *root = store_folder_new();
    struct store_talk t;
    (void)state;
    store_talk_begin(&t, root);
    store_talk_expect(&t, "UIDBATCHES 500", "BAD");
    store_talk_say(&t, "SELECT INBOX");
    assert_string_equal(store_talk_say(&t, "UIDBATCHES 500"), "* UIDBATCHES (TAG \"t3\")\r\nOK");
    append_many(&t, 1000);
    append_many(&t, 202);
    store_talk_say(&t, "UID STORE 1:100,700:800 +FLAGS.SILENT (\\Deleted)");
    store_talk_say(&t, "EXPUNGE"); /* 101:699,801:1202 are left, 1001 of them */
    assert_string_equal(store_talk_say(&t, "UIDBATCHES 500"),
                        "* UIDBATCHES (TAG \"t8\") 1202:602,601:102,101:1\r\nOK");
    assert_string_equal(store_talk_say(&t, "UIDBATCHES 500 2:2"), "* UIDBATCHES (TAG \"t9\") 601:102\r\nOK");
    assert_string_equal(store_talk_say(&t, "UIDBATCHES 1001"), "* UIDBATCHES (TAG \"t10\") 1202:1\r\nOK");
    assert_string_equal(store_talk_say(&t, "UIDBATCHES 600 9:2"), "* UIDBATCHES (TAG \"t11\") 501:1\r\nOK");
    assert_string_equal(store_talk_say(&t, "UIDBATCHES 4294967295 2:4294967295"),
                        "* UIDBATCHES (TAG \"t12\")\r\nOK");
    store_talk_expect(&t, "UIDBATCHES 499", "NO [TOOFEW]");
    static const char *const bad[] = {"UIDBATCHES",           "UIDBATCHES 0",         "UIDBATCHES x",
                                      "UIDBATCHES 500 1",     "UIDBATCHES 500 0:1",   "UIDBATCHES 500 1:*",
                                      "UIDBATCHES 500 1:2 3", "UIDBATCHES 4294967296"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        store_talk_expect(&t, bad[i], "BAD");
    store_talk_end(&t);
    store_folder_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_batches)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
