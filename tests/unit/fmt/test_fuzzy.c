/* fuzzy: what a word is, what it is worth, and that windows, lengths and many words are no trouble. */
#include "fmt/fuzzy.h"

#include "fmt/casefold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static str folded(struct buf *b, const char *text)
{
    buf_init(b, 1 << 20);
    casefold_put(b, str_c(text));
    return buf_str(b);
}

static unsigned score(const char *needle, const char *text)
{
    AUTO(buf_deinit) struct buf a, b;
    struct fuzzy f;
    assert_int_equal(fuzzy_init(&f, folded(&a, needle)), RC_OK);
    fuzzy_begin(&f);
    (void)fuzzy_look(&f, folded(&b, text));
    return fuzzy_score(&f);
}

static void test_scores(void **state)
{
    static const struct {
        const char *needle, *text;
        unsigned score;
    } rows[] = {
        {"hello", "Hello, world", 100},
        {"hell", "hello", 75},
        {"ell", "hello", 50},
        /* RFC 6203 §4: "Helo" finds "hello" and "help" */
        {"Helo", "hello", 25},
        {"Helo", "help", 25},
        {"Helo", "Hleo", 25},
        {"Helo", "halo", 25},
        {"Helo", "heel", 0},
        {"cat", "cut", 0}, /* short words have no room for mistakes */
        {"september", "setpembr", 1},
        {"september", "stpembr", 0},
        {"december", "dcembxr", 1},
        {"dezember", "dcemxr", 0},
        /* words in any order, each of them once */
        {"IMAP break", "break imap", 100},
        {"IMAP break", "IMAP breaks", 87},
        {"IMAP break", "IMAP", 0},
        /* case, accents, forms of letters */
        {"\xc3\x89l\xc3\xa9phant", "elephant", 100},
        {"elephant", "\xc3\xa9l\xc3\xa9phant", 100},
        {"stra\xc3\x9f"
         "e",
         "STRASSE", 100},
        {"\xef\xbc\xa1\xef\xbc\xa2", "ab", 100}, /* full width */
        {"\xe6\x97\xa5\xe6\x9c\xac", "\xe3\x80\x8c\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x80\x8d", 75},
        /* what stands between words does not matter */
        {"a@b.example", "<a@b.example>", 100},
        {"foo-bar", "foo bar", 100},
        {"x", "", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (score(rows[i].needle, rows[i].text) != rows[i].score)
            fail_msg("%s in %s: %u", rows[i].needle, rows[i].text, score(rows[i].needle, rows[i].text));
}

static void test_limits(void **state)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(1 << 20);
    struct fuzzy f;
    (void)state;
    assert_int_equal(fuzzy_init(&f, S(" .,\xff\xe2\x80\x94")), RC_OK);
    assert_int_equal(f.n, 0);
    assert_true(fuzzy_score(&f) == 0);
    for (int i = 0; i < FUZZY_WORDS_MAX; i++)
        buf_puts(&text, S("ab "));
    assert_int_equal(fuzzy_init(&f, buf_str(&text)), RC_OK);
    buf_puts(&text, S("c"));
    assert_int_equal(fuzzy_init(&f, buf_str(&text)), RC_LIMIT);

    /* a word of any length, found wherever it stands in a longer one */
    const str word = S("abcdefghijklmnopqrstuvwxyz012345"), longer = S("abcdefghijklmnopqrstuvwxyz0123456");
    for (size_t at = 0; at < 600; at++) {
        buf_reset(&text);
        for (size_t i = 0; i < 600; i++)
            buf_puts(&text, i == at ? word : S("z"));
        assert_int_equal(fuzzy_init(&f, word), RC_OK);
        assert_true(fuzzy_look(&f, buf_str(&text)));
        assert_int_equal(fuzzy_score(&f), at == 0 ? 75 : 50);
    }
    assert_int_equal(fuzzy_init(&f, longer), RC_OK);
    (void)fuzzy_look(&f, longer);
    assert_int_equal(fuzzy_score(&f), 75); /* its end is not compared */

    /* the text may come in windows; the best counts; nothing stays from the text before */
    assert_int_equal(fuzzy_init(&f, S("hello world")), RC_OK);
    assert_true(fuzzy_look(&f, S("helo wor")));
    assert_int_equal(fuzzy_score(&f), 0);
    assert_true(fuzzy_look(&f, S("worlds")));
    assert_int_equal(fuzzy_score(&f), 50);
    assert_false(fuzzy_look(&f, S("world hello")));
    fuzzy_begin(&f);
    assert_int_equal(fuzzy_score(&f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scores), cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
