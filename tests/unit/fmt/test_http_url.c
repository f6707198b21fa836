/* fmt/http_url: addresses, and percent-encoding. */
#include "fmt/http_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void addresses(void **state)
{
    static const struct {
        const char *text;
        bool tls;
        const char *user_info, *host;
        int port;
        const char *path;
    } rows[] = {
        {"http://localhost", false, "", "localhost", 80, ""},
        {"https://id.example.org/oauth2/introspect", true, "", "id.example.org", 443, "/oauth2/introspect"},
        {"HTTPS://id.example.org:8443/x?access_token=", true, "", "id.example.org", 8443, "/x?access_token="},
        {"http://me:p%40ss@127.0.0.1:8080/", false, "me:p%40ss", "127.0.0.1", 8080, "/"},
        {"https://[2001:db8::1]:444/a", true, "", "2001:db8::1", 444, "/a"},
        {"https://[::1]", true, "", "::1", 443, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_url u;
        if (http_url_parse(str_c(rows[i].text), &u) != RC_OK || u.tls != rows[i].tls ||
            u.port != rows[i].port || !str_eq(u.user_info, str_c(rows[i].user_info)) ||
            !str_eq(u.host, str_c(rows[i].host)) || !str_eq(u.path, str_c(rows[i].path)))
            fail_msg("%s", rows[i].text);
    }
}

static void refused(void **state)
{
    static const str rows[] = {S(""),
                               S("ftp://x/"),
                               S("http:/x"),
                               S("http://"),
                               S("http:///x"),
                               S("http://x:0/"),
                               S("http://x:65536/"),
                               S("http://x:y/"),
                               S("http://a:b:c/"),
                               S("http://[::1/"),
                               S("http://[::1]x/"),
                               S("http://[]/"),
                               S("http://u@/x"),
                               S("http://x?y"),
                               S("http://x/#y"),
                               S("http://x/a b"),
                               S("http://x/a\r\nHost: y"),
                               S("http://x/\0"),
                               S("http://x/\303\251")};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_url u;
        if (http_url_parse(rows[i], &u) != RC_INVALID)
            fail_msg("row %zu", i);
    }
}

static void encoding(void **state)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(100);
    http_url_encode(&b, S("aZ09-._~ /+=&\0\377"));
    assert_string_equal(buf_cstr(&b), "aZ09-._~%20%2F%2B%3D%26%00%FF");
    buf_reset(&b);
    assert_int_equal(http_url_decode(S("p%40ss%3a%FF"), &b), RC_OK);
    assert_string_equal(buf_cstr(&b), "p@ss:\377");
    static const str rows[] = {S("%"), S("%4"), S("%4x"), S("a%00b"), S("%%40")};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(http_url_decode(rows[i], &b), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(refused),
        cmocka_unit_test(encoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
