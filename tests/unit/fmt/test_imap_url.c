/* URLs of messages: RFC 5092 §5, §7 and the examples of RFC 4469. */
#include "fmt/imap_url.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_urls(void **state)
{
    static const struct {
        const char *text;
        bool absolute;
        const char *mailbox;
        uint32_t uidvalidity, uid;
        size_t n_path;
        enum fetch_part part;
        bool partial;
        uint64_t offset, length;
    } rows[] = {
        {"/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER", true, "Drafts", 385759045, 20, 0,
         FETCH_PART_HEADER, false, 0, 0},
        {"/Drafts;UIDVALIDITY=385759045/;UID=20/;Section=2.MIME", true, "Drafts", 385759045, 20, 1,
         FETCH_PART_MIME, false, 0, 0},
        {"/Drafts/;UID=3002", true, "Drafts", 0, 3002, 0, FETCH_PART_ALL, false, 0, 0},
        {";uid=1", false, "", 0, 1, 0, FETCH_PART_ALL, false, 0, 0},
        {"a/b;uidvalidity=1/;uid=4294967295/;section=1.2.3/;partial=7", false, "a/b", 1, UINT32_MAX, 3,
         FETCH_PART_ALL, true, 7, UINT64_MAX},
        {"/%C3%A9%3B%2f%25/;UID=9/;PARTIAL=0.1024", true, "\xc3\xa9;/%", 0, 9, 0, FETCH_PART_ALL, true, 0,
         1024},
        {"/x/;UID=9/;SECTION=HEADER.FIELDS%20(To%20Date)", true, "x", 0, 9, 0, FETCH_PART_FIELDS, false, 0,
         0},
        {"/a:b@c&d=e/;UID=9", true, "a:b@c&d=e", 0, 9, 0, FETCH_PART_ALL, false, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        struct imap_url url;
        if (imap_url_parse(str_c(rows[i].text), a, &url) != RC_OK)
            fail_msg("%s", rows[i].text);
        assert_int_equal(url.absolute, rows[i].absolute);
        assert_true(str_eq(url.mailbox, str_c(rows[i].mailbox)));
        assert_int_equal(url.uidvalidity, rows[i].uidvalidity);
        assert_int_equal(url.uid, rows[i].uid);
        assert_int_equal(url.section.n_path, rows[i].n_path);
        assert_int_equal(url.section.part, rows[i].part);
        assert_int_equal(url.section.partial, rows[i].partial);
        assert_true(url.section.offset == rows[i].offset && url.section.length == rows[i].length);
    }
}

static void test_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "/",
        "/INBOX",
        "/INBOX/",
        "/INBOX;UID=1",
        "/INBOX/;UID=0",
        "/INBOX/;UID=",
        "/INBOX/;UID=4294967296",
        "/INBOX/;UID=1:2",
        "/INBOX/;UID=1/",
        "/;UID=1",
        "//host/INBOX/;UID=1",
        "imap://user@host/INBOX/;UID=1",
        "imap:INBOX/;UID=1",
        "/INBOX;UIDVALIDITY=0/;UID=1",
        "/INBOX;UIDVALIDITY=7;UID=1",
        "/INBOX/;UID=1/;SECTION=",
        "/INBOX/;UID=1/;SECTION=0",
        "/INBOX/;UID=1/;SECTION=FOO",
        "/INBOX/;UID=1/;SECTION=MIME",
        "/INBOX/;UID=1/;SECTION=1;PARTIAL=1",
        "/INBOX/;UID=1/;PARTIAL=",
        "/INBOX/;UID=1/;PARTIAL=1.0",
        "/INBOX/;UID=1/;PARTIAL=1.2.3",
        "/INBOX/;UID=1/;PARTIAL=1/;SECTION=1",
        "/INBOX/;UID=1;URLAUTH=anonymous",
        "/INBOX/;UID=1;EXPIRE=2026-01-01T00:00:00Z;URLAUTH=anonymous:internal:00",
        "/INBOX?SUBJECT%20x",
        "/IN BOX/;UID=1",
        "/INBOX%/;UID=1",
        "/INBOX%0/;UID=1",
        "/INBOX%00/;UID=1",
        "/INBOX%0A/;UID=1",
        "/INBOX%ff/;UID=1",
        "/INBOX\xc3\xa9/;UID=1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        struct imap_url url;
        if (imap_url_parse(str_c(rows[i]), a, &url) != RC_INVALID)
            fail_msg("%s", rows[i]);
    }
    static char big[IMAP_URL_MAX + 2];
    memset(big, 'x', sizeof big - 1);
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    struct imap_url url;
    assert_int_equal(imap_url_parse(str_c(big), a, &url), RC_LIMIT);
}

/* RFC 4469 §5: url-resp-text */
static void test_put(void **state)
{
    struct buf b = BUF_INIT(100);
    (void)state;
    imap_url_put(&b, S("/a;UID=1%20\r\n]\\\"\xc3\xa9 z"));
    assert_string_equal(buf_cstr(&b), "/a;UID=1%20%0D%0A%5D%5C%22%C3%A9%20z");
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_urls), cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_put)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
