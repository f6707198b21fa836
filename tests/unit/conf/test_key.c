/* conf: the table itself (every default is a value of its own option), names, files and overrides. */
#include "base/arena.h"
#include "conf/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static void check_keys(struct conf_keys keys, void *base)
{
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < keys.n; i++) {
        struct buf text = BUF_INIT(4096);
        struct err e = {0};
        const struct conf_key *key = &keys.v[i];
        if (conf_value_set(a, key, base, str_c(key->initial), &e) != RC_OK)
            fail_msg("%s: %s", key->name, e.peer);
        conf_value_format(key, base, &text);
        if (conf_value_set(a, key, base, buf_str(&text), &e) != RC_OK)
            fail_msg("%s: %s", key->name, e.peer);
        assert_ptr_equal(conf_key_find(keys, str_c(key->name)), key);
        assert_true(strlen(key->name) <= 64);
        buf_deinit(&text);
    }
    arena_free(a);
}

static void defaults_are_values(void **state)
{
    struct conf c;
    struct conf_listener l;
    struct conf_domain d;
    assert_int_equal(conf_options.n, CONF_OPTION_COUNT);
    check_keys(conf_options, &c);
    check_keys(conf_listener_keys, &l);
    check_keys(conf_domain_keys, &d);
}

static void distances(void **state)
{
    static const struct {
        const char *a, *b;
        size_t distance;
    } rows[] = {
        {"", "", 0},      {"", "abc", 3},    {"abc", "abc", 0},        {"abc", "abd", 1},
        {"abc", "ab", 1}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"listen", "silent", 4},
        {"ca", "abc", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(conf_edit_distance(str_c(rows[i].a), str_c(rows[i].b)), rows[i].distance);
        assert_int_equal(conf_edit_distance(str_c(rows[i].b), str_c(rows[i].a)), rows[i].distance);
    }
    char longest[65];
    memset(longest, 'x', sizeof longest);
    assert_int_equal(conf_edit_distance(str_mem(longest, 65), S("x")), 64);
    assert_int_equal(conf_edit_distance(str_mem(longest, 64), S("x")), 63);
}

static void files_and_overrides(void **state)
{
    char path[] = "/tmp/malle-conf-XXXXXX";
    const char *const sets[] = {"domains=b.example", "listener.smtp.port=26",
                                "domain.c.example.catch_all=x@c.example"};
    const char *const bad[] = {"port_offset", "listener.smtp.prt=1"};
    const char text[] = "hostname = mail.a.example\ndomains = a.example\n";
    struct conf_report report = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    AUTO(conf_freep) struct conf *c = conf_load(path, sets, 3, &report);
    assert_non_null(c);
    assert_int_equal(report.n, 0);
    assert_int_equal(c->domains.n, 2);
    assert_true(conf_has_domain(c, S("b.example")) && conf_has_domain(c, S("c.example")));
    assert_int_equal(c->listeners[0].port, 26);
    assert_string_equal(c->origin[CONF_domains].file, "--set");
    assert_int_equal(c->origin[CONF_domains].line, 0);
    assert_string_equal(c->origin[CONF_hostname].file, path);
    assert_null(conf_load(path, bad, 2, &report));
    assert_int_equal(report.errors, 2);
    assert_string_equal(report.v[1].text, "\"prt\" is no key of a listener; did you mean port?");
    unlink(path);
    assert_null(conf_load(path, NULL, 0, &report));
    assert_string_equal(report.v[2].text, "cannot be read: No such file or directory");
    assert_null(conf_load("/", NULL, 0, &report));
    conf_report_deinit(&report);
}

static void locations(void **state)
{
    static const struct {
        const char *location, *account, *home;
        enum rc rc;
        const char *path, *index;
    } rows[] = {
        {"maildir:/var/mail/vhosts/%d/%n", "demo@malle.test", "", RC_OK, "/var/mail/vhosts/malle.test/demo",
         NULL},
        {"maildir:/m/%u", "demo@malle.test", "", RC_OK, "/m/demo@malle.test", NULL},
        {"maildir:/m/%Ld/%Ln%%", "De@Ma.Test", "", RC_OK, "/m/ma.test/de%", NULL},
        {"maildir:/m/%n", "\"a@b\"@c.d", "", RC_OK, "/m/\"a@b\"", NULL},
        {"maildir:~/Maildir", "joe", "/home/joe", RC_OK, "/home/joe/Maildir", NULL},
        {"maildir:%h/a~b:INDEX=~/.index", "joe", "/home/joe", RC_OK, "/home/joe/a~b", "/home/joe/.index"},
        {"maildir:/m/%n:LAYOUT=fs:INDEX=/i/%n", "joe", "", RC_OK, "/m/joe", "/i/joe"},
        {"maildir:~/Maildir", "joe", "", RC_INVALID, NULL, NULL},
        {"maildir:/m/%d/%n", "joe", "", RC_INVALID, NULL, NULL},
        {"maildir:/m/%d/%n", "..@a.b", "", RC_INVALID, NULL, NULL},
        {"maildir:/m/%d/%n", "a@..", "", RC_INVALID, NULL, NULL},
        {"maildir:/m/%d/%n", "a/b@c.d", "", RC_INVALID, NULL, NULL},
        {"maildir:/m/%d/%n", "a:INDEX=x@c.d", "", RC_INVALID, NULL, NULL},
        {"maildir:/m/%d/%n", "@c.d", "", RC_INVALID, NULL, NULL},
        {"maildir:/m/%u", "", "", RC_INVALID, NULL, NULL},
        {"maildir:/m/%x", "a@c.d", "", RC_INVALID, NULL, NULL},
        {"maildir:/m/%", "a@c.d", "", RC_INVALID, NULL, NULL},
        {"maildir:/m/%L", "a@c.d", "", RC_INVALID, NULL, NULL},
        {"maildir:m/%n", "a@c.d", "", RC_INVALID, NULL, NULL},
        {"mbox:/m/%n", "a@c.d", "", RC_INVALID, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf text = BUF_INIT(256);
        struct conf_location found = {STR_NONE, STR_NONE};
        enum rc rc =
            conf_expand_location(str_c(rows[i].location), str_c(rows[i].account), str_c(rows[i].home), &text);
        if (rc == RC_OK)
            rc = conf_parse_location(buf_str(&text), &found);
        assert_int_equal(rc, rows[i].rc);
        assert_true(str_eq(found.path, str_c(rows[i].path)));
        assert_true(str_eq(found.index, str_c(rows[i].index ? rows[i].index : rows[i].path)));
        buf_deinit(&text);
    }
    struct buf tight = BUF_INIT(5);
    assert_int_equal(conf_expand_location(S("maildir:/x"), S("a"), S(""), &tight), RC_LIMIT);
    buf_deinit(&tight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_values),
        cmocka_unit_test(distances),
        cmocka_unit_test(files_and_overrides),
        cmocka_unit_test(locations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
