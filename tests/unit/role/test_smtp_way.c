/* role/smtp_way: where mail of a sender leaves from, and the proxy, as settings and tables say. */
#include "role/smtp_way.h"

#include "os/socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct smtp_role role;
static struct conf *conf;
static struct arena *arena;

static void begin(const char *more)
{
    struct conf_report report = {0};
    char text[2000];
    snprintf(text, sizeof text, "hostname = mail.example.org\n%s", more);
    conf = conf_parse(str_c(text), "test", &report);
    assert_non_null(conf);
    role.tables = table_settings_open(conf, "smtp", NULL, &report);
    assert_non_null(role.tables);
    conf_report_deinit(&report);
    arena = arena_new(1 << 20);
}

static void end(void)
{
    arena_free(arena);
    role.tables = table_settings_close(role.tables);
    conf_freep(&conf);
}

/* "192.0.2.1", or "" for none. */
static const char *text_of(const struct sockaddr_storage *a, char room[SOCKET_ADDRESS_MAX])
{
    int port;
    room[0] = '\0';
    if (a->ss_family)
        socket_address_text(a, room, &port);
    return room;
}

static void sources(void **state)
{
    static const struct {
        const char *sender;
        enum rc rc;
        const char *v4, *v6;
    } rows[] = {
        {"ann@a.example", RC_OK, "192.0.2.1", "2001:db8::1"},
        {"ann+tag@a.example", RC_OK, "192.0.2.1", "2001:db8::1"},
        {"joe@a.example", RC_OK, "192.0.2.2", "2001:db8::9"}, /* the setting stays for the other family */
        {"joe@b.example", RC_OK, "192.0.2.9", "2001:db8::2"},
        {"joe@c.example", RC_OK, "192.0.2.9", "2001:db8::9"},
        {"joe@d.example", RC_OK, "192.0.2.9", "2001:db8::9"},
        {"", RC_OK, "192.0.2.3", "2001:db8::9"},
        {"joe@bad.example", RC_TEMP, "", ""},
    };
    begin("smtp_bind_address = 192.0.2.9\nsmtp_bind_address6 = 2001:db8::9\n"
          "sender_dependent_bind_address_maps = inline:{ {ann@a.example=192.0.2.1, 2001:db8::1} "
          "{@a.example=192.0.2.2}"
          " {@b.example=2001:db8::2} {@d.example=DUNNO} {<>=192.0.2.3} {@bad.example=192.0.2.1 x} }\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dial_way way;
        struct err e = {0};
        char v4[SOCKET_ADDRESS_MAX], v6[SOCKET_ADDRESS_MAX];
        enum rc rc = smtp_way_find_source(&role, conf, str_c(rows[i].sender), arena, &way, &e);
        if (rc != rows[i].rc)
            fail_msg("%s: %s", rows[i].sender, rc_name(rc));
        if (rc != RC_OK)
            continue;
        assert_string_equal(text_of(&way.v4, v4), rows[i].v4);
        assert_string_equal(text_of(&way.v6, v6), rows[i].v6);
    }
    end();
}

/* A table that fails lets no mail leave from elsewhere. */
static void failing(void **state)
{
    struct dial_way way, other;
    struct err e = {0};
    begin("sender_dependent_bind_address_maps = fail:x\n");
    assert_int_equal(smtp_way_find_source(&role, conf, S("joe@a.example"), arena, &way, &e), RC_TEMP);
    end();
    begin("smtp_bind_address = 192.0.2.9\n");
    smtp_way_from_settings(conf, &way);
    smtp_way_from_settings(conf, &other);
    assert_true(smtp_way_same_source(&way, &other));
    other.v4.ss_family = 0;
    assert_false(smtp_way_same_source(&way, &other));
    end();
}

static void proxies(void **state)
{
    static const struct {
        const char *setting, *address;
        int port;
    } rows[] = {{"", "", 0},
                {"smtp_socks5_proxy = 192.0.2.5\n", "192.0.2.5", 1080},
                {"smtp_socks5_proxy = [2001:db8::5]:1081\n", "2001:db8::5", 1081}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dial_way way = {0};
        struct err e = {0};
        char room[SOCKET_ADDRESS_MAX] = "";
        int port = 0;
        begin(rows[i].setting);
        buf_init(&role.proxy_password, 100);
        buf_puts(&role.proxy_password, S("joe:a:b\n"));
        assert_int_equal(smtp_way_find_proxy(&role, conf, &way, &e), RC_OK);
        if (way.proxy.ss_family) {
            socket_address_text(&way.proxy, room, &port);
            assert_true(str_eq(way.proxy_user, S("joe")) && str_eq(way.proxy_password, S("a:b")));
        }
        assert_string_equal(room, rows[i].address);
        assert_int_equal(port, rows[i].port);
        buf_deinit(&role.proxy_password);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sources), cmocka_unit_test(failing),
                                       cmocka_unit_test(proxies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
