/* base/arena: limits, zeroing, alignment and growth. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void zeroed_and_aligned(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    for (int round = 0; round < 2; round++) { /* the second round meets used memory */
        for (size_t size = 0; size < 5000; size += 37) {
            unsigned char *p = arena_alloc(a, size);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 16, 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xa5, size);
        }
        arena_reset(a);
        assert_int_equal(arena_used(a), 0);
    }
}

static void allocations_do_not_overlap(void **state)
{
    static const size_t sizes[] = {1, 100, 4096, 3000, 70000, 16, 5000, 8, 200000, 64};
    unsigned char *p[sizeof sizes / sizeof *sizes];
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        p[i] = arena_alloc(a, sizes[i]);
        assert_non_null(p[i]);
        memset(p[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(p[i][j], i + 1);
}

static void exactly_the_maximum(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(64);
    assert_non_null(arena_alloc(a, 33)); /* 48 rounded up */
    assert_non_null(arena_alloc(a, 16));
    assert_int_equal(arena_used(a), 64);
    assert_false(arena_exhausted(a));
    assert_null(arena_alloc(a, 1));
    assert_true(arena_exhausted(a));
    arena_reset(a);
    assert_false(arena_exhausted(a));
    assert_non_null(arena_alloc(a, 64));
}

static void sizes_do_not_wrap(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(SIZE_MAX);
    assert_non_null(arena_alloc(a, 16));
    assert_null(arena_alloc(a, SIZE_MAX));
    assert_null(arena_alloc(a, SIZE_MAX - 16));
    assert_null(arena_array(a, SIZE_MAX / 2, 3));
    assert_null(arena_grow(a, NULL, SIZE_MAX / 2 + 1, 1));
    assert_null(arena_str(a, (str){"", SIZE_MAX}).p);
    assert_true(arena_exhausted(a));
    assert_int_equal(arena_used(a), 16);
}

static void arrays_grow(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    int *v = NULL;
    for (size_t n = 0, room = 0; n < 1000; n++) {
        if (n == room) {
            v = arena_grow(a, v, n, sizeof *v);
            room = n ? 2 * n : 8;
        }
        assert_int_equal(v[n], 0);
        v[n] = (int)n;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(v[i], i);
}

static void strings(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(64);
    str s = arena_str(a, S("abc"));
    assert_int_equal(s.n, 3);
    assert_string_equal(s.p, "abc");
    assert_string_equal(arena_str(a, STR_NONE).p, "");
    assert_string_equal(arena_printf(a, "%d-%s", 42, "x").p, "42-x");
    assert_null(arena_str(a, S("does not fit any more")).p);
    assert_null(arena_printf(a, "%40d", 1).p);
    assert_null(arena_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroed_and_aligned),  cmocka_unit_test(allocations_do_not_overlap),
        cmocka_unit_test(exactly_the_maximum), cmocka_unit_test(sizes_do_not_wrap),
        cmocka_unit_test(arrays_grow),         cmocka_unit_test(strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
