/* bodytext and casefold: what searches see of a message. */
#include "base/utf8.h"
#include "fmt/bodytext.h"
#include "fmt/casefold.h"
#include "fmt/unicode.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct collected {
    struct buf text;
    size_t stop_after; /* chunks */
};

static bool collect(void *arg, const struct mime_part *part, str utf8, bool first)
{
    struct collected *c = arg;
    assert_non_null(part);
    assert_true(utf8.n > 0 && utf8_valid(utf8));
    if (first && c->text.n)
        buf_putc(&c->text, '|');
    buf_puts(&c->text, utf8);
    return --c->stop_after > 0;
}

static void expect_text(const char *raw, enum bodytext_what what, const char *want)
{
    struct arena *a = arena_new(1 << 20);
    struct collected c = {BUF_INIT(1 << 20), 1000};
    struct mime_part *root;
    assert_int_equal(mime_parse(str_c(raw), a, NULL, &root), RC_OK);
    assert_true(bodytext_each(str_c(raw), root, what, collect, &c));
    assert_string_equal(buf_cstr(&c.text), want);
    buf_deinit(&c.text);
    arena_free(a);
}

static const char message[] =
    "Subject: =?iso-8859-1?q?caf=E9?=\nContent-Type: multipart/mixed; boundary=b\n\npreamble\n"
    "--b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: "
    "quoted-printable\n\nna=EFve\n"
    "--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAAA\n"
    "--b\nContent-Type: message/rfc822\n\nSubject: inner\nContent-Transfer-Encoding: base64\n\nw6k=\n"
    "--b--\n";

static void test_each(void **state)
{
    expect_text("A: b\n\nplain\n", BODYTEXT_BODIES, "plain\n");
    expect_text("A: b\n\n", BODYTEXT_BODIES, "");
    expect_text(message, BODYTEXT_BODIES, "na\xc3\xafve|\xc3\xa9");
    expect_text(message, BODYTEXT_ALL,
                "Subject: caf\xc3\xa9|Content-Type: multipart/mixed; boundary=b|"
                "Content-Type: text/plain; charset=iso-8859-1|Content-Transfer-Encoding: "
                "quoted-printable|na\xc3\xafve|"
                "Content-Type: image/png|Content-Transfer-Encoding: base64|"
                "Content-Type: message/rfc822|Subject: inner|Content-Transfer-Encoding: base64|\xc3\xa9");
}

/* A body of many slices whose characters and escapes lie across their borders. */
static void test_slices(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct buf raw = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);
    struct collected c = {BUF_INIT(1 << 20), 1000};
    struct mime_part *root;
    buf_puts(&raw,
             S("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"));
    for (int i = 0; i < 10000; i++) {
        buf_puts(&raw, i % 9 ? S("=E2=82=AC") : S("x=\n"));
        buf_puts(&want, i % 9 ? S("\xe2\x82\xac") : S("x"));
    }
    assert_int_equal(mime_parse(buf_str(&raw), a, NULL, &root), RC_OK);
    assert_true(bodytext_each(buf_str(&raw), root, BODYTEXT_BODIES, collect, &c));
    assert_true(str_eq(buf_str(&c.text), buf_str(&want)));
    buf_reset(&c.text);
    c.stop_after = 2;
    assert_false(bodytext_each(buf_str(&raw), root, BODYTEXT_BODIES, collect, &c));
    assert_true(c.text.n < want.n / 2);
    buf_deinit(&raw);
    buf_deinit(&want);
    buf_deinit(&c.text);
    arena_free(a);
}

static void test_casefold(void **state)
{
    static const struct {
        const char *a, *b;
    } same[] = {
        {"", ""},
        {"Hello World", "hELLO wORLD"},
        {"\xc3\x89t\xc3\xa9", "e\xcc\x81TE\xcc\x81"}, /* Été, precomposed and not */
        {"Stra\xc3\x9f"
         "e",
         "STRASSE"}, /* ß */
        {"\xce\xa3\xce\xaf\xcf\x83\xcf\x85\xcf\x86\xce\xbf\xcf\x82",
         "\xcf\x83\xce\x8a\xce\xa3\xce\xa5\xce\xa6\xce\x9f\xce\xa3"}, /* Σίσυφος */
        {"\xd0\x9f\xd1\x80\xd0\xb8", "\xd0\xbf\xd0\xa0\xd0\x98"},     /* При */
        {"\xef\xac\x81n", "FIN"},                                     /* the fi ligature */
        {"a\xff"
         "B",
         "A\xef\xbf\xbd"
         "b"},
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct buf a = BUF_INIT(1000), b = BUF_INIT(1000);
        casefold_put(&a, str_c(same[i].a));
        casefold_put(&b, str_c(same[i].b));
        assert_string_equal(buf_cstr(&a), buf_cstr(&b));
        assert_true(utf8_valid(buf_str(&a)));
        buf_deinit(&a);
        buf_deinit(&b);
    }
    struct buf b = BUF_INIT(1000);
    casefold_put(&b, S("caf\xc3\xa9 \xc3\xa0"));
    assert_string_equal(buf_cstr(&b), "cafe\xcc\x81 a\xcc\x80");
    buf_deinit(&b);
}

static void test_casefold_lengths(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n++) {
        AUTO(buf_deinit) struct buf in = BUF_INIT(300), out = BUF_INIT(300), want = BUF_INIT(300);
        for (size_t i = 0; i < n; i++) {
            buf_putc(&in, (char)(i % 127 + 1));
            buf_putc(&want, ascii_lower((char)(i % 127 + 1)));
        }
        casefold_put(&out, buf_str(&in));
        assert_true(str_eq(buf_str(&out), buf_str(&want)));
    }
}

/* What the table says of a character, alone and beside others, is what the library says, which is asked when
 * a character stands beside that is not in the table. */
static void test_table_of_foldings(void **state)
{
    static const uint32_t beside[] = {0xe9, 0x301, 0x3a9, 0x327, 0x2026, 0x1e9};
    const str outside = S("\xe6\x97\xa5"); /* folds to itself, and nothing moves across it */
    (void)state;
    unicode_preload();
    for (uint32_t cp = 0x80; cp < 0x2100; cp = cp == 0x7ff ? 0x2000 : cp + 1) {
        for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
            AUTO(buf_deinit) struct buf in = BUF_INIT(100), table = BUF_INIT(100), library = BUF_INIT(100);
            utf8_put(&in, cp);
            utf8_put(&in, beside[i]);
            assert_int_equal(unicode_searchfold(buf_str(&in), &table), RC_OK);
            buf_puts(&in, outside);
            assert_int_equal(unicode_searchfold(buf_str(&in), &library), RC_OK);
            buf_puts(&table, outside);
            assert_true(str_eq(buf_str(&table), buf_str(&library)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_casefold),
        cmocka_unit_test(test_casefold_lengths),
        cmocka_unit_test(test_table_of_foldings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
