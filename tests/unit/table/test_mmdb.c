/* table/mmdb: a small database, made here as MaxMind's format is described (version 2.0): a tree of 24-bit
 * records, values, and a description at the end. */
#include "fixture.h"

enum { NODES = 8 };

static struct buf file = BUF_INIT(4096);

static void put(const char *bytes, size_t n)
{
    buf_puts(&file, str_mem(bytes, n));
}

static void put_text(const char *text)
{
    buf_putc(&file, (char)(0x40 | strlen(text)));
    put(text, strlen(text));
}

static void put_number(int type, unsigned n)
{
    const char bytes[] = {(char)(type << 5 | 2), (char)(n >> 8), (char)n};
    put(bytes, sizeof bytes);
}

static void put_map(int n)
{
    buf_putc(&file, (char)(7 << 5 | n));
}

static void put_record(unsigned n)
{
    const char bytes[] = {(char)(n >> 16), (char)(n >> 8), (char)n};
    put(bytes, sizeof bytes);
}

/* 10/8 and 11/8 differ in their last bit; everything else has no entry. */
static void put_tree(unsigned of_10, unsigned of_11)
{
    static const int bits[NODES] = {0, 0, 0, 0, 1, 0, 1, 0};
    for (unsigned i = 0; i < NODES - 1; i++) {
        put_record(bits[i] ? NODES : i + 1);
        put_record(bits[i] ? i + 1 : NODES);
    }
    put_record(NODES + 16 + of_10);
    put_record(NODES + 16 + of_11);
    put("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

static void put_country(const char *key, const char *code)
{
    put_map(1);
    put_text(key);
    put_map(1);
    put_text("iso_code");
    put_text(code);
}

static void put_description(void)
{
    static const char beginning[] = "\xab\xcd\xef"
                                    "MaxMind.com";
    put(beginning, sizeof beginning - 1);
    put_map(9);
    put_text("node_count");
    put_number(6, NODES);
    put_text("record_size");
    put_number(5, 24);
    put_text("ip_version");
    put_number(5, 4);
    put_text("database_type");
    put_text("Test");
    put_text("languages");
    put("\x00\x04", 2);
    put_text("binary_format_major_version");
    put_number(5, 2);
    put_text("binary_format_minor_version");
    put_number(5, 0);
    put_text("build_epoch");
    put("\x01\x02\x01", 3);
    put_text("description");
    put_map(0);
}

static struct table *open_made(enum rc expected, str content, struct err *e)
{
    char path[100], spec[120];
    struct table *t = NULL;
    snprintf(path, sizeof path, "%s/x.mmdb", dir);
    assert_int_equal(file_replace(path, content, 0644), RC_OK);
    snprintf(spec, sizeof spec, "mmdb:%s", path);
    assert_int_equal(table_open(str_c(spec), NULL, &t, e), expected);
    return t;
}

static void expect(struct table *t, const char *key, const char *value)
{
    struct arena *a = arena_new(4096);
    struct err e = {0};
    str found = S("-");
    enum rc rc = table_find(t, str_c(key), a, &found, &e);
    assert_true(rc == RC_OK || rc == RC_GONE);
    assert_true(str_eq(found, str_c(value)));
    arena_free(a);
}

static void countries(void **state)
{
    struct err e = {0};
    buf_reset(&file);
    put_tree(0, 22);
    put_country("country", "FR"); /* 22 bytes */
    put_country("registered_country", "DE");
    put_description();
    struct table *t = open_made(RC_OK, buf_str(&file), &e);
    expect(t, "10.1.2.3", "FR");
    expect(t, "11.1.2.3", "DE");
    expect(t, "9.1.2.3", "-");
    expect(t, "::ffff:10.1.2.3", "FR");
    expect(t, "2001:db8::1", "-");
    expect(t, "example.org", "-");
    assert_true(table_takes_whole_keys(t));
    table_close(t);
}

static void numbers_of_networks(void **state)
{
    struct err e = {0};
    buf_reset(&file);
    put_tree(0, 0);
    put_map(1);
    put_text("autonomous_system_number");
    put_number(6, 64500);
    put_description();
    struct table *t = open_made(RC_OK, buf_str(&file), &e);
    expect(t, "10.1.2.3", "64500");
    table_close(t);
}

static void what_is_none_is_refused(void **state)
{
    struct err e = {0};
    open_made(RC_PERM, S("10.0.0.0/8 FR\n"), &e);
    assert_non_null(strstr(err_text(&e), "x.mmdb: "));
    assert_int_equal(table_open(S("mmdb:/nowhere/x.mmdb"), NULL, &(struct table *){NULL}, &e), RC_GONE);
}

/* An entry that points out of the file is an error, never an answer. */
static void a_broken_tree(void **state)
{
    struct err e = {0};
    str found;
    struct arena *a = arena_new(4096);
    buf_reset(&file);
    put_tree(60000, 0);
    put_country("country", "FR");
    put_description();
    struct table *t = open_made(RC_OK, buf_str(&file), &e);
    assert_int_equal(table_find(t, S("10.1.2.3"), a, &found, &e), RC_PERM);
    expect(t, "11.1.2.3", "FR");
    table_close(t);
    arena_free(a);
}

static int end(void **state)
{
    buf_deinit(&file);
    return teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(countries),
        cmocka_unit_test(numbers_of_networks),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(a_broken_tree),
    };
    return cmocka_run_group_tests(tests, setup, end);
}
