/* fmt/json: escapes of RFC 8259 §7 and commas at every depth. */
#include "fmt/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void strings(void **state)
{
    static const struct {
        str in;
        const char *out;
    } rows[] = {
        {{"", 0}, "\"\""},
        {{"a\"b\\c/", 6}, "\"a\\\"b\\\\c/\""},
        {{"\n\r\t", 3}, "\"\\n\\r\\t\""},
        {{"\0\x1f\x7f", 3}, "\"\\u0000\\u001f\x7f\""},
        {{"\xc3\xa9", 2}, "\"\xc3\xa9\""},
        {{"\xc3", 1}, "\"\xef\xbf\xbd\""},
        {{"\xed\xa0\x80", 3}, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {{"\xf0\x9d\x84\x9e", 4}, "\"\xf0\x9d\x84\x9e\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out = BUF_INIT(100);
        json_quote(&out, rows[i].in);
        assert_string_equal(buf_cstr(&out), rows[i].out);
        buf_deinit(&out);
    }
}

static void structures(void **state)
{
    struct buf out = BUF_INIT(200);
    struct json j = {.out = &out};
    json_open_object(&j, NULL);
    json_open_array(&j, "empty");
    json_close_array(&j);
    json_open_array(&j, "list");
    json_put_int(&j, NULL, -1);
    json_put_bool(&j, NULL, true);
    json_open_object(&j, NULL);
    json_put_str(&j, "k", S("v"));
    json_close_object(&j);
    json_put_bool(&j, NULL, false);
    json_close_array(&j);
    json_put_null(&j, "none");
    json_put_int(&j, "big", INT64_MAX);
    json_close_object(&j);
    assert_string_equal(
        buf_cstr(&out),
        "{\"empty\":[],\"list\":[-1,true,{\"k\":\"v\"},false],\"none\":null,\"big\":9223372036854775807}");
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings),
        cmocka_unit_test(structures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
