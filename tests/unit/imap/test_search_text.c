/* What SEARCH finds in a message: decoded headers, decoded and folded text, whatever the chunks it comes in.
 */
#include "imap/search_text.h"

#include "fmt/casefold.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char message[] = "From: =?iso-8859-1?Q?J=F6rg?= <joerg@example.org>\n"
                              "Subject: =?utf-8?B?w4lsw6hw?=\n"
                              " =?utf-8?Q?hant?= rose\n"
                              "X-Empty:\n"
                              "Date: Sun, 31 Dec 1995 23:30:00 -0800\n"
                              "MIME-Version: 1.0\n"
                              "Content-Type: multipart/mixed; boundary=b\n"
                              "\n"
                              "--b\n"
                              "Content-Type: text/plain; charset=utf-8\n"
                              "Content-Transfer-Encoding: base64\n"
                              "\n"
                              "U3RyYcOfZSBpbiBIb3ltYWx0\n" /* Straße in Hoymalt */
                              "--b\n"
                              "Content-Type: text/html; charset=iso-8859-1\n"
                              "Content-Transfer-Encoding: quoted-printable\n"
                              "Content-Description: inner\n"
                              "\n"
                              "<b>caf=E9</b> so=\n"
                              "ft\n"
                              "--b\n"
                              "Content-Type: application/octet-stream\n"
                              "\n"
                              "binary needle\n"
                              "--b--\n";

static struct search_plan key_of(enum search_key key, const char *text, struct buf *room)
{
    buf_reset(room);
    casefold_put(room, str_c(text));
    return (struct search_plan){.key = key, .needle = buf_str(room)};
}

static bool find(str raw, enum search_key key, const char *text)
{
    struct search_text t;
    AUTO(buf_deinit) struct buf needle = BUF_INIT(65536);
    struct search_plan plan = key_of(key, text, &needle);
    struct search_program program = {.bodies = key == SEARCH_BODY ? &plan : NULL,
                                     .texts = key == SEARCH_TEXT ? &plan : NULL};
    search_text_init(&t);
    search_text_begin(&t, raw);
    bool found = search_text_find(&t, &program, &plan);
    assert_int_equal(search_text_find(&t, &program, &plan), found);
    search_text_deinit(&t);
    return found;
}

static void test_header(void **state)
{
    static const struct {
        const char *field, *text;
        bool want;
    } rows[] = {
        {"From", "j\xc3\x96RG", true},
        {"from", "JOERG@example", true},
        {"From", "=f6", false},
        {"Subject", "\xc3\xa9L\xc3\x88phant Rose", true},
        {"Subject", "elephant", false}, /* accents count */
        {"Subject", "", true},
        {"X-Empty", "", true},
        {"X-Empty", "a", false},
        {"X-Missing", "", false},
        {"Content-Description", "", false}, /* of a part */
    };
    (void)state;
    struct search_text t;
    AUTO(buf_deinit) struct buf needle = BUF_INIT(65536);
    search_text_init(&t);
    search_text_begin(&t, str_c(message));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct search_plan plan = key_of(SEARCH_HEADER, rows[i].text, &needle);
        assert_int_equal(search_text_header(&t, str_c(rows[i].field), plan.needle), rows[i].want);
    }
    search_text_deinit(&t);
}

/* RFC 9051 §6.4.4: SENTON and its like disregard time and time zone: the day is the one that is written. */
static void test_sent_day(void **state)
{
    (void)state;
    struct search_text t;
    int64_t day = 7;
    search_text_init(&t);
    search_text_begin(&t, str_c(message));
    assert_true(search_text_sent_day(&t, &day));
    assert_int_equal(day, 9495); /* 31-Dec-1995 */
    search_text_begin(&t, S("Subject: none\n\n"));
    assert_false(search_text_sent_day(&t, &day));
    search_text_begin(&t, S("Date: yesterday\n\n"));
    assert_false(search_text_sent_day(&t, &day));
    assert_int_equal(day, 9495);
    search_text_deinit(&t);
}

static void test_body_and_text(void **state)
{
    static const struct {
        const char *text;
        bool in_body, in_text;
    } rows[] = {
        {"stra\xc3\x9f"
         "e",
         true, true},
        {"STRASSE IN", true, true}, /* full case folding */
        {"caf\xc3\x89", true, true},
        {"soft", true, true}, /* over a soft line break */
        {"elephant", false, false},
        {"\xc3\xa9l\xc3\xa8phant", false, true},
        {"inner", false, true}, /* the header of a part */
        {"needle", false, false},
        {"hoymalt<b>", false, false}, /* not across parts */
        {"", true, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(find(str_c(message), SEARCH_BODY, rows[i].text), rows[i].in_body);
        assert_int_equal(find(str_c(message), SEARCH_TEXT, rows[i].text), rows[i].in_text);
    }
}

/* Several keys are answered in one pass, each for itself. */
static void test_several_keys(void **state)
{
    (void)state;
    struct search_text t;
    struct search_plan keys[3] = {
        {.key = SEARCH_BODY, .needle = S("hoymalt")},
        {.key = SEARCH_BODY, .needle = S("nowhere")},
        {.key = SEARCH_BODY, .needle = S("soft")},
    };
    keys[0].next_text = &keys[1];
    keys[1].next_text = &keys[2];
    struct search_program program = {.bodies = &keys[0]};
    search_text_init(&t);
    search_text_begin(&t, str_c(message));
    assert_true(search_text_find(&t, &program, &keys[2]));
    assert_false(search_text_find(&t, &program, &keys[1]));
    assert_true(search_text_find(&t, &program, &keys[0]));
    search_text_begin(&t, S("Subject: x\n\nsoft\n")); /* what was found before is forgotten */
    assert_false(search_text_find(&t, &program, &keys[0]));
    assert_true(search_text_find(&t, &program, &keys[2]));
    search_text_deinit(&t);
}

/* The needle at every place around the cuts between slices, among text of one, two and three bytes a
 * character. */
static void test_every_offset(void **state)
{
    static const char *const fill[] = {"x", "\xc3\xa9", "\xe6\x97\xa5", "e\xcc\x81"};
    static const char *const needles[] = {"N\xc3\xa9\x65"
                                          "dle",
                                          "\xc3\xa9\xc3\xa9q", "dog"};
    (void)state;
    for (size_t f = 0; f < sizeof fill / sizeof *fill; f++) {
        AUTO(buf_deinit) struct buf raw = BUF_INIT(1 << 20);
        for (size_t at = 8160; at < 8230; at++) {
            buf_reset(&raw);
            buf_puts(&raw, S("Content-Type: text/plain; charset=utf-8\n\n"));
            while (raw.n < at)
                buf_puts(&raw, str_c(fill[f]));
            buf_puts(&raw, str_c(needles[at % 3]));
            for (size_t i = 0; i < 20; i++)
                buf_puts(&raw, str_c(fill[f]));
            assert_true(find(buf_str(&raw), SEARCH_BODY, needles[at % 3]));
            assert_false(find(buf_str(&raw), SEARCH_BODY, "cat"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),        cmocka_unit_test(test_sent_day),
        cmocka_unit_test(test_body_and_text), cmocka_unit_test(test_several_keys),
        cmocka_unit_test(test_every_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
