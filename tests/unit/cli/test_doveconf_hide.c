/* doveconf_hide: the same as Dovecot's doveconf, of which these are. */
#include "cli/doveconf_hide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define X "#hidden_use-P_to_show#"

static void names(void **state)
{
    static const struct {
        const char *name, *value;
        bool secret;
    } rows[] = {
        {"ssl_key", "x", true},   {"ssl_alt_key", "x", true}, {"doveadm_password", "x", true},
        {"ssl_dh", "x", true},    {"ssl_key", "", false},     {"key", "x", false},
        {"_key", "x", false},     {"password", "x", false},   {"key_a", "x", false},
        {"a_secret", "x", false}, {"a_passwd", "x", false},   {"", "x", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(doveconf_is_secret(str_c(rows[i].name), str_c(rows[i].value)), rows[i].secret);
}

static void values(void **state)
{
    static const struct {
        const char *value, *shown;
    } rows[] = {
        {"key=q", "key=" X},
        {"KEY=q", "KEY=q"},
        {"mykey=q", "mykey=q"},
        {"1key=x", "1key=x"},
        {"a_key=x", "a_key=" X},
        {"x-key=a", "x-key=" X},
        {"passwd=q", "passwd=" X},
        {"pass=q;more", "pass=" X ";more"},
        {"pass=q,more", "pass=" X},
        {"pass=q more", "pass=" X " more"},
        {"password=", "password=" X},
        {"pass  =x", "pass  =" X},
        {"pass a=x", "pass a=x"},
        {"pass;a=x", "pass;a=" X},
        {"pass:x", "pass:x"},
        {"key x", "key x"},
        {"token=x", "token=x"},
        {"pass=a pass=b", "pass=" X " pass=" X},
        {"secret=a;key=b;z", "secret=" X ";key=" X ";z"},
        {"proxy:key=x:y", "proxy:key=" X ":y"},
        {"key=http://a:b@c", "key=" X "://a:b@c"},
        {"secret key=a", "secret key=" X},
        {"http://a@b", "http://" X "@b"},
        {"http://a:b@c/ d@e", "http://" X "@c/ d@e"},
        {"http://a:b@c@d", "http://" X "@c@d"},
        {"http://x/y@z", "http://x/y@z"},
        {"http://a b@c", "http://a b@c"},
        {"http://@c", "http://@c"},
        {"xftp://u:p@h", "xftp://" X "@h"},
        {"imap://u:p@h", "imap://u:p@h"},
        {"https://u:p@h?pass=x", "https://" X "@h?pass=" X},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
        doveconf_put_masked(str_c(rows[i].value), &out);
        assert_string_equal(buf_cstr(&out), rows[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
