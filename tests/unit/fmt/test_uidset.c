/* uidset: parsing by RFC 9051 §9, and all set operations checked against a plain bitmap. */
#include "fmt/uidset.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void expect_text(const struct uidset *s, const char *text)
{
    struct buf b = BUF_INIT(65536);
    uidset_format(s, &b);
    assert_string_equal(buf_cstr(&b), text);
    buf_deinit(&b);
}

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        uid32 star;
        const char *want; /* NULL: RC_INVALID */
    } rows[] = {
        {"1", 9, "1"},
        {"2,4:7,9,12:*", 15, "2,4:7,9,12:15"}, /* RFC 9051 §9, examples */
        {"*:4,5:7", 10, "4:10"},
        {"2:4,7,1:3", 15, "1:4,7"},
        {"7:*", 3, "3:7"},
        {"4:2", 9, "2:4"},
        {"*", 9, "9"},
        {"*:*", 9, "9"},
        {"*", 0, ""},
        {"3:*", 0, "3"},
        {"4294967295", 1, "4294967295"},
        {"1:4294967295", 1, "1:4294967295"},
        {"4294967295,1,4294967294:4294967295", 1, "1,4294967294:4294967295"},
        {"", 9, NULL},
        {"0", 9, NULL},
        {"01", 9, NULL},
        {"1:0", 9, NULL},
        {",1", 9, NULL},
        {"1,", 9, NULL},
        {"1,,2", 9, NULL},
        {"1:", 9, NULL},
        {":1", 9, NULL},
        {"1:2:3", 9, NULL},
        {"1 ", 9, NULL},
        {"-1", 9, NULL},
        {"**", 9, NULL},
        {"4294967296", 9, NULL},
        {"99999999999999999999", 9, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct uidset s;
        uidset_init(&s);
        uidset_add(&s, 77, 78);
        enum rc rc = uidset_parse(str_c(rows[i].text), rows[i].star, 100, &s);
        assert_int_equal(rc, rows[i].want ? RC_OK : RC_INVALID);
        expect_text(&s, rows[i].want ? rows[i].want : "77:78"); /* untouched on failure */
        uidset_deinit(&s);
    }
}

static void test_parse_limit(void **state)
{
    struct uidset s;
    (void)state;
    uidset_init(&s);
    assert_int_equal(uidset_parse(S("1,2,3"), 9, 2, &s), RC_LIMIT);
    assert_int_equal(uidset_parse(S("1,2,3"), 9, 3, &s), RC_OK);
    expect_text(&s, "1:3");
    uidset_deinit(&s);
}

enum { TOP = 64 };

static void check_against(const struct uidset *s, const bool *bit)
{
    uint32_t rank = 0;
    uid32 next = uidset_next(s, 1), max = 0;
    for (uid32 u = 1; u < TOP; u++) {
        assert_int_equal(uidset_has(s, u), bit[u]);
        if (bit[u]) {
            rank++;
            max = u;
            assert_int_equal(uidset_rank(s, u), rank);
            assert_int_equal(uidset_select(s, rank), u);
            assert_int_equal(next, u);
            next = uidset_next(s, u + 1);
        } else {
            assert_int_equal(uidset_rank(s, u), 0);
        }
    }
    assert_int_equal(next, 0);
    assert_int_equal(uidset_count(s), rank);
    assert_int_equal(uidset_max(s), max);
    assert_int_equal(uidset_select(s, rank + 1), 0);
    for (size_t i = 1; i < s->n; i++)
        assert_true(s->r[i].first > s->r[i - 1].last + 1);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void random_set(struct uidset *s, bool *bit, uint32_t *seed)
{
    for (int k = 0; k < 6; k++) {
        uid32 a = 1 + next_random(seed) % (TOP - 1), b = a + next_random(seed) % 5;
        if (b >= TOP)
            b = TOP - 1;
        uidset_add(s, a, b);
        for (uid32 u = a; u <= b; u++)
            bit[u] = true;
    }
}

static void test_operations(void **state)
{
    uint32_t seed = 42;
    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct uidset s = {0}, o = {0};
        bool sb[TOP] = {false}, ob[TOP] = {false};
        random_set(&s, sb, &seed);
        random_set(&o, ob, &seed);
        check_against(&s, sb);
        int op = (int)(next_random(&seed) % 4);
        uid32 a = 1 + next_random(&seed) % 30, b = a + next_random(&seed) % 30;
        if (op == 0)
            uidset_add_set(&s, &o);
        else if (op == 1)
            uidset_intersect(&s, &o);
        else if (op == 2)
            uidset_subtract(&s, &o);
        else
            uidset_del(&s, a, b);
        for (uid32 u = 1; u < TOP; u++)
            sb[u] = op == 0   ? sb[u] || ob[u]
                    : op == 1 ? sb[u] && ob[u]
                    : op == 2 ? sb[u] && !ob[u]
                              : sb[u] && (u < a || u > b);
        check_against(&s, sb);
        uidset_deinit(&s);
        uidset_deinit(&o);
    }
}

static void test_edges(void **state)
{
    struct uidset s = {0}, copy = {0};
    (void)state;
    assert_int_equal(uidset_count(&s), 0);
    assert_int_equal(uidset_next(&s, 1), 0);
    expect_text(&s, "");
    uidset_add(&s, 1, UINT32_MAX);
    assert_int_equal(uidset_count(&s), UINT32_MAX);
    assert_int_equal(uidset_next(&s, 0), 0);
    uidset_add(&s, 5, 9);
    uidset_del(&s, UINT32_MAX, UINT32_MAX);
    uidset_del(&s, 1, 1);
    expect_text(&s, "2:4294967294");
    uidset_copy(&copy, &s);
    uidset_add(&s, UINT32_MAX, UINT32_MAX);
    expect_text(&s, "2:4294967295");
    expect_text(&copy, "2:4294967294");
    uidset_clear(&copy);
    assert_false(uidset_has(&copy, 2));
    uidset_deinit(&s);
    uidset_deinit(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_limit),
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
