/* fmt/json_read: what is JSON, what is not, and what is found in it. */
#include "base/buf.h"
#include "fmt/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ARENA = 1 << 20 };

static void values(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA);
    const struct json_value *v, *list;
    assert_int_equal(
        json_read(S(" {\"a\": [1, -2.5e+3, true, false, null, \"x\"],\r\n\t\"b\": {}, \"\": []} "), a, &v),
        RC_OK);
    assert_int_equal(v->kind, JSON_OBJECT);
    list = json_find(v, S("a"));
    assert_int_equal(list->kind, JSON_ARRAY);
    static const enum json_kind kinds[] = {JSON_NUMBER, JSON_NUMBER, JSON_BOOL,
                                           JSON_BOOL,   JSON_NULL,   JSON_STRING};
    const struct json_value *one = list->first;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++, one = one->next)
        assert_int_equal(one->kind, kinds[i]);
    assert_null(one);
    assert_true(str_eq(list->first->next->text, S("-2.5e+3")));
    assert_true(list->first->next->next->yes);
    assert_int_equal(json_find(v, S("b"))->kind, JSON_OBJECT);
    assert_null(json_find(v, S("b"))->first);
    assert_int_equal(json_find(v, S(""))->kind, JSON_ARRAY);
    assert_null(json_find(v, S("c")));
    assert_null(json_find(list, S("a")));
    assert_null(json_find_text(v, S("a")).p);
}

/* RFC 8259 §7 */
static void strings(void **state)
{
    static const struct {
        str text, value;
        enum rc rc;
    } rows[] = {
        {S("\"\""), S(""), RC_OK},
        {S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), S("\"\\/\b\f\n\r\t"), RC_OK},
        {S("\"\\u00e9\\u0000\\uD834\\uDD1E\""), S("\303\251\0\360\235\204\236"), RC_OK},
        {S("\"\303\251\""), S("\303\251"), RC_OK},
        {S("\"\351\""), STR_NONE, RC_INVALID},
        {S("\"\\ud834\""), STR_NONE, RC_INVALID},
        {S("\"\\ud834\\u0041\""), STR_NONE, RC_INVALID},
        {S("\"\\udd1e\""), STR_NONE, RC_INVALID},
        {S("\"\\u12g4\""), STR_NONE, RC_INVALID},
        {S("\"\\u12"), STR_NONE, RC_INVALID},
        {S("\"\\x41\""), STR_NONE, RC_INVALID},
        {S("\"\\\0\""), STR_NONE, RC_INVALID},
        {S("\"a\nb\""), STR_NONE, RC_INVALID},
        {S("\"a"), STR_NONE, RC_INVALID},
        {S("\"a\\"), STR_NONE, RC_INVALID},
        {S("'a'"), STR_NONE, RC_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(ARENA);
        const struct json_value *v = NULL;
        if (json_read(rows[i].text, a, &v) != rows[i].rc ||
            (v && (v->kind != JSON_STRING || !str_eq(v->text, rows[i].value))))
            fail_msg("row %zu", i);
    }
}

static void broken(void **state)
{
    static const str rows[] = {S(""),
                               S(" "),
                               S("{"),
                               S("["),
                               S("{\"a\""),
                               S("{\"a\":"),
                               S("{\"a\":1"),
                               S("{\"a\":1,}"),
                               S("{,}"),
                               S("{a:1}"),
                               S("{\"a\" 1}"),
                               S("{\"a\":1 \"b\":2}"),
                               S("[1,]"),
                               S("[,1]"),
                               S("[1 2]"),
                               S("[1}"),
                               S("{\"a\":1]"),
                               S("01"),
                               S("-"),
                               S("+1"),
                               S(".5"),
                               S("1."),
                               S("1e"),
                               S("1e+"),
                               S("0x1"),
                               S("nul"),
                               S("nulls"),
                               S("True"),
                               S("NaN"),
                               S("1 1"),
                               S("{}x"),
                               S("// c\n1"),
                               S("{\"a\":1,\"a\":1}"),
                               S("{\"a\":1,\"\\u0061\":2}"),
                               S("\xef\xbb\xbf{}"),
                               S("{}\0")};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(ARENA);
        const struct json_value *v = NULL;
        if (json_read(rows[i], a, &v) != RC_INVALID || v)
            fail_msg("row %zu", i);
    }
}

static void repeat(struct buf *out, const char *text, int n)
{
    while (n-- > 0)
        buf_puts(out, str_c(text));
}

static enum rc read_all(struct buf *b, size_t room)
{
    AUTO(arena_freep) struct arena *a = arena_new(room);
    const struct json_value *v;
    enum rc rc = json_read(buf_str(b), a, &v);
    buf_reset(b);
    return rc;
}

static void limits(void **state)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(1 << 20);
    repeat(&b, "[", JSON_DEPTH_MAX);
    repeat(&b, "]", JSON_DEPTH_MAX);
    assert_int_equal(read_all(&b, ARENA), RC_OK);
    repeat(&b, "[", JSON_DEPTH_MAX + 1);
    repeat(&b, "]", JSON_DEPTH_MAX + 1);
    assert_int_equal(read_all(&b, ARENA), RC_LIMIT);
    repeat(&b, "{\"a\":", 100000);
    assert_int_equal(read_all(&b, ARENA), RC_LIMIT);
    buf_puts(&b, S("[0"));
    repeat(&b, ",0", JSON_MEMBERS_MAX - 1);
    buf_puts(&b, S("]"));
    assert_int_equal(read_all(&b, ARENA), RC_OK);
    buf_puts(&b, S("[0"));
    repeat(&b, ",0", JSON_MEMBERS_MAX);
    buf_puts(&b, S("]"));
    assert_int_equal(read_all(&b, ARENA), RC_LIMIT);
    buf_putc(&b, '"');
    repeat(&b, "x", 10000);
    buf_putc(&b, '"');
    assert_int_equal(read_all(&b, 5000), RC_LIMIT);
}

static void seconds(void **state)
{
    static const struct {
        const char *name;
        enum rc rc;
        int64_t value;
    } rows[] = {{"whole", RC_OK, 1300819380},    {"part", RC_OK, 7},
                {"text", RC_OK, 3599},           {"none", RC_GONE, 0},
                {"negative", RC_INVALID, 0},     {"power", RC_INVALID, 0},
                {"words", RC_INVALID, 0},        {"large", RC_INVALID, 0},
                {"list", RC_INVALID, 0},         {"null", RC_INVALID, 0},
                {"negative part", RC_INVALID, 0}};
    AUTO(arena_freep) struct arena *a = arena_new(ARENA);
    const struct json_value *v;
    assert_int_equal(
        json_read(S("{\"whole\":1300819380,\"part\":7.9,\"text\":\"3599\",\"negative\":-1,\"power\":1e9,"
                    "\"words\":\"soon\",\"large\":99999999999999999999,\"list\":[1],\"null\":null,"
                    "\"negative part\":-0.5}"),
                  a, &v),
        RC_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t got = 0;
        if (json_find_seconds(v, str_c(rows[i].name), &got) != rows[i].rc || got != rows[i].value)
            fail_msg("%s", rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values), cmocka_unit_test(strings), cmocka_unit_test(broken),
        cmocka_unit_test(limits), cmocka_unit_test(seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
