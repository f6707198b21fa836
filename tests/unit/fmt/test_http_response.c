/* fmt/http_response: answers as they come, at every length of what has come so far. */
#include "fmt/http_response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BODY_MAX = 64 };

static void answers(void **state)
{
    static const struct {
        const char *text, *body, *type;
        int status;
        bool to_the_end; /* it lasts until the connection is closed */
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello",
         "hello", "text/plain", 200, false},
        {"HTTP/1.0 200\nContent-type:text/plain\n\nuntil the end", "until the end", "text/plain", 200, true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\nA;x=y\r\npedia in c\r\n0\r\nx: "
         "y\r\n\r\n",
         "wikipedia in c", "", 200, false},
        {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "",
         "", 404, false},
        {"HTTP/1.1 204 No Content\r\n\r\n", "", "", 204, false},
        {"HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/\r\nContent-Length: 2\r\nContent-Length: "
         "2\r\n\r\nhi",
         "hi", "", 301, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf body = BUF_INIT(BODY_MAX);
        struct http_response r;
        str text = str_c(rows[i].text);
        for (size_t n = 0; n < text.n; n++)
            assert_int_equal(http_response_parse(str_sub(text, 0, n), false, &body, &r), RC_TEMP);
        assert_int_equal(http_response_parse(text, rows[i].to_the_end, &body, &r), RC_OK);
        assert_int_equal(r.status, rows[i].status);
        assert_string_equal(buf_cstr(&body), rows[i].body);
        assert_true(str_eq(r.content_type, str_c(rows[i].type)));
        if (!rows[i].to_the_end)
            assert_int_equal(http_response_parse(str_sub(text, 0, text.n - 1), true, &body, &r), RC_INVALID);
    }
}

static void refused(void **state)
{
    static const struct {
        const char *text;
        enum rc rc;
    } rows[] = {
        {"220 mail.example ESMTP\r\n", RC_INVALID},
        {"HTTP/2 200 OK\r\n\r\n", RC_INVALID},
        {"HTTP/1.1 2000 OK\r\n\r\n", RC_INVALID},
        {"HTTP/1.1 600 OK\r\n\r\n", RC_INVALID},
        {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", RC_INVALID},
        {"HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\n", RC_INVALID},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", RC_INVALID},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", RC_INVALID},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", RC_INVALID},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", RC_INVALID},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", RC_INVALID},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12345678\r\n", RC_INVALID},
        {"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n", RC_LIMIT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf body = BUF_INIT(BODY_MAX);
        struct http_response r;
        if (http_response_parse(str_c(rows[i].text), false, &body, &r) != rows[i].rc)
            fail_msg("%s", rows[i].text);
    }
}

static void limits(void **state)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(1 << 20), body = BUF_INIT(BODY_MAX);
    struct http_response r;
    buf_puts(&text, S("HTTP/1.1 200 OK\r\n"));
    while (text.n < HTTP_HEAD_MAX)
        buf_puts(&text, S("X: y\r\n"));
    assert_int_equal(http_response_parse(buf_str(&text), false, &body, &r), RC_LIMIT);
    buf_reset(&text);
    buf_puts(&text, S("HTTP/1.1 200 OK\r\n\r\n"));
    for (size_t i = 0; i <= BODY_MAX; i++)
        buf_putc(&text, 'x');
    assert_int_equal(http_response_parse(buf_str(&text), false, &body, &r), RC_LIMIT);
    buf_truncate(&text, text.n - 1);
    assert_int_equal(http_response_parse(buf_str(&text), true, &body, &r), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers), cmocka_unit_test(refused),
                                       cmocka_unit_test(limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
