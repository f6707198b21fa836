/* mysql_host: hosts of mysql_table(5), and Dovecot's connect. */
#include "table/mysql_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *shown(const struct mysql_host *h)
{
    static char text[200];
    snprintf(text, sizeof text, "%s|%u|%s", h->host ? h->host : "-", h->port, h->socket ? h->socket : "-");
    return text;
}

static void hosts(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"localhost", "localhost|0|-"},
        {"db.example:3307", "db.example|3307|-"},
        {"inet:db.example:3307", "db.example|3307|-"},
        {"inet:[2001:db8::1]:3306", "2001:db8::1|3306|-"},
        {"unix:/run/mysqld/mysqld.sock", "-|0|/run/mysqld/mysqld.sock"},
        {"db.example:x", NULL},
        {"db.example:65536", NULL},
        {"unix:", NULL},
        {"", NULL},
    };
    AUTO(arena_freep) struct arena *a = arena_new(MYSQL_SETTINGS_ARENA);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mysql_host h = {.host = NULL};
        enum rc rc = mysql_host_parse(str_c(rows[i].text), a, &h);
        assert_int_equal(rc, rows[i].expected ? RC_OK : RC_INVALID);
        if (rows[i].expected)
            assert_string_equal(shown(&h), rows[i].expected);
    }
}

static void connects(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(MYSQL_SETTINGS_ARENA);
    struct mysql_host h[2];
    struct mysql_settings s;
    size_t n = 0;
    str text = S(" host=/run/x.sock  host=db.example port=3307 user=mail password='a b\\'c\\\\' dbname=m=n "
                 "ssl_ca=/ca ssl_verify_server_cert=yes maxconns=5");
    assert_int_equal(mysql_connect_parse(text, a, h, 2, &n, &s, NULL), RC_OK);
    assert_int_equal(n, 2);
    assert_string_equal(shown(&h[0]), "-|3307|/run/x.sock");
    assert_string_equal(shown(&h[1]), "db.example|3307|-");
    assert_string_equal(s.user, "mail");
    assert_string_equal(s.password, "a b'c\\");
    assert_string_equal(s.dbname, "m=n");
    assert_string_equal(s.ca_file, "/ca");
    assert_true(s.verify);
    assert_null(s.cert);
}

static void wrong_connects(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "host is missing"},
        {"user=x", "host is missing"},
        {"host=x user", "is not name=value"},
        {"host=x password='abc", "is not name=value"},
        {"host=x port=far", "port is no number"},
        {"host=x colour=red", "\"colour\" is not known"},
        {"host=a host=b host=c", "more than 2 hosts"},
    };
    AUTO(arena_freep) struct arena *a = arena_new(MYSQL_SETTINGS_ARENA);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mysql_host h[2];
        struct mysql_settings s;
        struct err e = {0};
        size_t n = 7;
        assert_int_equal(mysql_connect_parse(str_c(rows[i].text), a, h, 2, &n, &s, &e), RC_PERM);
        assert_non_null(strstr(err_text(&e), rows[i].says));
        assert_int_equal(n, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts),
        cmocka_unit_test(connects),
        cmocka_unit_test(wrong_connects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
