/* fmt/smtp_attr: attributes of XCLIENT and XFORWARD, with the replies of Postfix to those that are wrong. */
#include "fmt/smtp_attr.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena *arena;

static int set_up(void **state)
{
    arena = arena_new(64 << 10);
    return 0;
}

static int tear_down(void **state)
{
    arena = arena_free(arena);
    return 0;
}

static void good(void **state)
{
    static const struct {
        enum smtp_attr_command command;
        const char *text;
        enum smtp_attr_name name;
        enum smtp_attr_state state;
        const char *value; /* NULL: that is not looked at */
        unsigned port;
    } rows[] = {
        {SMTP_ATTR_XCLIENT, "NAME=spike.porcupine.org", SMTP_ATTR_NAME, SMTP_ATTR_GIVEN,
         "spike.porcupine.org", 0},
        {SMTP_ATTR_XCLIENT, "name=a_b.example", SMTP_ATTR_NAME, SMTP_ATTR_GIVEN, "a_b.example", 0},
        {SMTP_ATTR_XCLIENT, "NAME=[UNAVAILABLE]", SMTP_ATTR_NAME, SMTP_ATTR_UNAVAILABLE, NULL, 0},
        {SMTP_ATTR_XCLIENT, "REVERSE_NAME=[TEMPUNAVAIL]", SMTP_ATTR_REVERSE_NAME, SMTP_ATTR_TEMPUNAVAIL, NULL,
         0},
        {SMTP_ATTR_XCLIENT, "ADDR=168.100.189.2", SMTP_ATTR_ADDR, SMTP_ATTR_GIVEN, "168.100.189.2", 0},
        {SMTP_ATTR_XFORWARD, "ADDR=IPv6:2001:db8::1", SMTP_ATTR_ADDR, SMTP_ATTR_GIVEN, "2001:db8::1", 0},
        {SMTP_ATTR_XCLIENT, "DESTADDR=[UNAVAILABLE]", SMTP_ATTR_DESTADDR, SMTP_ATTR_UNAVAILABLE, NULL, 0},
        {SMTP_ATTR_XCLIENT, "PORT=00025", SMTP_ATTR_PORT, SMTP_ATTR_GIVEN, NULL, 25},
        {SMTP_ATTR_XCLIENT, "DESTPORT=65535", SMTP_ATTR_DESTPORT, SMTP_ATTR_GIVEN, NULL, 65535},
        {SMTP_ATTR_XCLIENT, "PROTO=ESMTP", SMTP_ATTR_PROTO, SMTP_ATTR_GIVEN, "ESMTP", 0},
        {SMTP_ATTR_XFORWARD, "PROTO=[UNAVAILABLE]", SMTP_ATTR_PROTO, SMTP_ATTR_UNAVAILABLE, NULL, 0},
        {SMTP_ATTR_XCLIENT, "LOGIN=joe+40x.example", SMTP_ATTR_LOGIN, SMTP_ATTR_GIVEN, "joe@x.example", 0},
        {SMTP_ATTR_XCLIENT, "HELO=[192.0.2.1]", SMTP_ATTR_HELO, SMTP_ATTR_GIVEN, "[192.0.2.1]", 0},
        {SMTP_ATTR_XFORWARD, "SOURCE=local", SMTP_ATTR_SOURCE, SMTP_ATTR_GIVEN, "local", 0},
        {SMTP_ATTR_XFORWARD, "IDENT=4bX+2B", SMTP_ATTR_IDENT, SMTP_ATTR_GIVEN, "4bX+", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct smtp_attr attr;
        struct err e = {0};
        str args = str_c(rows[i].text);
        assert_int_equal(smtp_attr_take(rows[i].command, &args, arena, &attr, &e), RC_OK);
        assert_int_equal(attr.name, rows[i].name);
        assert_int_equal(attr.state, rows[i].state);
        assert_int_equal(attr.port, rows[i].port);
        assert_true(!rows[i].value || str_eq(attr.value, str_c(rows[i].value)));
        assert_int_equal(smtp_attr_take(rows[i].command, &args, arena, &attr, &e), RC_GONE);
    }
}

static void bad(void **state)
{
    static const struct {
        enum smtp_attr_command command;
        const char *text, *reply;
    } rows[] = {
        {SMTP_ATTR_XCLIENT, "NAME", "Error: attribute=value expected"},
        {SMTP_ATTR_XCLIENT, "NAME=", "Error: attribute=value expected"},
        {SMTP_ATTR_XCLIENT, "FOO=bar", "Bad XCLIENT attribute name: FOO"},
        {SMTP_ATTR_XCLIENT, "IDENT=bar", "Bad XCLIENT attribute name: IDENT"},
        {SMTP_ATTR_XFORWARD, "LOGIN=joe", "Bad XFORWARD attribute name: LOGIN"},
        {SMTP_ATTR_XCLIENT, "NAME=-bad-", "Bad NAME syntax: -bad-"},
        {SMTP_ATTR_XCLIENT, "NAME=1.2.3.4", "Bad NAME syntax: 1.2.3.4"},
        {SMTP_ATTR_XCLIENT, "NAME=a+ZZ", "Bad NAME syntax: a+ZZ"},
        {SMTP_ATTR_XCLIENT, "LOGIN=a+00b", "Bad LOGIN syntax: a+00b"},
        {SMTP_ATTR_XCLIENT, "ADDR=1.2.3", "Bad ADDR syntax: 1.2.3"},
        {SMTP_ATTR_XCLIENT, "ADDR=2001:db8::1", "Bad ADDR syntax: 2001:db8::1"},
        {SMTP_ATTR_XCLIENT, "ADDR=IPV6:192.0.2.1", "Bad ADDR syntax: IPV6:192.0.2.1"},
        {SMTP_ATTR_XCLIENT, "ADDR=[127.0.0.1]", "Bad ADDR syntax: [127.0.0.1]"},
        {SMTP_ATTR_XCLIENT, "PORT=000025", "Bad PORT syntax: 000025"},
        {SMTP_ATTR_XCLIENT, "PORT=70000", "Bad PORT syntax: 70000"},
        {SMTP_ATTR_XCLIENT, "PROTO=[UNAVAILABLE]", "Bad PROTO syntax: [UNAVAILABLE]"},
        {SMTP_ATTR_XFORWARD, "NAME=[TEMPUNAVAIL]", "Bad NAME syntax: [TEMPUNAVAIL]"},
        {SMTP_ATTR_XFORWARD, "SOURCE=X", "Bad SOURCE syntax: X"},
        {SMTP_ATTR_XCLIENT, "HELO=a+20b", "Bad HELO syntax: a+20b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct smtp_attr attr;
        struct err e = {0};
        str args = str_c(rows[i].text);
        assert_int_equal(smtp_attr_take(rows[i].command, &args, arena, &attr, &e), RC_INVALID);
        assert_int_equal(e.code, 501);
        assert_string_equal(e.peer, rows[i].reply);
    }
}

static void put(void **state)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(1000);
    smtp_attr_put(&b, SMTP_ATTR_NAME, S("c.example"));
    smtp_attr_put(&b, SMTP_ATTR_ADDR, S("2001:db8::1"));
    smtp_attr_put(&b, SMTP_ATTR_ADDR, S("192.0.2.1"));
    smtp_attr_put(&b, SMTP_ATTR_IDENT, S("a b+"));
    smtp_attr_put(&b, SMTP_ATTR_HELO, S(""));
    assert_string_equal(
        buf_cstr(&b),
        " NAME=c.example ADDR=IPV6:2001:db8::1 ADDR=192.0.2.1 IDENT=a+20b+2B HELO=[UNAVAILABLE]");
}

static void length(void **state)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(1000);
    struct smtp_attr attr;
    struct err e = {0};
    buf_printf(&text, "LOGIN=%0255d LOGIN=%0256d", 0, 0);
    str args = buf_str(&text);
    assert_int_equal(smtp_attr_take(SMTP_ATTR_XCLIENT, &args, arena, &attr, &e), RC_OK);
    assert_int_equal(attr.value.n, SMTP_ATTR_VALUE_MAX);
    assert_int_equal(smtp_attr_take(SMTP_ATTR_XCLIENT, &args, arena, &attr, &e), RC_INVALID);
    assert_string_equal(e.peer, "Error: attribute value too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(good), cmocka_unit_test(bad), cmocka_unit_test(put),
                                       cmocka_unit_test(length)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
