/* base/buf: growing to the maximum and not past it, the NUL behind the content, sticky overflow. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void grows_and_ends_in_nul(void **state)
{
    struct buf b = BUF_INIT(100000);
    assert_string_equal(buf_cstr(&b), "");
    for (size_t i = 0; i < 10000; i++) {
        buf_putc(&b, (char)('a' + i % 26));
        assert_int_equal(b.n, i + 1);
        assert_int_equal(b.p[b.n], 0);
        assert_true(b.n < b.cap && b.cap <= b.max + 1);
    }
    for (size_t i = 0; i < b.n; i++)
        assert_int_equal(b.p[i], 'a' + i % 26);
    buf_deinit(&b);
    assert_int_equal(b.max, 100000);
    buf_puts(&b, S("again"));
    assert_string_equal(buf_cstr(&b), "again");
    buf_deinit(&b);
}

/* Every way to add, at one under, exactly, and one over the maximum. */
static void stops_at_the_maximum(void **state)
{
    for (size_t max = 0; max < 200; max++) {
        for (size_t n = max ? max - 1 : 0; n <= max + 1; n++) {
            char data[202];
            memset(data, 'x', sizeof data);
            struct buf put = BUF_INIT(max), print = BUF_INIT(max), room = BUF_INIT(max);
            buf_put(&put, data, n);
            buf_printf(&print, "%.*s", (int)n, data);
            char *w = buf_room(&room, n);
            assert_int_equal(w == NULL, n > max);
            assert_int_equal(put.overflow, n > max);
            assert_int_equal(print.overflow, n > max);
            assert_int_equal(room.overflow, n > max);
            assert_int_equal(put.n, n > max ? 0 : n);
            assert_int_equal(print.n, n > max ? 0 : n);
            assert_int_equal(strlen(buf_cstr(&put)), put.n);
            assert_int_equal(strlen(buf_cstr(&print)), print.n);
            buf_deinit(&put);
            buf_deinit(&print);
            buf_deinit(&room);
        }
    }
}

static void overflow_stays_until_reset(void **state)
{
    struct buf b = BUF_INIT(8);
    buf_puts(&b, S("12345"));
    buf_puts(&b, S("6789"));
    assert_true(b.overflow);
    buf_putc(&b, '6');
    buf_put_u64(&b, 7);
    buf_printf(&b, "8");
    assert_null(buf_room(&b, 1));
    assert_string_equal(buf_cstr(&b), "12345");
    buf_truncate(&b, 2);
    assert_true(b.overflow);
    buf_reset(&b);
    assert_false(b.overflow);
    assert_string_equal(buf_cstr(&b), "");
    buf_puts(&b, S("12345678"));
    assert_false(b.overflow);
    buf_printf(&b, "%s", "");
    assert_false(b.overflow);
    assert_string_equal(buf_cstr(&b), "12345678");
    buf_deinit(&b);
}

static void unlimited(void **state)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    buf_puts(&b, S("abc"));
    assert_null(buf_room(&b, SIZE_MAX - 3));
    assert_true(b.overflow);
    assert_string_equal(buf_cstr(&b), "abc");
    buf_deinit(&b);
}

static void numbers(void **state)
{
    static const struct {
        uint64_t v;
        const char *text;
    } rows[] = {
        {0, "0"}, {9, "9"}, {10, "10"}, {4294967296, "4294967296"}, {UINT64_MAX, "18446744073709551615"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = BUF_INIT(20);
        buf_put_u64(&b, rows[i].v);
        assert_string_equal(buf_cstr(&b), rows[i].text);
        buf_deinit(&b);
    }
}

static void printf_grows(void **state)
{
    struct buf b = BUF_INIT(1000);
    buf_printf(&b, "%s-", "ab");
    buf_printf(&b, "%500d", 7);
    assert_int_equal(b.n, 503);
    assert_memory_equal(b.p, "ab- ", 4);
    assert_int_equal(b.p[502], '7');
    buf_deinit(&b);
}

static void drop_and_truncate(void **state)
{
    struct buf b = BUF_INIT(100);
    buf_drop(&b, 0);
    buf_truncate(&b, 0);
    buf_puts(&b, S("hello world"));
    buf_drop(&b, 6);
    assert_string_equal(buf_cstr(&b), "world");
    buf_truncate(&b, 100);
    assert_string_equal(buf_cstr(&b), "world");
    buf_truncate(&b, 3);
    assert_string_equal(buf_cstr(&b), "wor");
    buf_drop(&b, 3);
    assert_string_equal(buf_cstr(&b), "");
    buf_deinit(&b);
}

static void room_and_added(void **state)
{
    struct buf b = BUF_INIT(100);
    buf_puts(&b, S("a"));
    char *w = buf_room(&b, 50);
    assert_non_null(w);
    memcpy(w, "bcd", 3);
    buf_added(&b, 3);
    assert_string_equal(buf_cstr(&b), "abcd");
    buf_wipe(&b);
    assert_null(b.p);
    assert_int_equal(b.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_ends_in_nul),
        cmocka_unit_test(stops_at_the_maximum),
        cmocka_unit_test(overflow_stays_until_reset),
        cmocka_unit_test(unlimited),
        cmocka_unit_test(numbers),
        cmocka_unit_test(printf_grows),
        cmocka_unit_test(drop_and_truncate),
        cmocka_unit_test(room_and_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
