/* foldtext and textsig: windows of folded text, and that a signature never denies what is in it. */
#include "fmt/casefold.h"
#include "fmt/textsig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char message[] = "Subject: =?utf-8?Q?=C3=89l=C3=A8phant?= Rose\n"
                              "Content-Type: multipart/mixed; boundary=b\n\n"
                              "--b\nContent-Type: text/plain; charset=utf-8\n"
                              "Content-Transfer-Encoding: base64\n\n"
                              "U3RyYcOfZSBpbiBIb3ltYWx0\n" /* Straße in Hoymalt */
                              "--b\nContent-Type: text/html; charset=iso-8859-1\n"
                              "Content-Transfer-Encoding: quoted-printable\n\n"
                              "<b>caf=E9</b> so=\nft\n"
                              "--b\nContent-Type: application/octet-stream\n\nbinary needle\n--b--\n";

struct walk {
    size_t keep;
    struct buf all; /* the windows without what they repeat, "|" between texts */
    size_t last;    /* size of the window before */
};

static bool add(void *arg, str window)
{
    struct walk *w = arg;
    size_t repeated = w->last < w->keep ? w->last : w->keep;
    bool goes_on = repeated && window.n >= repeated && w->all.n >= repeated &&
                   memcmp(window.p, w->all.p + w->all.n - repeated, repeated) == 0;
    buf_puts(&w->all, str_from(window, goes_on ? repeated : 0));
    w->last = window.n;
    return true;
}

static void windows(void **state)
{
    (void)state;
    struct foldtext t;
    AUTO(arena_freep) struct arena *a = arena_new(MIME_TREE_BYTES);
    AUTO(buf_deinit) struct buf raw = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);
    foldtext_init(&t);
    for (size_t pad = 0; pad < 8; pad++) {
        buf_reset(&raw);
        for (size_t i = 0; i < pad; i++)
            buf_putc(&raw, 'x');
        for (size_t i = 0; i < 3000; i++)
            buf_puts(&raw, i % 1000 ? S("\xc3\x89l\xc3\xa8, e\xcc\x81 \xe6\x97\xa5 ") : S("\n"));
        buf_reset(&want);
        casefold_put(&want, buf_str(&raw));
        AUTO(buf_deinit) struct buf whole = BUF_INIT(1 << 20);
        buf_puts(&whole, S("Content-Type: text/plain; charset=utf-8\n\n"));
        buf_puts(&whole, buf_str(&raw));
        struct walk w = {.keep = 5, .all = BUF_INIT(1 << 20)};
        assert_true(foldtext_each(&t, buf_str(&whole), mime_tree(buf_str(&whole), a), BODYTEXT_BODIES, w.keep,
                                  add, &w));
        assert_true(str_eq(buf_str(&w.all), buf_str(&want)));
        buf_deinit(&w.all);
        arena_reset(a);
    }
    foldtext_deinit(&t);
}

static bool stop(void *arg, str window)
{
    (void)window;
    return ++*(int *)arg < 2;
}

static void stops(void **state)
{
    (void)state;
    struct foldtext t;
    int calls = 0;
    AUTO(arena_freep) struct arena *a = arena_new(MIME_TREE_BYTES);
    foldtext_init(&t);
    assert_false(
        foldtext_each(&t, str_c(message), mime_tree(str_c(message), a), BODYTEXT_ALL, 0, stop, &calls));
    assert_int_equal(calls, 2);
    foldtext_deinit(&t);
}

static void sign(struct buf *out, str raw)
{
    struct foldtext t;
    AUTO(arena_freep) struct arena *a = arena_new(MIME_TREE_BYTES);
    foldtext_init(&t);
    buf_reset(out);
    textsig_put(out, &t, raw, mime_tree(raw, a));
    foldtext_deinit(&t);
}

static bool may_hold(const struct buf *signature, const char *text)
{
    AUTO(buf_deinit) struct buf needle = BUF_INIT(1000);
    casefold_put(&needle, str_c(text));
    return textsig_may_hold(buf_str(signature), buf_str(&needle));
}

static void signature_of_a_message(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } rows[] = {
        {"\xc3\xa9L\xc3\xa8PHANT rose", true},
        {"STRASSE in", true},
        {"caf\xc3\x89</B> soft", true},
        {"subject:", true},
        {"application/octet", true},
        {"needle", false},
        {"elephant", false},
        {"", true},
        {"zz", true}, /* too short to tell */
        {"U3RyYc", false},
    };
    (void)state;
    AUTO(buf_deinit) struct buf signature = BUF_INIT(TEXTSIG_MAX);
    sign(&signature, str_c(message));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(may_hold(&signature, rows[i].text), rows[i].want);
    assert_true(textsig_may_hold(S(""), S("needle")));
    assert_true(textsig_may_hold(str_sub(buf_str(&signature), 0, 33), S("needle")));
}

static void put_words(struct buf *raw, size_t n)
{
    buf_reset(raw);
    buf_puts(raw, S("Subject: x\n\n"));
    for (uint64_t i = 0, v = 1; i < n; i++, v = v * 6364136223846793005u + 1442695040888963407u)
        buf_printf(raw, "%llx ", (unsigned long long)v >> 20);
}

/* It is as large as the text asks for, and never denies a part of it, wherever that lies. */
static void sizes(void **state)
{
    static const struct {
        size_t words, want;
    } rows[] = {{0, TEXTSIG_MIN}, {10, 64}, {100, 1024}, {100000, 4096}};
    (void)state;
    AUTO(buf_deinit) struct buf raw = BUF_INIT(4 << 20), signature = BUF_INIT(TEXTSIG_MAX);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_words(&raw, rows[i].words);
        sign(&signature, buf_str(&raw));
        assert_int_equal(signature.n, rows[i].want);
        for (size_t at = 12; at + 20 < raw.n && at < 40000; at++)
            assert_true(textsig_may_hold(buf_str(&signature), str_sub(buf_str(&raw), at, 20)));
    }
    buf_reset(&raw); /* text that has every sequence */
    buf_puts(&raw, S("Content-Type: text/plain; charset=iso-8859-1\n\n"));
    for (uint32_t i = 0, v = 1; i < 1 << 21; i++, v = v * 1664525 + 1013904223)
        buf_putc(&raw, (char)(v >> 24));
    sign(&signature, buf_str(&raw));
    assert_int_equal(signature.n, TEXTSIG_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(windows), cmocka_unit_test(stops),
                                       cmocka_unit_test(signature_of_a_message), cmocka_unit_test(sizes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
