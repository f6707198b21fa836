/* account/databases: who logs in by lists of databases and their rules; who somebody is. The databases are a
 * table here. */
#include "account/databases.h"

#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define A "{driver=passwd-file, args=/a"
#define B "{driver=passwd-file, args=/b"

/* file, user, fields; RC_TEMP: the file cannot be read. */
static const struct {
    const char *file, *user, *fields;
    enum rc rc;
} entries[] = {
    {"/a", "joe", "\tpassword={PLAIN}a", RC_OK},
    {"/b", "joe", "\tpassword={PLAIN}b\tuid=5000\tgid=5000\thome=/m/joe", RC_OK},
    {"/a", "open", "\textra=nopassword=yes", RC_OK},
    {"/a", "both", "\tpassword={PLAIN}a\textra=nopassword=yes", RC_OK},
    {"/a", "none", "\tuid=5000", RC_OK},
    {"/a", "odd", "\tpassword={NOSUCH}a", RC_OK},
    {"/a", "renamed", "\tpassword={PLAIN}a\textra=user=joe userdb_home=/h", RC_OK},
    {"/a", "off", "\tpassword={PLAIN}a\textra=nologin=y", RC_OK},
    {"/a", "far", "\tpassword={PLAIN}a\textra=allow_nets=192.0.2.0/24,::1", RC_OK},
    {"/a", "proxied", "\tpassword={PLAIN}a\textra=proxy=y host=x", RC_OK},
    {"/u", "joe", "\tuid=5000\tgid=5001\thome=/m/x.y/joe\textra=userdb_quota_rule=*:storage=3 x=y", RC_OK},
    {"/u", "root", "\tuid=0\tgid=5000\thome=/m/root", RC_OK},
    {"/u", "low", "\tuid=4000\tgid=5000\thome=/m/low", RC_OK},
    {"/u", "wheel", "\tuid=5000\tgid=0\thome=/m/wheel", RC_OK},
    {"/u", "up", "\tuid=5000\tgid=5000\thome=/m/../etc", RC_OK},
    {"/u", "bare", "\tx=y", RC_OK},
    {"/u", "named", "\tuid=vmail\tgid=mail\thome=/m/named", RC_OK},
    {"/u", "stranger", "\tuid=nosuch\tgid=5000\thome=/m/stranger", RC_OK},
};

static enum rc find_entry(void *ctx, bool passdb, const struct authdb *db, str user, struct arena *a,
                          struct authdb_fields *ret, struct err *e)
{
    if (str_eq(db->path, S("/down")))
        return err_set(e, RC_TEMP, 451, "4.3.0", "down");
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (str_eq(db->path, str_c(entries[i].file)) && str_eq(user, str_c(entries[i].user)))
            return authdb_fields_parse(str_c(entries[i].fields), a, ret);
    return RC_GONE;
}

static enum rc find_ids(void *ctx, str user, str group, uid_t *ret_uid, gid_t *ret_gid, struct err *e)
{
    if (!str_eq(user, S("vmail")) || !str_eq(group, S("mail")))
        return RC_GONE;
    *ret_uid = 6000;
    *ret_gid = 6001;
    return RC_OK;
}

static enum rc check(void *ctx, str user, str stored, struct err *e)
{
    if (stored.n > 0)
        return password_verify(stored, S("a"));
    return str_eq(user, S("joe")) ? RC_OK : RC_PERM; /* PAM */
}

struct world {
    struct conf *conf;
    struct databases *databases;
    struct account_lookup lookup;
};

static void open_world(struct world *w, const char *passdb, const char *userdb)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(4096);
    struct conf_report report = {0};
    buf_printf(&text,
               "hostname = mail.x.y\nfirst_valid_uid = 5000\nsystem_mail_location = "
               "maildir:~/Maildir\nmail_home = /m/%%n\n"
               "passdb = %s\nuserdb = %s\n",
               passdb, userdb);
    w->conf = conf_parse(buf_str(&text), "test", &report);
    assert_non_null(w->conf);
    conf_report_deinit(&report);
    w->databases = databases_new(w->conf);
    assert_non_null(w->databases);
    w->lookup = (struct account_lookup){.conf = w->conf,
                                        .mail_uid = 5100,
                                        .mail_gid = 5100,
                                        .databases = w->databases,
                                        .database_entry = find_entry,
                                        .database_ids = find_ids};
}

static void close_world(struct world *w)
{
    databases_free(w->databases);
    conf_freep(&w->conf);
}

static enum rc log_in(const char *passdb, const char *name, const char *ip, bool look_up,
                      struct database_found *ret)
{
    struct world w;
    AUTO(arena_freep) struct arena *a = arena_new(DATABASES_ARENA);
    struct err e = {0};
    const struct database_login in = {.name = str_c(name),
                                      .password = S("a"),
                                      .look_up = look_up,
                                      .client_ip = str_c(ip),
                                      .mechanism = S("PLAIN"),
                                      .check = check};
    open_world(&w, passdb, "");
    enum rc rc = databases_log_in(&w.lookup, &in, a, ret, &e);
    if (rc != RC_OK)
        assert_true(err_text(&e)[0] != '\0');
    close_world(&w);
    return rc;
}

static void rules(void **state)
{
    static const struct {
        const char *passdb, *name;
        enum rc rc;
    } rows[] = {
        {A "}", "joe", RC_OK},
        {A "}", "JOE", RC_OK},
        {B "}", "joe", RC_PERM},
        {A "}", "ann", RC_GONE},
        {A "}", "open", RC_OK},
        {A "}", "both", RC_TEMP},
        {A "}", "none", RC_PERM},
        {A "}", "odd", RC_TEMP},
        {A "}", "off", RC_PERM},
        {A "}", "far", RC_GONE},
        {A "}", "proxied", RC_TEMP},
        {A "}", "jo'e", RC_GONE},
        {A "}", "", RC_GONE},
        {"{driver=passwd-file, args=/down}", "joe", RC_TEMP},
        {"{driver=passwd-file, args=/down}", "ann", RC_TEMP},
        {"{driver=passwd-file, args=/down} " A "}", "joe", RC_OK}, /* goes on */
        {"{driver=passwd-file, args=/down} " A "}", "ann", RC_TEMP},
        {"{driver=passwd-file, args=/down} " B "}", "joe", RC_TEMP}, /* it may have had the right one */
        {"{driver=passwd-file, args=/down, result_internalfail=return-fail} " A "}", "joe", RC_TEMP},
        {B "} " A "}", "joe", RC_OK},
        {A "} " B "}", "joe", RC_OK},
        {B ", result_failure=return-fail} " A "}", "joe", RC_PERM},
        {A ", result_success=continue} " B "}", "joe",
         RC_OK}, /* verified by the first, known to the second */
        {A ", pass=yes} " B "}", "joe", RC_OK},
        {A ", pass=yes}", "joe", RC_PERM},
        {A ", result_success=continue-fail} " B "}", "joe", RC_PERM},
        {A ", result_success=continue-ok} {driver=passwd-file, args=/c}", "joe", RC_OK},
        {A ", result_success=return-fail}", "joe", RC_PERM},
        {"{driver=passwd-file, args=/b, deny=yes} " A "}", "joe", RC_PERM},
        {"{driver=passwd-file, args=/c, deny=yes} " A "}", "joe", RC_OK},
        {"{driver=passwd-file, args=/down, deny=yes} " A "}", "joe", RC_TEMP},
        {A "} {driver=passwd-file, args=/b, deny=yes}", "joe", RC_OK}, /* too late */
        {A ", result_success=continue-ok} {driver=passwd-file, args=/b, deny=yes}", "joe", RC_PERM},
        {A ", mechanisms=LOGIN}", "joe", RC_GONE},
        {A ", {mechanisms = LOGIN plain}}", "joe", RC_OK},
        {A ", mechanisms=none}", "joe", RC_GONE},
        {A ", username_filter=!joe}", "joe", RC_GONE},
        {A ", result_success=continue-ok} " B ", skip=authenticated, result_failure=return-fail}", "joe",
         RC_OK},
        {A ", skip=unauthenticated}", "joe", RC_GONE},
        {"{driver=pam}", "joe", RC_OK},
        {"{driver=pam}", "ann", RC_PERM},
        {"{driver=static, args=password=a}", "anybody", RC_OK},
        {"{driver=static, args=password=b}", "anybody", RC_PERM},
        {"{driver=static}", "anybody", RC_PERM},
        {"{driver=static, args=nopassword=y}", "anybody", RC_OK},
        {A ", {override_fields = allow_nets=192.0.2.0/24}}", "joe", RC_GONE},
        {A ", {default_fields = nologin=y}}", "joe", RC_PERM},
        {A ", {default_fields = nopassword=y}}", "none", RC_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct database_found found = {0};
        enum rc rc = log_in(rows[i].passdb, rows[i].name, "127.0.0.1", false, &found);
        if (rc != rows[i].rc)
            print_message("%s as %s: %s\n", rows[i].passdb, rows[i].name, rc_name(rc));
        assert_int_equal(rc, rows[i].rc);
    }
}

static void what_is_found(void **state)
{
    struct database_found found = {0};
    assert_int_equal(log_in(A "}", "renamed", "", false, &found), RC_OK);
    assert_string_equal(found.account, "joe");
    assert_int_equal(log_in(A "}", "far", "192.0.2.9", false, &found), RC_OK);
    assert_int_equal(log_in(A "}", "far", "::1", false, &found), RC_OK);
    assert_int_equal(log_in(A "}", "far", "192.0.3.9", false, &found), RC_GONE);
    assert_int_equal(log_in(A "}", "far", "", false, &found), RC_GONE);
    /* looked up: whoever is there, whatever the password */
    assert_int_equal(log_in(B "}", "joe", "", true, &found), RC_OK);
    assert_int_equal(log_in(A "}", "off", "", true, &found), RC_OK);
    assert_int_equal(log_in(A "}", "ann", "", true, &found), RC_GONE);
    assert_int_equal(log_in("{driver=pam}", "joe", "", true, &found), RC_INVALID);
    assert_int_equal(log_in("{driver=pam} " A "}", "joe", "", true, &found), RC_OK);
    /* the scheme is taken out in front of the password */
    assert_int_equal(log_in("{driver=static, {args = scheme=PLAIN password=a}}", "joe", "", false, &found),
                     RC_OK);
    assert_int_equal(log_in("{driver=static, {args = scheme=SHA password=a}}", "joe", "", false, &found),
                     RC_TEMP);
    AUTO(buf_deinit) struct buf large = BUF_INIT(4096);
    buf_printf(&large, "{driver=static, {args = password=%01500d}}", 7);
    assert_int_equal(log_in(buf_cstr(&large), "joe", "", false, &found), RC_TEMP);
}

static enum rc find(const char *passdb, const char *userdb, const char *name, struct account_identity *ret)
{
    struct world w;
    struct err e = {0};
    *ret = (struct account_identity){.uid = 1};
    open_world(&w, passdb, userdb);
    enum rc rc = databases_find_user(&w.lookup, str_c(name), NULL, ret, &e);
    close_world(&w);
    return rc;
}

static void users(void **state)
{
    static const char u[] = "{driver=passwd-file, args=/u}", down[] = "{driver=passwd-file, args=/down}";
    static const struct {
        const char *passdb, *userdb, *name;
        enum rc rc;
        uid_t uid;
        gid_t gid;
        const char *mail, *root;
    } rows[] = {
        {"", u, "joe", RC_OK, 5000, 5001, "/m/x.y/joe/Maildir", "/m/x.y"},
        {"", u, "named", RC_OK, 6000, 6001, "/m/named/Maildir", "/m"},
        {"", u, "bare", RC_OK, 5100, 5100, "/m/bare/Maildir", "/m"},
        {"", u, "nobody", RC_GONE, 0, 0, NULL, NULL},
        {"", u, "root", RC_PERM, 0, 0, NULL, NULL},
        {"", u, "low", RC_PERM, 0, 0, NULL, NULL},
        {"", u, "wheel", RC_PERM, 0, 0, NULL, NULL},
        {"", u, "up", RC_PERM, 0, 0, NULL, NULL},
        {"", u, "stranger", RC_TEMP, 0, 0, NULL, NULL},
        {"", down, "joe", RC_TEMP, 0, 0, NULL, NULL},
        {"", "{driver=passwd-file, args=/down} {driver=passwd-file, args=/u}", "joe", RC_OK, 5000, 5001,
         "/m/x.y/joe/Maildir", "/m/x.y"},
        {"", "{driver=passwd-file, args=/down} {driver=passwd-file, args=/u}", "nobody", RC_TEMP, 0, 0, NULL,
         NULL},
        {"", "{driver=prefetch} {driver=passwd-file, args=/u, {override_fields = uid=5500}}", "joe", RC_OK,
         5500, 5001, "/m/x.y/joe/Maildir", "/m/x.y"},
        {A "}", "{driver=static, {args = uid=5001 gid=5002 home=/s/%n}}", "joe", RC_OK, 5001, 5002,
         "/s/joe/Maildir", "/s"},
        {A "}", "{driver=static, {args = uid=5001 gid=5002 home=/s/%n}}", "ann", RC_GONE, 0, 0, NULL, NULL},
        {"{driver=pam}", "{driver=static, {args = uid=5001 gid=5002 home=/s/%n}}", "joe", RC_TEMP, 0, 0, NULL,
         NULL},
        {"{driver=pam}", "{driver=static, {args = uid=5001 gid=5002 home=/s/%n allow_all_users=yes}}",
         "ann@x.y", RC_OK, 5001, 5002, "/s/ann/Maildir", "/s"},
        {"{driver=pam}",
         "{driver=static, {args = uid=5001 gid=5002 home=/s/%d mail=maildir:/v/%d/%n/M allow_all_users=yes}}",
         "ann@x.y", RC_OK, 5001, 5002, "/v/x.y/ann/M", "/v"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct account_identity id;
        enum rc rc = find(rows[i].passdb[0] ? rows[i].passdb : A "}", rows[i].userdb, rows[i].name, &id);
        if (rc != rows[i].rc)
            print_message("%s of %s: %s\n", rows[i].userdb, rows[i].name, rc_name(rc));
        assert_int_equal(rc, rows[i].rc);
        if (rc != RC_OK) {
            assert_int_equal(id.uid, 1); /* untouched */
            continue;
        }
        assert_true(id.uid == rows[i].uid && id.gid == rows[i].gid);
        assert_string_equal(id.mail_dir, rows[i].mail);
        assert_string_equal(id.mail_root, rows[i].root);
        assert_string_equal(id.account, rows[i].name);
    }
    struct account_identity id;
    assert_int_equal(find(A "}", u, "joe", &id), RC_OK);
    assert_string_equal(id.quota, "*:storage=3");
}

static void names_that_attack(void **state)
{
    static const char *const names[] = {"../joe",      "a/b",   "..", ".",   "x@..",
                                        "x@../../etc", "x@a/b", "",   "a\nb"};
    struct account_identity id;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct world w;
        struct err e = {0};
        open_world(&w, "{driver=pam}\nauth_username_chars =",
                   "{driver=static, {args = uid=5001 gid=5002 home=/s/%d/%n allow_all_users=yes}}");
        enum rc rc = databases_find_user(&w.lookup, str_c(names[i]), NULL, &id, &e);
        assert_true(rc == RC_GONE || rc == RC_PERM);
        close_world(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules), cmocka_unit_test(what_is_found),
                                       cmocka_unit_test(users), cmocka_unit_test(names_that_attack)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
