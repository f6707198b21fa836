/* base/map: the hash's published vectors, and the map against a plain array over many random changes. */
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Vectors of the SipHash paper's reference code: key 00..0f, input 00, 01, 02... */
static void siphash_vectors(void **state)
{
    static const uint64_t rows[] = {
        0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
        0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
        0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
        0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5};
    static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    char in[16];
    for (size_t n = 0; n < 16; n++) {
        in[n] = (char)n;
        assert_true(map_siphash(key, str_mem(in, n)) == rows[n]);
    }
    assert_true(map_hash(S("a")) == map_hash(S("a")));
    assert_true(map_hash(S("a")) != map_siphash((uint64_t[2]){0, 0}, S("a")));
}

static void put_find_del(void **state)
{
    struct map *m = map_new();
    int one = 1, two = 2;
    assert_null(map_find(m, S("a")));
    assert_null(map_del(m, S("a")));
    assert_null(map_put(m, S("a"), &one));
    assert_ptr_equal(map_put(m, S("a"), &two), &one);
    assert_int_equal(map_count(m), 1);
    assert_ptr_equal(map_find(m, S("a")), &two);
    assert_null(map_find(m, S("A")));
    assert_null(map_find(m, str_mem("a\0", 2)));
    assert_null(map_put(m, STR_NONE, &one)); /* the empty key is a key */
    assert_ptr_equal(map_find(m, S("")), &one);
    assert_ptr_equal(map_del(m, S("a")), &two);
    assert_null(map_find(m, S("a")));
    assert_int_equal(map_count(m), 1);
    assert_null(map_free(m));
    assert_null(map_free(NULL));
}

static void keys_are_copied(void **state)
{
    struct map *m = map_new();
    char key[] = "key";
    map_put(m, str_c(key), m);
    key[0] = 'x';
    assert_ptr_equal(map_find(m, S("key")), m);
    map_free(m);
}

#define KEYS    500
#define CHANGES 100000

static str key_of(size_t i, char key[16])
{
    return str_mem(key, (size_t)snprintf(key, 16, "key-%zu", i));
}

static void agrees_with_an_array(void **state)
{
    static char values[KEYS], *wanted[KEYS];
    char key[16];
    size_t count = 0;
    uint32_t random = 12345;
    struct map *m = map_new();
    for (int change = 0; change < CHANGES; change++) {
        random = random * 1664525 + 1013904223;
        size_t i = (random >> 8) % KEYS;
        bool put = random >> 31 || count < KEYS / 4;
        void *old = put ? map_put(m, key_of(i, key), &values[i]) : map_del(m, key_of(i, key));
        assert_ptr_equal(old, wanted[i]);
        count += (size_t)(put && !old) - (size_t)(!put && old);
        wanted[i] = put ? &values[i] : NULL;
        assert_int_equal(map_count(m), count);
    }
    for (size_t i = 0; i < KEYS; i++)
        assert_ptr_equal(map_find(m, key_of(i, key)), wanted[i]);
    str found;
    void *value;
    size_t pos = 0, walked = 0;
    while (map_next(m, &pos, &found, &value)) {
        size_t i = (size_t)((char *)value - values);
        assert_true(str_eq(found, key_of(i, key)));
        assert_ptr_equal(wanted[i], value);
        wanted[i] = NULL; /* seen once */
        walked++;
    }
    assert_int_equal(walked, count);
    map_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_vectors),
        cmocka_unit_test(put_find_del),
        cmocka_unit_test(keys_are_copied),
        cmocka_unit_test(agrees_with_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
