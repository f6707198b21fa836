/* base/utf8: RFC 3629 §7 examples, its forbidden forms, every code point, and replacement. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void rfc3629_examples(void **state)
{
    static const struct {
        const char *in;
        uint32_t cp[8];
    } rows[] = {
        {"\x41\xE2\x89\xA2\xCE\x91\x2E", {0x41, 0x2262, 0x391, 0x2e}},
        {"\xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4", {0xd55c, 0xad6d, 0xc5b4}},
        {"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", {0x65e5, 0x672c, 0x8a9e}},
        {"\xEF\xBB\xBF\xF0\xA3\x8E\xB4", {0xfeff, 0x233b4}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str s = str_c(rows[i].in);
        assert_true(utf8_valid(s));
        for (size_t j = 0; s.n; j++) {
            uint32_t cp = 0;
            size_t n = utf8_decode(s, &cp);
            assert_true(n > 0);
            assert_int_equal(cp, rows[i].cp[j]);
            s = str_from(s, n);
        }
    }
}

static void every_code_point(void **state)
{
    for (uint32_t cp = 0; cp <= 0x110000; cp++) {
        bool legal = cp <= 0x10ffff && !(cp >= 0xd800 && cp <= 0xdfff);
        struct buf b = BUF_INIT(4);
        uint32_t back = 0;
        utf8_put(&b, cp);
        assert_int_equal(utf8_decode(buf_str(&b), &back), b.n);
        assert_int_equal(back, legal ? cp : 0xfffd);
        for (size_t cut = 0; cut < b.n; cut++) /* cut short is malformed */
            assert_int_equal(utf8_decode(str_mem(b.p, cut), &back), 0);
        buf_deinit(&b);
    }
}

static const struct {
    const char *in, *clean;
} malformed[] = {
    {"\xC0\x80", "??"},           /* overlong NUL */
    {"\xC1\xBF", "??"},           /* overlong DEL */
    {"\xE0\x9F\xBF", "???"},      /* overlong U+07FF */
    {"\xF0\x8F\xBF\xBF", "????"}, /* overlong U+FFFF */
    {"\xED\xA0\x80", "???"},      /* surrogates */
    {"\xED\xBF\xBF", "???"},
    {"\xF4\x90\x80\x80", "????"}, /* U+110000 */
    {"\xF5\x80\x80\x80", "????"},
    {"\xF8\x88\x80\x80\x80", "?????"},
    {"\xFE", "?"},
    {"\xFF", "?"},
    {"\x80", "?"}, /* a tail alone */
    {"a\xC3", "a?"},
    {"a\xC3z", "a?z"},
    {"\xE2\x82", "??"},
    {"12345678\xFF"
     "12345678",
     "12345678?12345678"},
    {"1234567\xFF", "1234567?"},
};

static void malformed_forms(void **state)
{
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        struct buf b = BUF_INIT(100), wanted = BUF_INIT(100);
        assert_false(utf8_valid(str_c(malformed[i].in)));
        assert_false(utf8_is_ascii(str_c(malformed[i].in)));
        for (const char *c = malformed[i].clean; *c; c++)
            buf_puts(&wanted, *c == '?' ? S("\xEF\xBF\xBD") : str_mem(c, 1));
        utf8_put_clean(&b, str_c(malformed[i].in));
        assert_string_equal(buf_cstr(&b), buf_cstr(&wanted));
        buf_deinit(&b);
        buf_deinit(&wanted);
    }
}

/* One bad byte at every offset of every length: the word-wise part must miss none. */
static void bad_byte_at_every_offset(void **state)
{
    char text[40];
    for (size_t n = 0; n <= sizeof text; n++) {
        memset(text, 'a', sizeof text);
        assert_true(utf8_is_ascii(str_mem(text, n)) && utf8_valid(str_mem(text, n)));
        for (size_t i = 0; i < n; i++) {
            text[i] = '\xff';
            assert_false(utf8_is_ascii(str_mem(text, n)));
            assert_false(utf8_valid(str_mem(text, n)));
            text[i] = 'a';
        }
    }
    assert_true(utf8_valid(STR_NONE) && utf8_is_ascii(STR_NONE));
}

static void well_formed_is_copied(void **state)
{
    str s = S("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x93\xAC plain ascii text");
    struct buf b = BUF_INIT(100);
    assert_true(utf8_valid(s));
    assert_false(utf8_is_ascii(s));
    utf8_put_clean(&b, s);
    assert_true(str_eq(buf_str(&b), s));
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc3629_examples),      cmocka_unit_test(every_code_point),
        cmocka_unit_test(malformed_forms),       cmocka_unit_test(bad_byte_at_every_offset),
        cmocka_unit_test(well_formed_is_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
