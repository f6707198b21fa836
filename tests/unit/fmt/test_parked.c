/* Records of parked sessions: what was put in comes out, and nothing else is taken. */
#include "fmt/parked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct uidset set_of(const char *text)
{
    struct uidset s = {0};
    assert_int_equal(text[0] ? uidset_parse(str_c(text), 0, 10000, &s) : RC_OK, RC_OK);
    return s;
}

static void expect_set(const struct uidset *s, const char *want)
{
    struct buf b = BUF_INIT(100000);
    uidset_format(s, &b);
    assert_string_equal(buf_cstr(&b), want);
    buf_deinit(&b);
}

/* Of a session that uses all of it; the caller ends it. */
static struct parked full(void)
{
    return (struct parked){.deadline_ms = INT64_MAX,
                           .enabled = 15,
                           .bad_in_row = 19,
                           .traffic = {0, 127, 128, 16384, UINT32_MAX, UINT64_MAX, 1, 2, 3, 4},
                           .idling = true,
                           .tag = S("a.7"),
                           .selected = true,
                           .mailbox = S("lists/\xc3\xa9t\xc3\xa9"),
                           .view = {.read_only = true,
                                    .uidvalidity = UINT32_MAX,
                                    .told = UINT64_MAX,
                                    .keywords = 64,
                                    .uids = set_of("1:3,5,7:200,4294967290:4294967295"),
                                    .recent = set_of("200,4294967295"),
                                    .gone = set_of("1:2")},
                           .keywords_told = 63,
                           .saved = set_of("5")};
}

static void put(struct buf *out, struct parked *p)
{
    buf_reset(out);
    parked_put(out, p);
    parked_deinit(p);
}

static void what_was_put_in_comes_out(void **state)
{
    struct buf b = BUF_INIT(PARKED_MAX);
    struct parked p = full(), got;
    put(&b, &p);
    assert_int_equal(parked_parse(buf_str(&b), &got), RC_OK);
    assert_true(got.deadline_ms == INT64_MAX && got.enabled == 15 && got.bad_in_row == 19);
    assert_true(got.traffic[0] == 0 && got.traffic[2] == 128 && got.traffic[5] == UINT64_MAX &&
                got.traffic[9] == 4);
    assert_true(got.idling && got.selected && got.view.read_only && str_eq(got.tag, S("a.7")));
    assert_true(str_eq(got.mailbox, S("lists/\xc3\xa9t\xc3\xa9")));
    assert_true(got.view.uidvalidity == UINT32_MAX);
    assert_true(got.view.told == UINT64_MAX && got.view.keywords == 64 && got.keywords_told == 63);
    expect_set(&got.view.uids, "1:3,5,7:200,4294967290:4294967295");
    expect_set(&got.view.recent, "200,4294967295");
    expect_set(&got.saved, "5");
    expect_set(&got.view.gone, "1:2");
    parked_deinit(&got);
    p = (struct parked){0};
    put(&b, &p);
    assert_int_equal(parked_parse(buf_str(&b), &got), RC_OK);
    assert_true(!got.idling && !got.selected && got.tag.n == 0 && got.view.uids.n == 0);
    buf_deinit(&b);
    (void)state;
}

/* A mailbox without holes is a few bytes, and one with very many is none at all. */
static void size_follows_the_holes(void **state)
{
    struct buf b = BUF_INIT(PARKED_MAX);
    struct parked p = {.selected = true, .mailbox = S("INBOX")}, q = p, got;
    uidset_add(&p.view.uids, 1, 1000000);
    put(&b, &p);
    assert_in_range(b.n, 1, 100);
    for (uid32 uid = 1000000; q.view.uids.n < 2000; uid += 3)
        uidset_add(&q.view.uids, uid, uid + 1);
    struct uidset more = {0};
    uidset_copy(&more, &q.view.uids);
    put(&b, &q);
    assert_false(b.overflow);
    assert_int_equal(parked_parse(buf_str(&b), &got), RC_OK);
    assert_int_equal(got.view.uids.n, 2000);
    parked_deinit(&got);
    for (uid32 uid = 2000000; more.n < 2050; uid += 3)
        uidset_add(&more, uid, uid);
    q = (struct parked){.selected = true, .view.uids = more};
    put(&b, &q);
    assert_true(b.overflow);
    buf_deinit(&b);
    (void)state;
}

/* Cut anywhere, or with more behind it, it is no record; with any byte changed it is one or none, and read
 * without harm. */
static void nothing_else_is_taken(void **state)
{
    struct buf b = BUF_INIT(PARKED_MAX);
    struct parked p = full(), got;
    put(&b, &p);
    for (size_t n = 0; n < b.n; n++) {
        assert_int_equal(parked_parse(str_sub(buf_str(&b), 0, n), &got), RC_INVALID);
        parked_deinit(&got);
    }
    for (size_t i = 0; i < b.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            b.p[i] = (char)(b.p[i] ^ 1 << bit);
            (void)!parked_parse(buf_str(&b), &got);
            parked_deinit(&got);
            b.p[i] = (char)(b.p[i] ^ 1 << bit);
        }
    buf_putc(&b, '\0');
    assert_int_equal(parked_parse(buf_str(&b), &got), RC_INVALID);
    parked_deinit(&got);
    buf_deinit(&b);
    (void)state;
}

static void sets_and_numbers_have_one_form(void **state)
{
#define HEAD "\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define BOX  HEAD "\1\0\0\0\0\0"
    static const struct {
        str bytes;
        enum rc want;
    } rows[] = {
        {S(HEAD "\0"), RC_OK},
        {S(HEAD "\2"), RC_INVALID},
        {S("\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), RC_INVALID},     /* another version */
        {S("\2\200\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), RC_INVALID}, /* 0 in two bytes */
        {S(BOX "\0\0\0\0\0"), RC_OK},
        {S(BOX "\1\1\0\0\0\0\0"), RC_OK},
        {S(BOX "\1\0\0\0\0\0\0"), RC_INVALID},                  /* UID 0 */
        {S(BOX "\2\1\0\2\0\0\0\0\0"), RC_OK},                   /* 1,3 */
        {S(BOX "\2\1\0\1\0\0\0\0\0"), RC_INVALID},              /* 1,2 is 1:2 */
        {S(BOX "\2\1\0\0\0\0\0\0\0"), RC_INVALID},              /* 1,1 */
        {S(BOX "\1\1\377\377\377\377\17\0\0\0\0"), RC_INVALID}, /* 1:4294967296 */
        {S(BOX "\1\1\376\377\377\377\17\0\0\0\0"), RC_OK},
        {S(BOX "\377\377\377\377\17\1\0\0\0\0\0"), RC_INVALID}, /* more ranges than bytes */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct parked got;
        assert_int_equal(parked_parse(rows[i].bytes, &got), rows[i].want);
        parked_deinit(&got);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_in_comes_out), cmocka_unit_test(size_follows_the_holes),
        cmocka_unit_test(nothing_else_is_taken), cmocka_unit_test(sets_and_numbers_have_one_form)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
