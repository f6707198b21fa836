/* Names of message files as Dovecot, Postfix, mutt and others write them. */
#include "fmt/keywords.h"
#include "fmt/maildir_name.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_parse(void **state)
{
    static const struct {
        const char *name, *base, *info;
        unsigned flags;
        uint32_t keywords;
        int64_t size, crlf_size; /* -1: not given */
    } rows[] = {
        {"1276528487.M364837P9451.kurkku,S=1355,W=1394:2,", "1276528487.M364837P9451.kurkku,S=1355,W=1394",
         ":2,", 0, 0, 1355, 1394},
        {"1.a.b:2,DFPRSTac", "1.a.b", ":2,DFPRSTac", MAILDIR_FLAGS, 5, -1, -1},
        {"1200000000.V801I2a3M12345.host", "1200000000.V801I2a3M12345.host", "", 0, 0, -1, -1},
        {"1.a,W=9,S=8", "1.a,W=9,S=8", "", 0, 0, 8, 9},
        {"1.a,S=8:2,S,X=z", "1.a,S=8", ":2,S,X=z", MAILDIR_SEEN, 0, 8, -1},
        {"1.a:1,S", "1.a", ":1,S", 0, 0, -1, -1},
        {"1.a:", "1.a", ":", 0, 0, -1, -1},
        {"1.a,S=x,W=-1", "1.a,S=x,W=-1", "", 0, 0, -1, -1},
        {"1.a,S=99999999999999999999", "1.a,S=99999999999999999999", "", 0, 0, -1, -1},
        {"S=5", "S=5", "", 0, 0, -1, -1},
        {"\xff\xfe", "\xff\xfe", "", 0, 0, -1, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct maildir_name m;
        assert_int_equal(maildir_name_parse(str_c(rows[i].name), &m), RC_OK);
        assert_true(str_eq(m.base, str_c(rows[i].base)));
        assert_true(str_eq(m.info, str_c(rows[i].info)));
        assert_int_equal(m.flags, rows[i].flags);
        assert_int_equal(m.keywords, rows[i].keywords);
        assert_int_equal(m.has_size ? (int64_t)m.size : -1, rows[i].size);
        assert_int_equal(m.has_crlf_size ? (int64_t)m.crlf_size : -1, rows[i].crlf_size);
    }
}

static void test_no_message(void **state)
{
    static const char *const bad[] = {"", ".", "..", ".hidden", ":2,S", "a/b", "a\nb", "a\x7f"};
    struct maildir_name m;
    char longname[300];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(maildir_name_parse(str_c(bad[i]), &m), RC_INVALID);
    memset(longname, 'x', sizeof longname);
    assert_int_equal(maildir_name_parse(str_mem(longname, 256), &m), RC_INVALID);
    assert_int_equal(maildir_name_parse(str_mem(longname, 255), &m), RC_OK);
}

static void test_info(void **state)
{
    static const struct {
        const char *old;
        unsigned flags;
        uint32_t keywords;
        const char *want;
    } rows[] = {
        {"", 0, 0, ":2,"},
        {"", MAILDIR_FLAGS, 1u << 25 | 1, ":2,DFPRSTaz"},
        {":2,S", MAILDIR_REPLIED, 0, ":2,R"},
        {":2,FSX", MAILDIR_SEEN, 2, ":2,SXb"}, /* letters of others are kept */
        {":2,S,S=5", MAILDIR_DRAFT, 0, ":2,D,S=5"},
        {":1,weird", MAILDIR_SEEN, 0, ":2,S"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = BUF_INIT(100);
        maildir_info_format(&b, str_c(rows[i].old), rows[i].flags, rows[i].keywords);
        assert_string_equal(buf_cstr(&b), rows[i].want);
        buf_deinit(&b);
    }
}

static void test_base(void **state)
{
    struct buf b = BUF_INIT(MAILDIR_NAME_MAX);
    (void)state;
    maildir_base_format(&b, &(struct maildir_unique){.now = 1700000000000042,
                                                     .id = 0xabc,
                                                     .number = 3,
                                                     .host = S("a/b:c.d"),
                                                     .size = 5,
                                                     .crlf_size = 7});
    assert_string_equal(buf_cstr(&b), "1700000000.M000042R0000000000000abcN3.a\\057b\\072c.d,S=5,W=7");
    buf_deinit(&b);
}

static void test_keywords(void **state)
{
    str names[MAILDIR_KEYWORDS];
    struct buf b = BUF_INIT(1000);
    (void)state;
    keywords_parse(S("0 $Forwarded\n2 NonJunk\nx y\n26 toomuch\n3 \n4 bad name\n25 last"), names);
    assert_true(str_eq(names[0], S("$Forwarded")));
    assert_int_equal(names[1].n, 0);
    assert_int_equal(names[3].n, 0);
    assert_int_equal(names[4].n, 0);
    assert_true(str_eq(names[25], S("last")));
    keywords_format(&b, names);
    assert_string_equal(buf_cstr(&b), "0 $Forwarded\n2 NonJunk\n25 last\n");
    buf_deinit(&b);
    assert_true(keyword_valid(S("$Label1")));
    assert_false(keyword_valid(S("\\Seen")) || keyword_valid(S("a]")) || keyword_valid(S("")) ||
                 keyword_valid(S("\xc3\xa9")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse), cmocka_unit_test(test_no_message), cmocka_unit_test(test_info),
        cmocka_unit_test(test_base),  cmocka_unit_test(test_keywords),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
