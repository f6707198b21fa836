/* rfc2047, charset and transfer: the RFCs' examples, split at every offset, and what must never fail. */
#include "base/utf8.h"
#include "fmt/charset.h"
#include "fmt/rfc2047.h"
#include "fmt/transfer.h"

#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_words(void **state)
{
    static const struct {
        const char *in, *want;
    } rows[] = {
        /* RFC 2047 §8 */
        {"(=?ISO-8859-1?Q?a?=)", "(a)"},
        {"(=?ISO-8859-1?Q?a?= b)", "(a b)"},
        {"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"},
        {"(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"},
        {"(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)", "(ab)"},
        {"(=?ISO-8859-1?Q?a_b?=)", "(a b)"},
        {"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"},
        {"=?ISO-8859-1?Q?Andr=E9?= Pirard", "Andr\xc3\xa9 Pirard"},
        {"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\n "
         "=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
         "If you can read this you understand the example."},
        {"=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore"}, /* RFC 2231 §5 */
        {"=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=", "\xc3\xa9"},
        {"=?utf-8?b?w4Q=?= =?utf-8?q?x?=", "\xc3\x84x"},
        {"=?utf-8?b?4oI?= =?UTF-8?b?rA==?=", "\xe2\x82\xac"},
        {"=?iso-2022-jp?b?GyRCRnxLXDhsGyhC?=", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
        {"=?x-unknown?q?caf=E9?=", "caf\xef\xbf\xbd"},
        {"plain caf\xc3\xa9", "plain caf\xc3\xa9"},
        {"bad \xff", "bad \xef\xbf\xbd"},
        {"=?utf-8?q?a b?=", "=?utf-8?q?a b?="},
        {"=?utf-8?x?a?=", "=?utf-8?x?a?="},
        {"=??q?a?=", "=??q?a?="},
        {"=?utf-8?q?a", "=?utf-8?q?a"},
        {"a\r\n b", "a b"},
        {"=?utf-8?q?=zz=4?=", "=zz=4"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf b = BUF_INIT(1000);
        rfc2047_decode(&b, str_c(rows[i].in));
        assert_string_equal(buf_cstr(&b), rows[i].want);
        buf_deinit(&b);
    }
}

static void test_transfer(void **state)
{
    static const struct {
        enum transfer_encoding encoding;
        const char *in, *want;
    } rows[] = {
        /* RFC 2045 §6.7 */
        {TRANSFER_QP, "Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.",
         "Now's the time for all folk to come to the aid of their country."},
        {TRANSFER_QP, "a=3D=0c=E9", "a=\x0c\xe9"},
        {TRANSFER_QP, "end \t \r\nend \nx", "end\r\nend\nx"},
        {TRANSFER_QP, "soft= \t\r\nbreak=\njoin", "softbreakjoin"},
        {TRANSFER_QP, "=zz = x =4x =", "=zz = x =4x "},
        {TRANSFER_QP, "==41=\r=42", "=A=\rB"},
        {TRANSFER_QP, "a\rb \rc ", "a\rb \rc "},
        {TRANSFER_BASE64, "Zm9vYmFy", "foobar"}, /* RFC 4648 §10 */
        {TRANSFER_BASE64, "Zm9v\r\nYg==\r\n", "foob"},
        {TRANSFER_BASE64, "Zm9vYg==Zm9vYmE=", "foobfooba"},
        {TRANSFER_BASE64, "Z!m-9 v", "foo"},
        {TRANSFER_BASE64, "Zm9vY", "foo"},
        {TRANSFER_IDENTITY, "=41 Zm9v ", "=41 Zm9v "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        str in = str_c(rows[i].in);
        for (size_t split = 0; split <= in.n; split++) {
            struct buf b = BUF_INIT(1000);
            struct transfer_decoder d;
            transfer_init(&d, rows[i].encoding);
            transfer_feed(&d, &b, str_sub(in, 0, split));
            transfer_feed(&d, &b, str_from(in, split));
            transfer_finish(&d, &b);
            assert_string_equal(buf_cstr(&b), rows[i].want);
            buf_deinit(&b);
        }
    }
    assert_int_equal(transfer_encoding_find(S(" Quoted-Printable")), TRANSFER_QP);
    assert_int_equal(transfer_encoding_find(S("BASE64")), TRANSFER_BASE64);
    assert_int_equal(transfer_encoding_find(S("x-unknown")), TRANSFER_IDENTITY);
}

/* White space in any number gives the same in one piece as byte by byte, at the end of a line and elsewhere.
 */
static void test_long_white_space(void **state)
{
    static const char *const behind[] = {"\nx", "\r\nx", "x", "=41", "=\nx", ""};
    (void)state;
    for (size_t n = 0; n < 450; n++) {
        AUTO(buf_deinit) struct buf in = BUF_INIT(1000), once = BUF_INIT(1000), bytes = BUF_INIT(1000);
        struct transfer_decoder d;
        buf_puts(&in, S("x"));
        for (size_t i = 0; i < n; i++)
            buf_putc(&in, i % 7 ? ' ' : '\t');
        buf_puts(&in, str_c(behind[n % (sizeof behind / sizeof *behind)]));
        transfer_init(&d, TRANSFER_QP);
        transfer_feed(&d, &once, buf_str(&in));
        transfer_finish(&d, &once);
        for (size_t i = 0; i < in.n; i++)
            transfer_feed(&d, &bytes, str_sub(buf_str(&in), i, 1));
        transfer_finish(&d, &bytes);
        assert_true(str_eq(buf_str(&once), buf_str(&bytes)));
    }
}

static void test_charsets(void **state)
{
    static const struct {
        const char *charset;
        str in;
        const char *want;
    } rows[] = {
        {"iso-8859-1", {"\xe9", 1}, "\xc3\xa9"},
        {"Windows-1252", {"\x80", 1}, "\xe2\x82\xac"},
        {" KOI8-R ", {"\xf0\xd2\xc9", 3}, "\xd0\x9f\xd1\x80\xd0\xb8"},
        {"gb2312", {"\xd6\xd0", 2}, "\xe4\xb8\xad"},
        {"Shift_JIS", {"\x93\xfa", 2}, "\xe6\x97\xa5"},
        {"utf-16be", {"\0A\xd8\x3d\xde\x00", 6}, "A\xf0\x9f\x98\x80"},
        {"utf-8", {"\xf0\x9f\x98\x80\xc3", 5}, "\xf0\x9f\x98\x80\xef\xbf\xbd"},
        {"us-ascii", {"caf\xc3\xa9", 5}, "caf\xc3\xa9"},
        {"nonsense", {"\xe9t\xe9", 3}, "\xef\xbf\xbdt\xef\xbf\xbd"},
        {"iso-2022-kr", {"abc", 3}, "abc"},
        {"euc-kr", {"\xb0", 1}, "\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t split = 0; split <= rows[i].in.n; split++) {
            struct buf b = BUF_INIT(1000);
            struct charset_decoder d;
            charset_init(&d, str_c(rows[i].charset));
            charset_feed(&d, &b, str_sub(rows[i].in, 0, split));
            charset_feed(&d, &b, str_from(rows[i].in, split));
            charset_finish(&d, &b);
            charset_deinit(&d);
            assert_string_equal(buf_cstr(&b), rows[i].want);
            buf_deinit(&b);
        }
    }
}

/* The allow-list names converters that exist; a descriptor number as a charset or a path never reaches iconv.
 */
static void test_allow_list(void **state)
{
    assert_int_equal(charset_preload(), charset_count());
    assert_int_equal(charset_preload(), charset_count());
    assert_true(charset_is_known(S("windows-1251")) && charset_is_known(S("SJIS")));
    assert_false(charset_is_known(S("utf-8")) || charset_is_known(S("")) || charset_is_known(S("windows-")));
    assert_false(charset_is_known(S("iso-8859-1//TRANSLIT")) || charset_is_known(S("../../x")));
}

/* The tables that charset_preload makes say what iconv says, of each byte and where it says nothing. */
static void test_eight_bit(void **state)
{
    static const char *const names[] = {
        "ISO-8859-1",  "ISO-8859-2",  "ISO-8859-3",  "ISO-8859-4",  "ISO-8859-5",  "ISO-8859-6",
        "ISO-8859-7",  "ISO-8859-8",  "ISO-8859-9",  "ISO-8859-10", "ISO-8859-11", "ISO-8859-13",
        "ISO-8859-14", "ISO-8859-15", "ISO-8859-16", "CP1250",      "CP1251",      "CP1252",
        "CP1253",      "CP1254",      "CP1256",      "CP1257",      "CP437",       "CP850",
        "CP852",       "CP866",       "CP874",       "KOI8-R",      "KOI8-U",      "MACINTOSH",
    };
    (void)charset_preload();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        iconv_t cd = iconv_open("UTF-8", names[i]);
        assert_true(cd != (iconv_t)-1);
        for (int byte = 0; byte < 256; byte++) {
            char in = (char)byte, want[8] = "\xef\xbf\xbd", *from = &in, *to = want;
            size_t left = 1, room = sizeof want;
            AUTO(buf_deinit) struct buf got = BUF_INIT(8);
            charset_to_utf8(&got, str_c(names[i]), str_mem(&in, 1));
            bool known = iconv(cd, &from, &left, &to, &room) != (size_t)-1;
            assert_true(str_eq(buf_str(&got), str_mem(want, known ? sizeof want - room : 3)));
        }
        iconv_close(cd);
    }
}

/* What charset_preload is for: a root without any file. */
static void test_preload_for_chroot(void **state)
{
    char root[] = "/tmp/malle-charset-XXXXXX";
    int status;
    if (geteuid() != 0)
        skip();
    assert_non_null(mkdtemp(root));
    pid_t pid = fork();
    if (pid == 0) {
        struct buf b = BUF_INIT(100);
        (void)charset_preload();
        if (chroot(root) != 0 || chdir("/") != 0)
            _exit(2);
        charset_to_utf8(&b, S("koi8-r"), S("\xf0"));
        charset_to_utf8(&b, S("iso-2022-jp"), S("\x1b$BF|\x1b(B"));
        _exit(str_eq(buf_str(&b), S("\xd0\x9f\xe6\x97\xa5")) ? 0 : 1);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    (void)rmdir(root);
    assert_int_equal(status, 0);
}

/* RFC 2047 §2, §5: 75 bytes a word, and no character in two. */
static void test_encode(void **state)
{
    AUTO(buf_deinit) struct buf words = BUF_INIT(1000), text = BUF_INIT(1000), back = BUF_INIT(1000);
    (void)state;
    rfc2047_encode(&words, S(""));
    assert_int_equal(words.n, 0);
    rfc2047_encode(&words, S("\xc3\xa9"));
    assert_string_equal(buf_cstr(&words), "=?utf-8?b?w6k=?=");
    buf_reset(&words);
    for (int i = 0; i < 50; i++)
        buf_puts(&text, S("a\xf0\x9f\x90\x8e"));
    rfc2047_encode(&words, buf_str(&text));
    for (str rest = buf_str(&words), line; (line = str_trim(str_take(&rest, '\n'))).n;) {
        AUTO(buf_deinit) struct buf alone = BUF_INIT(100);
        assert_in_range(line.n, 1, 75);
        rfc2047_decode(&alone, line);
        assert_true(str_find(buf_str(&alone), S("\xef\xbf\xbd")) < 0);
    }
    rfc2047_decode(&back, buf_str(&words));
    assert_string_equal(buf_cstr(&back), buf_cstr(&text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_transfer),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_charsets),
        cmocka_unit_test(test_preload_for_chroot),
        cmocka_unit_test(test_allow_list),
        cmocka_unit_test(test_long_white_space),
        cmocka_unit_test(test_eight_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
