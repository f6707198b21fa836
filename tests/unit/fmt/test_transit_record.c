/* Records of the log of mail in transit: what was put in comes out, and nothing else does. */
#include "fmt/transit_record.h"

#include "base/map.h"
#include "base/num.h"
#include "os/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct transit_header sample = {.key = {11, 22}, .generation = 5};
static struct buf segment;
static uint32_t sequence;

static int begin(void **state)
{
    static const char zeros[TRANSIT_BLOCK];
    buf_init(&segment, 1 << 20);
    buf_put(&segment, zeros, sizeof zeros);
    transit_header_format(&sample, (unsigned char *)segment.p);
    sequence = 0;
    return 0;
}

static int end(void **state)
{
    buf_deinit(&segment);
    return 0;
}

static void add(const struct transit_record *r)
{
    size_t before = segment.n;
    transit_record_put(&segment, &sample, sequence++, r);
    assert_int_equal(segment.n - before, transit_record_size(r));
}

/* The next record begins a group. */
static void next_group(void)
{
    while (segment.n % TRANSIT_BLOCK != 0)
        buf_putc(&segment, '\0');
}

static void put(int64_t number, const char *site, const char *envelope, const char *content)
{
    add(&(struct transit_record){.kind = TRANSIT_PUT,
                                 .number = number,
                                 .site = str_c(site),
                                 .envelope = str_c(envelope),
                                 .content = str_c(content)});
}

/* How many records the segment has. */
static int count(void)
{
    struct transit_walk w;
    struct transit_record r;
    int n = 0;
    assert_int_equal(transit_walk_begin(&w, buf_str(&segment)), RC_OK);
    while (transit_walk_next(&w, &r) == RC_OK)
        n++;
    return n;
}

static void what_was_put_in_comes_out(void **state)
{
    struct transit_walk w;
    struct transit_record r;
    put(7, "example.net", "envelope", "Subject: x\n\nbody\n");
    add(&(struct transit_record){.kind = TRANSIT_GONE, .number = 7});
    next_group();
    add(&(struct transit_record){.kind = TRANSIT_PUT, .number = INT64_MAX, .file = 12, .envelope = S("e")});
    assert_int_equal(transit_walk_begin(&w, buf_str(&segment)), RC_OK);
    assert_int_equal(w.header.generation, 5);
    assert_int_equal(transit_walk_next(&w, &r), RC_OK);
    assert_true(r.kind == TRANSIT_PUT && r.number == 7 && r.file == 0);
    assert_true(str_eq(r.site, S("example.net")) && str_eq(r.envelope, S("envelope")));
    assert_true(str_eq(r.content, S("Subject: x\n\nbody\n")));
    assert_int_equal(transit_walk_next(&w, &r), RC_OK);
    assert_true(r.kind == TRANSIT_GONE && r.number == 7 && r.content.n == 0);
    assert_int_equal(transit_walk_next(&w, &r), RC_OK);
    assert_true(r.number == INT64_MAX && r.file == 12 && r.site.n == 0);
    assert_int_equal(transit_walk_next(&w, &r), RC_GONE);
}

static void every_byte_counts(void **state)
{
    put(1, "a", "bc", "first");
    put(2, "d", "ef", "other"); /* nothing follows the content */
    for (size_t i = TRANSIT_BLOCK; i < segment.n; i++) {
        segment.p[i] ^= 1;
        assert_in_range(count(), 0, 1); /* what stands behind a record that is torn was never acknowledged */
        segment.p[i] ^= 1;
    }
    assert_int_equal(count(), 2);
    segment.n -= 8;
    assert_int_equal(count(), 1);
}

static void header_is_checked(void **state)
{
    struct transit_header h;
    for (size_t i = 0; i < TRANSIT_HEADER_SIZE; i++) {
        segment.p[i] ^= 1;
        assert_int_equal(transit_header_parse(buf_str(&segment), &h), RC_INVALID);
        segment.p[i] ^= 1;
    }
    assert_int_equal(transit_header_parse(str_mem(segment.p, TRANSIT_HEADER_SIZE - 1), &h), RC_INVALID);
    assert_int_equal(transit_header_parse(buf_str(&segment), &h), RC_OK);
    segment.p[6] = '4';
    num_put_le(segment.p + 32, 8, map_siphash(sample.key, str_mem(segment.p, 32)));
    assert_int_equal(transit_header_parse(buf_str(&segment), &h), RC_PERM);
}

/* As versions before 3 had it. */
static void put_old(char version, str payload)
{
    char head[48] = {0};
    segment.p[6] = version;
    num_put_le(segment.p + 32, 8, map_siphash(sample.key, str_mem(segment.p, 32)));
    num_put_le(head, 4, 0x546c616d);
    num_put_le(head + 4, 4, TRANSIT_PUT);
    num_put_le(head + 8, 8, 1);
    num_put_le(head + 28, 4, payload.n);
    const uint64_t key[2] = {sample.key[0] ^ map_siphash(sample.key, str_mem(head + 4, 36)), sample.key[1]};
    num_put_le(head + 40, 8, version == '1' ? map_siphash(key, payload) : crypto_sum(key, payload, STR_NONE));
    buf_put(&segment, head, sizeof head);
    buf_puts(&segment, payload);
}

static void older_versions_are_known(void **state)
{
    const str content = S("eight by");
    struct transit_walk w;
    struct transit_record r;
    for (char version = '1'; version <= '2'; version++) {
        buf_truncate(&segment, TRANSIT_BLOCK);
        put_old(version, content);
        assert_int_equal(transit_walk_begin(&w, buf_str(&segment)), RC_OK);
        assert_int_equal(transit_walk_next(&w, &r), RC_OK);
        assert_true(r.kind == TRANSIT_PUT && r.number == 1 && str_eq(r.content, content));
        segment.p[segment.n - 1] ^= 1;
        assert_int_equal(count(), 0);
    }
}

/* Of an older use of the segment, of another file, or out of its order. */
static void records_of_others_are_not_taken(void **state)
{
    const struct transit_header older = {.key = {11, 22}, .generation = 4},
                                other = {.key = {11, 23}, .generation = 5};
    const struct transit_record r = {.kind = TRANSIT_PUT, .number = 3, .envelope = S("x")};
    put(1, "a", "b", "c");
    size_t at = segment.n;
    transit_record_put(&segment, &older, sequence, &r);
    assert_int_equal(count(), 1);
    segment.n = at;
    transit_record_put(&segment, &other, sequence, &r);
    assert_int_equal(count(), 1);
    segment.n = at;
    transit_record_put(&segment, &sample, sequence + 1, &r);
    assert_int_equal(count(), 1);
    segment.n = at;
    transit_record_put(&segment, &sample, sequence, &r);
    assert_int_equal(count(), 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {T(what_was_put_in_comes_out), T(every_byte_counts),
                                       T(header_is_checked), T(older_versions_are_known),
                                       T(records_of_others_are_not_taken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
