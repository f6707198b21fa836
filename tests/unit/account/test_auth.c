/* account/auth: verifying, the cache, the count of failures on an injected clock. */
#include "account/auth.h"

#include "conf/conf.h"
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CLIENT S("192.0.2.1")

struct world {
    struct fixture f;
    struct conf *conf;
    struct account_lookup lookup;
    struct auth *auth;
    int system_checks;
};

static enum rc system_user(void *ctx, str name, struct account_identity *ret, struct err *e)
{
    *ret = (struct account_identity){.uid = 1001, .gid = 1001, .home = "/home/alice"};
    return str_eq(name, S("alice")) ? RC_OK : RC_GONE;
}

static enum rc check_system(void *ctx, str user, str password, str client_ip, struct err *e)
{
    ((struct world *)ctx)->system_checks++;
    if (str_eq(password, S("pam is down")))
        return err_set(e, RC_TEMP, 454, "4.7.0", "PAM: down");
    return str_eq(user, S("alice")) && str_eq(password, S("unix")) ? RC_OK : RC_PERM;
}

static void world_open(struct world *w, const char *more)
{
    struct conf_report report = {0};
    AUTO(buf_deinit) struct buf text = BUF_INIT(4096);
    *w = (struct world){0};
    fixture_open(&w->f);
    buf_printf(&text, "hostname = mail.example.org\ndomains = example.org\n%s", more);
    w->conf = conf_parse(buf_str(&text), "test", &report);
    must(w->conf && report.errors == 0);
    conf_report_deinit(&report);
    w->lookup = (struct account_lookup){
        .db = w->f.db, .conf = w->conf, .mail_uid = 5000, .mail_gid = 5000, .system_user = system_user};
    w->auth = auth_new(&(struct auth_backend){check_system, w});
    fixture_add(&w->f, "bob@example.org");
    fixture_add(&w->f, "off@example.org");
    must(account_set_enabled(w->f.db, S("off@example.org"), false, NULL) == RC_OK);
}

static void world_close(struct world *w)
{
    assert_null(auth_free(w->auth));
    conf_freep(&w->conf);
    fixture_close(&w->f);
}

static struct auth_outcome try_from(struct world *w, const char *name, const char *password, str client,
                                    msec now)
{
    struct auth_outcome o = {.rc = RC_LIMIT};
    auth_verify(w->auth, &w->lookup, str_c(name), str_c(password), &(struct auth_client){.ip = client}, now,
                &o);
    return o;
}

static void verdicts(void **state)
{
    static const struct {
        const char *name, *password;
        enum rc rc;
        const char *account, *log;
    } rows[] = {
        {"bob@example.org", "secret", RC_OK, "bob@example.org", ""},
        {"BOB@Example.org", "secret", RC_OK, "bob@example.org", ""},
        {"bob", "secret", RC_OK, "bob@example.org", ""},
        {"bob@example.org", "Secret", RC_PERM, "", "wrong password"},
        {"off@example.org", "secret", RC_PERM, "", "the account is disabled"},
        {"off@example.org", "wrong", RC_PERM, "", "wrong password"},
        {"eve@example.org", "secret", RC_PERM, "", "unknown user"},
        {"alice", "unix", RC_OK, "alice", ""},
        {"alice@example.org", "unix", RC_OK, "alice", ""},
        {"alice", "Unix", RC_PERM, "", "wrong password"},
        {"alice", "pam is down", RC_TEMP, "", "PAM: down"},
        {"\xff", "secret", RC_PERM, "", "unknown user"},
    };
    struct world w;
    world_open(&w, "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct auth_outcome o = try_from(&w, rows[i].name, rows[i].password, CLIENT, 1000);
        assert_int_equal(o.rc, rows[i].rc);
        assert_string_equal(o.account, rows[i].account);
        assert_string_equal(o.err.log, rows[i].log);
        assert_int_equal(o.delay_ms >= 2000, rows[i].rc == RC_PERM);
        if (rows[i].rc == RC_PERM) /* the peer is told the same each time */
            assert_string_equal(o.err.peer, "authentication failed");
    }
    world_close(&w);
}

static void cache(void **state)
{
    struct world w;
    world_open(&w, "auth_cache_ttl = 10s\n");
    assert_int_equal(try_from(&w, "alice", "unix", CLIENT, 1000).rc, RC_OK);
    assert_int_equal(try_from(&w, "alice", "unix", CLIENT, 10999).rc, RC_OK);
    assert_int_equal(w.system_checks, 1);
    assert_int_equal(try_from(&w, "alice", "unix", CLIENT, 11000).rc, RC_OK);
    assert_int_equal(w.system_checks, 2);
    assert_int_equal(try_from(&w, "alice", "wrong", CLIENT, 11001).rc, RC_PERM);
    assert_int_equal(w.system_checks, 3);
    /* a changed password counts at once, in both directions */
    assert_int_equal(try_from(&w, "bob@example.org", "secret", CLIENT, 1000).rc, RC_OK);
    struct account_secret other = {.hash = "{PLAIN}other"};
    assert_int_equal(account_set_secret(w.f.db, S("bob@example.org"), &other, NULL), RC_OK);
    assert_int_equal(try_from(&w, "bob@example.org", "secret", CLIENT, 1001).rc, RC_PERM);
    assert_int_equal(try_from(&w, "bob@example.org", "other", CLIENT, 1002).rc, RC_OK);
    world_close(&w);
}

static void no_cache(void **state)
{
    struct world w;
    world_open(&w, "auth_cache_ttl = 0\n");
    assert_int_equal(try_from(&w, "alice", "unix", CLIENT, 1000).rc, RC_OK);
    assert_int_equal(try_from(&w, "alice", "unix", CLIENT, 1000).rc, RC_OK);
    assert_int_equal(w.system_checks, 2);
    world_close(&w);
}

/* n different wrong passwords; the last outcome. */
static struct auth_outcome guess(struct world *w, const char *name, str client, int n, msec now)
{
    static int serial;
    struct auth_outcome o = {0};
    for (int i = 0; i < n; i++) {
        char password[32];
        snprintf(password, sizeof password, "guess %d", serial++);
        o = try_from(w, name, password, client, now);
    }
    return o;
}

#define LIMITS "auth_account_failures = 3\nauth_network_failures = 5\nauth_failure_window = 60s\n"

static void account_limit(void **state)
{
    struct world w;
    world_open(&w, LIMITS);
    assert_int_equal(guess(&w, "bob@example.org", S("192.0.2.1"), 3, 1000).rc, RC_PERM);
    struct auth_outcome o = try_from(&w, "bob@example.org", "secret", S("198.51.100.1"), 1001);
    assert_int_equal(o.rc, RC_TEMP);
    assert_int_equal(o.err.code, 454);
    assert_int_equal(try_from(&w, "BOB@example.org", "secret", S("198.51.100.1"), 1002).rc, RC_TEMP);
    /* a third of the window later one try is free again */
    assert_int_equal(try_from(&w, "bob@example.org", "secret", S("198.51.100.1"), 21001).rc, RC_OK);
    /* that network is known now: others' failures do not keep bob out */
    assert_int_equal(guess(&w, "bob@example.org", S("203.0.113.5"), 4, 21002).rc, RC_TEMP);
    assert_int_equal(try_from(&w, "bob@example.org", "secret", S("198.51.100.1"), 21003).rc, RC_OK);
    assert_int_equal(try_from(&w, "bob@example.org", "secret", S("198.51.100.2"), 21003).rc, RC_TEMP);
    world_close(&w);
}

static void network_limit(void **state)
{
    struct world w;
    world_open(&w, "auth_account_failures = 1000\nauth_network_failures = 5\nauth_failure_window = 60s\n");
    assert_int_equal(guess(&w, "a@example.org", S("2001:db8::1"), 2, 1000).rc, RC_PERM);
    assert_int_equal(guess(&w, "b@example.org", S("2001:db8:0:0:ffff::2"), 3, 1000).rc,
                     RC_PERM); /* the same /64 */
    assert_int_equal(try_from(&w, "bob@example.org", "secret", S("2001:db8::3"), 1000).rc, RC_TEMP);
    assert_int_equal(try_from(&w, "bob@example.org", "secret", S("2001:db8:0:1::3"), 1000).rc, RC_OK);
    assert_int_equal(guess(&w, "a@example.org", S("192.0.2.7"), 5, 1000).rc, RC_PERM);
    assert_int_equal(try_from(&w, "bob@example.org", "secret", S("192.0.2.7"), 1000).rc, RC_TEMP);
    assert_int_equal(try_from(&w, "bob@example.org", "secret", S("192.0.2.8"), 1000).rc, RC_OK);
    assert_int_equal(guess(&w, "a@example.org", S("127.0.0.1"), 6, 1000).rc, RC_PERM); /* never bans itself */
    assert_int_equal(try_from(&w, "bob@example.org", "secret", S("192.0.2.7"), 61001).rc, RC_OK);
    world_close(&w);
}

static void repeated_password_counts_once(void **state)
{
    struct world w;
    world_open(&w, LIMITS);
    for (int i = 0; i < 20; i++)
        assert_int_equal(try_from(&w, "bob@example.org", "old password", CLIENT, 1000).rc, RC_PERM);
    assert_int_equal(try_from(&w, "bob@example.org", "secret", CLIENT, 1000).rc, RC_OK);
    world_close(&w);
}

static void delays_grow(void **state)
{
    struct world w;
    world_open(&w, "auth_failure_delay = 1s\n");
    assert_int_equal(guess(&w, "bob@example.org", CLIENT, 1, 1000).delay_ms, 1000);
    assert_int_equal(guess(&w, "bob@example.org", CLIENT, 1, 1000).delay_ms, 2000);
    assert_int_equal(guess(&w, "bob@example.org", CLIENT, 10, 1000).delay_ms, 5000);
    assert_int_equal(try_from(&w, "bob@example.org", "secret", CLIENT, 1000).delay_ms, 0);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts),      cmocka_unit_test(cache),
        cmocka_unit_test(no_cache),      cmocka_unit_test(account_limit),
        cmocka_unit_test(network_limit), cmocka_unit_test(repeated_password_counts_once),
        cmocka_unit_test(delays_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
