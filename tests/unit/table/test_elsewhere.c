/* Tables of databases and servers in a process that does not ask them itself, and in one that only looks. */
#include "fixture.h"

#include "base/buf.h"

static enum rc said; /* what the other process says */

static enum rc ask_other(void *ctx, str spec, str key, msec deadline, struct arena *a, str *ret,
                         struct err *e)
{
    AUTO(buf_deinit) struct buf value = BUF_INIT(1000);
    assert_string_equal(ctx, "ctx");
    buf_printf(&value, STR_FMT "=" STR_FMT, STR_ARG(spec), STR_ARG(key));
    if (said == RC_OK)
        *ret = arena_str(a, buf_str(&value));
    return said;
}

/* No file of theirs is read; they take the same keys as where they are asked; only "not there" is not there.
 */
static void asked_elsewhere(void **state)
{
    static const struct {
        const char *spec;
        bool whole;
    } rows[] = {{"sqlite:/nonexistent", false},
                {"proxy:pgsql:/nonexistent", false},
                {"ldap:/nonexistent", false},
                {"socketmap:inet:h:1:x", true},
                {"tcp:h:1", true},
                {"unionmap:{tcp:h:1, socketmap:unix:/x:y}", true},
                {"unionmap:{tcp:h:1, pgsql:/nonexistent}", false}};
    struct table_env other = {.ask = ask_other, .ask_ctx = "ctx"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(65536);
        struct table *t = NULL;
        struct err e = {0};
        str value;
        said = RC_OK;
        assert_int_equal(table_open(str_c(rows[i].spec), &other, &t, &e), RC_OK);
        assert_int_equal(table_takes_whole_keys(t), rows[i].whole);
        assert_int_equal(table_find(t, S("Key"), a, &value, &e), RC_OK);
        assert_true(str_find(value, S("=Key")) > 0);
        for (said = RC_TEMP; said <= RC_GONE; said++) {
            enum rc wanted = said == RC_GONE || said == RC_PERM ? said : RC_TEMP;
            assert_int_equal(table_find(t, S("key"), a, &value, &e), wanted);
        }
        table_close(t);
    }
}

/* The master looks at tables without asking anybody, and sees which files are the business of whom. */
static void only_looked_at(void **state)
{
    struct table_env look = {.warn = warn, .unasked = true};
    struct table *t = NULL;
    struct err e = {0};
    char spec[300];
    str value;
    AUTO(arena_freep) struct arena *a = arena_new(65536);
    write_file("domains", "example.com\n");
    snprintf(spec, sizeof spec, "dbpath = /nonexistent/db\nquery = SELECT '%%s'\ndomain = %s/domains\n", dir);
    write_file("look.cf", spec);
    write_file("plain", "a b\n");
    snprintf(spec, sizeof spec, "unionmap:{sqlite:%s/look.cf, texthash:%s/plain}", dir, dir);
    assert_int_equal(table_open(str_c(spec), &look, &t, &e), RC_OK);
    assert_non_null(strstr(warnings, "/nonexistent/db: No such file"));
    assert_int_equal(table_find(t, S("a"), a, &value, &e), RC_TEMP);
    assert_false(table_changed(t) || table_asking_changed(t));
    write_file("domains", "example.net # longer\n");
    assert_true(table_asking_changed(t) && !table_changed(t));
    write_file("plain", "a longer\n");
    assert_true(table_changed(t));
    table_close(t);
}

/* Settings of dovecot-ldap.conf.ext that are words: one that is none of them is not taken for another. */
static void words_of_ldap(void **state)
{
    static const struct {
        const char *setting;
        enum rc rc;
        bool warns; /* that whoever answers is believed */
    } rows[] = {{"scope = base", RC_OK},
                {"scope = one", RC_PERM},
                {"deref = always", RC_OK},
                {"deref = yes", RC_PERM},
                {"tls = yes", RC_OK},
                {"tls = yes\ntls_require_cert = demand", RC_OK},
                {"tls = yes\ntls_require_cert = try", RC_OK},
                {"tls = yes\ntls_require_cert = allow", RC_OK, true},
                {"tls = yes\ntls_require_cert = never", RC_OK, true},
                {"tls_require_cert = never", RC_OK},
                {"tls_require_cert = yes", RC_PERM}};
    struct table_env look = {.warn = warn, .unasked = true};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        struct table *t = NULL;
        struct err e = {0};
        snprintf(text, sizeof text, "hosts = h\n%s\n", rows[i].setting);
        write_file("ldap.conf.ext", text);
        snprintf(text, sizeof text, "dovecot-ldap:%s/ldap.conf.ext", dir);
        warnings[0] = '\0';
        assert_int_equal(table_open(str_c(text), &look, &t, &e), rows[i].rc);
        assert_int_equal(strstr(warnings, "certificate is not checked") != NULL, rows[i].warns);
        table_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asked_elsewhere),
        cmocka_unit_test(only_looked_at),
        cmocka_unit_test(words_of_ldap),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
