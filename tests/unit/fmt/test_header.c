/* header: fields of a block in any line-end form (RFC 5322 §2.2). */
#include "base/buf.h"
#include "fmt/header.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void expect_str(str have, const char *want)
{
    assert_int_equal(have.n, strlen(want));
    assert_memory_equal(have.p ? have.p : "", want, have.n);
}

static void test_size(void **state)
{
    static const struct {
        const char *raw;
        size_t want;
    } rows[] = {
        {"", 0},           {"\nbody", 1},           {"\r\nbody", 2},         {"A: b", 4},
        {"A: b\n", 5},     {"A: b\n\nbody", 6},     {"A: b\r\n\r\nbody", 8}, {"A: b\r\n\nbody", 7},
        {"A:\n \n\nb", 6}, {"A: b\r\n\r\r\nx", 10},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(header_size(str_c(rows[i].raw)), rows[i].want);
}

static void test_next(void **state)
{
    static const struct {
        const char *name, *value;
        size_t start, end;
    } want[] = {
        {"Subject", " a\n b", 0, 14},
        {"X-Crlf", " c\r\n\td", 14, 29},
        {"", "no colon", 29, 38},
        {"Space", "e", 38, 47},
        {"", "x", 47, 50},
        {"Empty", "", 50, 57},
    };
    str block = S("Subject: a\n b\nX-Crlf: c\r\n\td\r\nno colon\nSpace :e\n:x\nEmpty:\n\nNot: this\n");
    struct header_iter it = header_iter(block);
    struct header_field f;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        assert_true(header_next(&it, &f));
        expect_str(f.name, want[i].name);
        expect_str(f.value, want[i].value);
        assert_int_equal(f.start, want[i].start);
        assert_int_equal(f.end, want[i].end);
    }
    assert_false(header_next(&it, &f));
    assert_int_equal(it.pos + 1, header_size(block));
}

static void test_tiling(void **state)
{
    str block = S(" folded first\nA: 1\r\n 2\r\nB\n\t\nC: 3");
    struct header_iter it = header_iter(block);
    struct header_field f;
    size_t end = 0;
    while (header_next(&it, &f)) {
        assert_int_equal(f.start, end);
        end = f.end;
    }
    assert_int_equal(end, block.n);
}

static void test_find(void **state)
{
    str block = S("Received: 1\nSubject: s\nreceived: 2\nRECEIVED: 3\n\nReceived: body\n");
    struct header_field f;
    assert_true(header_find(block, S("Received"), 0, &f));
    expect_str(f.value, " 1");
    assert_true(header_find(block, S("Received"), 1, &f));
    expect_str(f.value, " 2");
    assert_false(header_find(block, S("Received"), 3, &f));
    assert_true(header_find_last(block, S("Received"), &f));
    expect_str(f.value, " 3");
    assert_false(header_find_last(block, S("Receive"), &f));
}

static void test_put_others(void **state)
{
    struct buf out AUTO(buf_deinit) = BUF_INIT(200);
    header_put_others(&out, S("A: 1\nB: 2\n folded\nb : 3\nno field\nBC: 4\r\n\n"), S("B"));
    expect_str(buf_str(&out), "A: 1\nno field\nBC: 4\r\n");
}

static void test_unfold(void **state)
{
    struct arena *a = arena_new(4096);
    expect_str(header_unfold(a, S(" This\r\n is a test")), "This is a test"); /* RFC 5322 §2.2.3 */
    expect_str(header_unfold(a, S(" a\n\tb \n c ")), "a\tb  c ");
    expect_str(header_unfold(a, S("\r\n x")), "x");
    expect_str(header_unfold(a, S(" \t")), "");
    arena_free(a);
}

/* A quadratic walk over this would take minutes. */
static void test_many_fields(void **state)
{
    struct buf b = BUF_INIT(8 << 20);
    for (int i = 0; i < 100000; i++)
        buf_printf(&b, "X-%d: v\n folded\n", i);
    struct header_iter it = header_iter(buf_str(&b));
    struct header_field f;
    size_t n = 0;
    while (header_next(&it, &f))
        n++;
    assert_int_equal(n, 100000);
    assert_true(header_find(buf_str(&b), S("X-99999"), 0, &f));
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size),        cmocka_unit_test(test_next),       cmocka_unit_test(test_tiling),
        cmocka_unit_test(test_find),        cmocka_unit_test(test_put_others), cmocka_unit_test(test_unfold),
        cmocka_unit_test(test_many_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
