/* Records of the delivery journal: what was put in comes out, and nothing else does. */
#include "fmt/journal_record.h"

#include "base/map.h"
#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEGMENT = 16 * JOURNAL_BLOCK };

static const struct journal_header sample = {.boot = {"0123456789abcde"}, .key = {11, 22}, .generation = 5};
static char segment[SEGMENT];
static size_t at;
static uint32_t sequence;

static void begin(void)
{
    memset(segment, 0, sizeof segment);
    journal_header_format(&sample, (unsigned char *)segment);
    at = JOURNAL_BLOCK;
    sequence = 0;
}

static void add(const char *path, const char *base, str content, const struct journal_header *h)
{
    struct buf b = BUF_INIT(JOURNAL_RECORD_MAX);
    journal_record_begin(&b, 1700000000000001, str_c(path), str_c(base));
    buf_puts(&b, content);
    journal_record_end(&b, h->key);
    assert_false(b.overflow);
    assert_int_equal(b.n % JOURNAL_RECORD_PAD, 0);
    assert_true(str_eq(journal_record_content(buf_str(&b)), content));
    journal_record_place(b.p, h, sequence++);
    assert_true(at + b.n <= SEGMENT);
    memcpy(segment + at, b.p, b.n);
    at += b.n;
    buf_deinit(&b);
}

static void next_group(void)
{
    at = (at + JOURNAL_BLOCK - 1) / JOURNAL_BLOCK * JOURNAL_BLOCK;
}

static size_t count(void)
{
    struct journal_walk w;
    struct journal_record r;
    size_t n = 0;
    if (journal_walk_begin(&w, str_mem(segment, SEGMENT)) != RC_OK)
        return 999;
    while (journal_walk_next(&w, &r) == RC_OK)
        n++;
    return n;
}

static void test_boot(void **state)
{
    (void)state;
    struct journal_boot b;
    assert_int_equal(journal_boot_parse(S("00112233-4455-6677-8899-aabbccddeeff\n"), &b), RC_OK);
    assert_memory_equal(b.id, "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
    static const char *const bad[] = {"", "x", "00112233-4455-6677-8899-aabbccddee",
                                      "00112233-4455-6677-8899-aabbccddeefg",
                                      "00112233-4455-6677-8899-aabbccddeeff-00"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(journal_boot_parse(str_c(bad[i]), &b), RC_INVALID);
}

static void test_header(void **state)
{
    (void)state;
    unsigned char bytes[JOURNAL_HEADER_SIZE];
    struct journal_header h;
    journal_header_format(&sample, bytes);
    assert_int_equal(journal_header_parse(str_mem(bytes, sizeof bytes), &h), RC_OK);
    assert_memory_equal(&h.boot, &sample.boot, sizeof h.boot);
    assert_true(h.key[0] == 11 && h.key[1] == 22 && h.generation == 5);
    assert_int_equal(journal_header_parse(str_mem(bytes, sizeof bytes - 1), &h), RC_INVALID);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= 1;
        assert_int_equal(journal_header_parse(str_mem(bytes, sizeof bytes), &h), RC_INVALID);
        bytes[i] ^= 1;
    }
    bytes[6] = '3';
    num_put_le(bytes + 48, 8, map_siphash(sample.key, str_mem(bytes, 48)));
    assert_int_equal(journal_header_parse(str_mem(bytes, sizeof bytes), &h), RC_PERM);
}

static void test_walk(void **state)
{
    (void)state;
    struct journal_walk w;
    struct journal_record r;
    begin();
    add("d/one", "1.M1.h", S("Subject: 1\n\nx\n"), &sample);
    add("two", "2.M1.h,S=3", S(""), &sample);
    next_group();
    add("two", "3", S("\0\n"), &sample);
    assert_int_equal(journal_walk_begin(&w, str_mem(segment, SEGMENT)), RC_OK);
    assert_int_equal(journal_walk_next(&w, &r), RC_OK);
    assert_true(str_eq(r.path, S("d/one")) && str_eq(r.base, S("1.M1.h")));
    assert_true(str_eq(r.content, S("Subject: 1\n\nx\n")) && r.time == 1700000000000001);
    assert_int_equal(journal_walk_next(&w, &r), RC_OK);
    assert_true(str_eq(r.base, S("2.M1.h,S=3")) && r.content.n == 0);
    assert_int_equal(journal_walk_next(&w, &r), RC_OK);
    assert_true(str_eq(r.content, S("\0\n")));
    assert_int_equal(journal_walk_next(&w, &r), RC_GONE);
    assert_int_equal(journal_walk_next(&w, &r), RC_GONE);
}

/* Every bit of a record counts; what stands before it stays. */
static void test_damage(void **state)
{
    (void)state;
    begin();
    add("one", "1", S("a"), &sample);
    size_t from = at;
    add("two", "2", S("0123456789"), &sample);
    size_t used = JOURNAL_RECORD_HEADER_SIZE + 3 + 1 + 10;
    assert_int_equal(count(), 2);
    for (size_t i = 0; i < used * 8; i++) {
        segment[from + i / 8] = (char)(segment[from + i / 8] ^ (1 << i % 8));
        assert_int_equal(count(), 1);
        segment[from + i / 8] = (char)(segment[from + i / 8] ^ (1 << i % 8));
    }
}

/* What a version with other sums has written is read. */
static void test_older_sums(void **state)
{
    (void)state;
    const str payload = S("one1content");
    begin();
    add("one", "1", S("content"), &sample);
    segment[6] = '1';
    num_put_le(segment + 48, 8, map_siphash(sample.key, str_mem(segment, 48)));
    assert_int_equal(count(), 0);
    char *record = segment + JOURNAL_BLOCK;
    assert_memory_equal(record + JOURNAL_RECORD_HEADER_SIZE, payload.p, payload.n);
    num_put_le(record + 32, 8, map_siphash(sample.key, payload));
    journal_record_place(record, &sample, 0);
    assert_int_equal(count(), 1);
}

static void test_void(void **state)
{
    (void)state;
    struct journal_walk w;
    struct journal_record r;
    struct buf b = BUF_INIT(JOURNAL_RECORD_MAX);
    begin();
    journal_record_begin(&b, 1, S("a/b"), S("base"));
    buf_puts(&b, S("content that is taken back"));
    journal_record_end(&b, sample.key);
    journal_record_void(&b, sample.key);
    journal_record_place(b.p, &sample, 0);
    memcpy(segment + at, b.p, b.n);
    buf_deinit(&b);
    assert_int_equal(journal_walk_begin(&w, str_mem(segment, SEGMENT)), RC_OK);
    assert_int_equal(journal_walk_next(&w, &r), RC_OK);
    assert_true(r.is_void && r.content.n == 0 && str_eq(r.path, S("a/b")) && str_eq(r.base, S("base")));
    assert_int_equal(journal_walk_next(&w, &r), RC_GONE);
}

/* A message that contains a record, block by block, behind a record that is torn; with another key, and even
 * one that was copied from an older place with the right key. */
static void test_forged(void **state)
{
    (void)state;
    struct journal_header other = sample;
    other.key[0]++;
    begin();
    add("one", "1", S("a"), &sample);
    next_group();
    add("two", "2", S("b"), &other);
    assert_int_equal(count(), 1);
    begin();
    add("one", "1", S("a"), &sample);
    next_group();
    memcpy(segment + at, segment + JOURNAL_BLOCK, JOURNAL_BLOCK);
    assert_int_equal(count(), 1);
    other = sample;
    other.generation--;
    begin();
    add("one", "1", S("a"), &sample);
    next_group();
    add("two", "2", S("b"), &other);
    assert_int_equal(count(), 1);
}

static void test_bad_names(void **state)
{
    (void)state;
    static const char *const paths[] = {"/a", "a/", "a//b", ".", "..", "a/../b", "a/."};
    static const char *const bases[] = {".a", "a/b", "a:2,S", ".."};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        begin();
        add(paths[i], "1", S("a"), &sample);
        assert_int_equal(count(), 0);
    }
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        begin();
        add("a", bases[i], S("a"), &sample);
        assert_int_equal(count(), 0);
    }
    begin();
    add("...", "1", S("a"), &sample);
    assert_int_equal(count(), 1);
}

static void test_limits(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(JOURNAL_RECORD_MAX);
    journal_record_begin(&b, 0, S("a"), S("b"));
    char *much = calloc(1, JOURNAL_RECORD_MAX);
    buf_put(&b, much, JOURNAL_RECORD_MAX);
    journal_record_end(&b, sample.key);
    assert_true(b.overflow);
    free(much);
    buf_deinit(&b);
    struct journal_walk w;
    struct journal_record r;
    begin();
    assert_int_equal(journal_walk_begin(&w, str_mem(segment, JOURNAL_HEADER_SIZE)), RC_OK);
    assert_int_equal(journal_walk_next(&w, &r), RC_GONE);
    add("a", "b", S("content"), &sample); /* cut off by the segment's end */
    assert_int_equal(journal_walk_begin(&w, str_mem(segment, JOURNAL_BLOCK + 50)), RC_OK);
    assert_int_equal(journal_walk_next(&w, &r), RC_GONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boot),   cmocka_unit_test(test_header),     cmocka_unit_test(test_walk),
        cmocka_unit_test(test_damage), cmocka_unit_test(test_forged),     cmocka_unit_test(test_bad_names),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_older_sums), cmocka_unit_test(test_void),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
