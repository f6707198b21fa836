/* account/auth_session: every mechanism against a client written here, and what must fail. */
#include "account/auth_session.h"

#include "base/enc.h"
#include "conf/conf.h"
#include "fixture.h"
#include "fmt/scram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct world {
    struct fixture f;
    struct conf *conf;
    struct account_lookup lookup;
    struct auth *auth;
};

static void world_open(struct world *w)
{
    struct conf_report report = {0};
    struct account_secret secret;
    *w = (struct world){0};
    fixture_open(&w->f);
    w->conf = conf_parse(S("hostname = mail.example.org\ndomains = example.org\nsystem_users = no\n"), "test",
                         &report);
    must(w->conf && report.errors == 0);
    conf_report_deinit(&report);
    w->lookup = (struct account_lookup){.db = w->f.db, .conf = w->conf, .mail_uid = 5000, .mail_gid = 5000};
    w->auth = auth_new(&(struct auth_backend){NULL, NULL});
    must(account_secret_make(PASSWORD_SHA512_CRYPT, S("pencil"), &secret, NULL) == RC_OK);
    must(account_add(w->f.db, S("user@example.org"), &secret, 0, NULL) == RC_OK);
    must(account_add(w->f.db, S("off@example.org"), &secret, 0, NULL) == RC_OK);
    must(account_set_enabled(w->f.db, S("off@example.org"), false, NULL) == RC_OK);
    fixture_add(&w->f, "nokeys@example.org");
}

static void world_close(struct world *w)
{
    auth_free(w->auth);
    conf_freep(&w->conf);
    fixture_close(&w->f);
}

static struct auth_session *session(struct world *w, bool secured)
{
    struct auth_props props = {.service = S("imap"),
                               .client_ip = S("127.0.0.1"),
                               .secured = secured,
                               .tls_exporter = secured ? S("exporter bytes") : STR_NONE,
                               .tls_end_point = secured ? S("end point bytes") : STR_NONE};
    return auth_session_new(w->auth, &w->lookup, &props);
}

static void plain(void **state)
{
    static const struct {
        str message;
        enum auth_result result;
        int code;
    } rows[] = {
        {S("\0user@example.org\0pencil"), AUTH_OK, 0},
        {S("user@example.org\0USER@example.org\0pencil"), AUTH_OK, 0},
        {S("off@example.org\0user@example.org\0pencil"), AUTH_FAIL, 535},
        {S("\0user@example.org\0pencils"), AUTH_FAIL, 535},
        {S("\0off@example.org\0pencil"), AUTH_FAIL, 535},
        {S("\0nobody@example.org\0pencil"), AUTH_FAIL, 535},
        {S("user pencil"), AUTH_FAIL, 501},
        {S(""), AUTH_FAIL, 501},
    };
    struct world w;
    world_open(&w);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int initial = 0; initial < 2; initial++) {
            AUTO(auth_session_freep) struct auth_session *s = session(&w, true);
            AUTO(buf_deinit) struct buf data = BUF_INIT(SASL_RESPONSE_MAX);
            enum auth_result r = auth_session_start(s, S("plain"), initial, rows[i].message, 1, &data);
            if (!initial) {
                assert_int_equal(r, AUTH_CONTINUE);
                r = auth_session_step(s, rows[i].message, 1, &data);
            }
            assert_int_equal(r, rows[i].result);
            assert_int_equal(auth_session_outcome(s)->err.code, rows[i].code);
            assert_int_equal(data.n, 0);
            if (r == AUTH_OK)
                assert_string_equal(auth_session_outcome(s)->account, "user@example.org");
        }
    }
    world_close(&w);
}

static void login(void **state)
{
    struct world w;
    world_open(&w);
    for (int initial = 0; initial < 2; initial++) {
        AUTO(auth_session_freep) struct auth_session *s = session(&w, true);
        AUTO(buf_deinit) struct buf data = BUF_INIT(SASL_RESPONSE_MAX);
        enum auth_result r = auth_session_start(s, S("LOGIN"), initial, S("user@example.org"), 1, &data);
        assert_int_equal(r, AUTH_CONTINUE);
        if (!initial) {
            assert_true(str_eq(buf_str(&data), S("Username:")));
            buf_reset(&data);
            assert_int_equal(auth_session_step(s, S("user@example.org"), 1, &data), AUTH_CONTINUE);
        }
        assert_true(str_eq(buf_str(&data), S("Password:")));
        assert_int_equal(auth_session_step(s, initial ? S("pencil") : S("pen"), 1, &data),
                         initial ? AUTH_OK : AUTH_FAIL);
    }
    world_close(&w);
}

static void what_is_offered(void **state)
{
    struct world w;
    world_open(&w);
    static const struct {
        const char *mech;
        bool secured;
        int code;
    } rows[] = {
        {"PLAIN", false, 538},   {"LOGIN", false, 538},
        {"CRAM-MD5", true, 504}, {"SCRAM-SHA-256-PLUS", false, 504},
        {"EXTERNAL", true, 504},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(auth_session_freep) struct auth_session *s = session(&w, rows[i].secured);
        AUTO(buf_deinit) struct buf data = BUF_INIT(SASL_RESPONSE_MAX);
        assert_int_equal(auth_session_start(s, str_c(rows[i].mech), true, S("x"), 1, &data), AUTH_FAIL);
        assert_int_equal(auth_session_outcome(s)->err.code, rows[i].code);
    }
    assert_true(auth_offers(w.conf, SASL_SCRAM_SHA_1, false, false));
    assert_true(auth_offers(w.conf, SASL_PLAIN, true, false));
    w.conf->disable_plaintext_auth = false;
    assert_true(auth_offers(w.conf, SASL_PLAIN, false, false));
    world_close(&w);
}

/* A SCRAM client; each row changes one thing. */
struct client {
    const char *mech, *name, *password;
    const char *gs2; /* "n,,"... */
    str binding;     /* what the client adds to c= */
    bool break_nonce, break_proof;
    enum auth_result result;
    const char *log;
};

static enum auth_result converse(struct world *w, const struct client *c, bool secured,
                                 struct auth_outcome *ret)
{
    bool sha1 = strstr(c->mech, "SHA-1") != NULL;
    enum crypto_hash hash = sha1 ? CRYPTO_SHA1 : CRYPTO_SHA256;
    AUTO(auth_session_freep) struct auth_session *s = session(w, secured);
    AUTO(buf_deinit)
    struct buf first = BUF_INIT(1000), data = BUF_INIT(SASL_RESPONSE_MAX), message = BUF_INIT(2000);
    AUTO(buf_deinit)
    struct buf salt = BUF_INIT(64), header = BUF_INIT(500), final = BUF_INIT(1000), sig = BUF_INIT(64);
    struct scram_server_first sf;
    struct scram_server_final sfin;
    struct scram_keys keys;
    unsigned char proof[CRYPTO_DIGEST_MAX], want[CRYPTO_DIGEST_MAX];

    buf_printf(&first, "n=%s,r=clientnonce", c->name);
    buf_printf(&message, "%s%s", c->gs2, buf_cstr(&first));
    enum auth_result r = auth_session_start(s, str_c(c->mech), true, buf_str(&message), 1, &data);
    if (r != AUTH_CONTINUE) {
        *ret = *auth_session_outcome(s);
        return r;
    }
    assert_int_equal(scram_server_first_parse(buf_str(&data), &sf), RC_OK);
    assert_true(str_starts(sf.nonce, S("clientnonce")) && sf.nonce.n >= 11 + 24);
    assert_int_equal(sf.iterations, SCRAM_ITERATIONS);
    assert_int_equal(enc_base64_decode(&salt, sf.salt), RC_OK);

    buf_printf(&header, "%s" STR_FMT, c->gs2, STR_ARG(c->binding));
    scram_client_final_put(&final, buf_str(&header), c->break_nonce ? S("clientnonceX") : sf.nonce);
    buf_reset(&message);
    scram_put_auth_message(&message, buf_str(&first), buf_str(&data), buf_str(&final));
    scram_client_proof(hash, str_c(c->password), buf_str(&salt), sf.iterations, buf_str(&message), proof);
    proof[0] ^= c->break_proof;
    scram_proof_put(&final, str_mem(proof, crypto_hash_size(hash)));

    scram_keys_derive(hash, str_c(c->password), buf_str(&salt), sf.iterations, &keys);
    scram_keys_sign(&keys, buf_str(&message), want);
    buf_reset(&data);
    r = auth_session_step(s, buf_str(&final), 1, &data);
    *ret = *auth_session_outcome(s);
    if (r == AUTH_OK) { /* the server proves itself, too */
        assert_int_equal(scram_server_final_parse(buf_str(&data), &sfin), RC_OK);
        assert_int_equal(enc_base64_decode(&sig, sfin.verifier), RC_OK);
        assert_memory_equal(sig.p, want, crypto_hash_size(hash));
    } else {
        assert_int_equal(data.n, 0);
    }
    return r;
}

#define USER "user@example.org", "pencil"

static void scram(void **state)
{
    static const struct client rows[] = {
        {"SCRAM-SHA-1", USER, "n,,", S(""), false, false, AUTH_OK, ""},
        {"SCRAM-SHA-256", USER, "n,,", S(""), false, false, AUTH_OK, ""},
        {"SCRAM-SHA-256", USER, "n,a=user@example.org,", S(""), false, false, AUTH_OK, ""},
        {"SCRAM-SHA-1-PLUS", USER, "p=tls-exporter,,", S("exporter bytes"), false, false, AUTH_OK, ""},
        {"SCRAM-SHA-256-PLUS", USER, "p=tls-exporter,,", S("exporter bytes"), false, false, AUTH_OK, ""},
        {"SCRAM-SHA-256-PLUS", USER, "p=tls-server-end-point,,", S("end point bytes"), false, false, AUTH_OK,
         ""},
        {"SCRAM-SHA-256", "User@Example.ORG", "pencil", "n,,", S(""), false, false, AUTH_OK, ""},
        {"SCRAM-SHA-256", "user@example.org", "pencils", "n,,", S(""), false, false, AUTH_FAIL,
         "wrong password"},
        {"SCRAM-SHA-256", USER, "n,,", S(""), false, true, AUTH_FAIL, "wrong password"},
        {"SCRAM-SHA-256", USER, "n,,", S(""), true, false, AUTH_FAIL, "the nonce is another"},
        {"SCRAM-SHA-256", USER, "n,,", S("x"), false, false, AUTH_FAIL,
         "the channel binding does not match: somebody may be in between"},
        {"SCRAM-SHA-256-PLUS", USER, "p=tls-exporter,,", S("another channel"), false, false, AUTH_FAIL,
         "the channel binding does not match: somebody may be in between"},
        {"SCRAM-SHA-256-PLUS", USER, "n,,", S(""), false, false, AUTH_FAIL, ""},
        {"SCRAM-SHA-256-PLUS", USER, "p=tls-unique,,", S("x"), false, false, AUTH_FAIL, ""},
        {"SCRAM-SHA-256", USER, "p=tls-exporter,,", S("exporter bytes"), false, false, AUTH_FAIL, ""},
        {"SCRAM-SHA-256", USER, "y,,", S(""), false, false, AUTH_FAIL,
         ""}, /* -PLUS was offered: a downgrade */
        {"SCRAM-SHA-256", USER, "n,a=off@example.org,", S(""), false, false, AUTH_FAIL,
         "the authorization identity is another account"},
        {"SCRAM-SHA-256", "off@example.org", "pencil", "n,,", S(""), false, false, AUTH_FAIL,
         "unknown user, or no SCRAM keys are stored for it"},
        {"SCRAM-SHA-256", "nobody@example.org", "pencil", "n,,", S(""), false, false, AUTH_FAIL,
         "unknown user, or no SCRAM keys are stored for it"},
        {"SCRAM-SHA-1", "nokeys@example.org", "secret", "n,,", S(""), false, false, AUTH_FAIL,
         "unknown user, or no SCRAM keys are stored for it"},
        {"SCRAM-SHA-256", "us=er", "pencil", "n,,", S(""), false, false, AUTH_FAIL, ""},
        {"SCRAM-SHA-256", USER, "n,,m=x,", S(""), false, false, AUTH_FAIL, ""},
    };
    struct world w;
    world_open(&w);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct auth_outcome o = {0};
        enum auth_result r = converse(&w, &rows[i], true, &o);
        if (r != rows[i].result || strcmp(o.err.log, rows[i].log) != 0)
            fail_msg("row %zu: %d %s", i, r, o.err.log);
        if (r == AUTH_OK)
            assert_string_equal(o.account, "user@example.org");
    }
    /* without TLS "y" is honest */
    struct client plain_y = {"SCRAM-SHA-256", USER, "y,,", S(""), false, false, AUTH_OK, ""};
    struct auth_outcome o;
    assert_int_equal(converse(&w, &plain_y, false, &o), AUTH_OK);
    world_close(&w);
}

/* RFC 4422 A: the certificate says who it is; users that databases know are in tests/server. */
static void external(void **state)
{
    static const struct {
        const char *certified;
        str authzid;
        enum auth_result result;
        int code;
        const char *log;
    } rows[] = {
        {"user@example.org", S(""), AUTH_OK, 0, ""},
        {"User@Example.ORG", S("user@example.org"), AUTH_OK, 0, ""},
        {"user", S(""), AUTH_OK, 0, ""},
        {"user@example.org", S("nokeys@example.org"), AUTH_FAIL, 535,
         "the authorization identity is another account"},
        {"off@example.org", S(""), AUTH_FAIL, 535, "the account is disabled"},
        {"off@example.org", S("user@example.org"), AUTH_FAIL, 535, "the account is disabled"},
        {"nobody@example.org", S("user@example.org"), AUTH_FAIL, 535, "unknown user"},
        {"mail.example.org", S(""), AUTH_FAIL, 535, "unknown user"},
        {"user@example.org", S("user@example.org\0"), AUTH_FAIL, 501, ""},
        {"user@example.org", S("\xff"), AUTH_FAIL, 501, ""},
        {"", S("user@example.org"), AUTH_FAIL, 504, ""},
    };
    struct world w;
    struct conf_report report = {0};
    world_open(&w);
    conf_freep(&w.conf);
    w.conf = conf_parse(S("hostname = mail.example.org\ndomains = example.org\nsystem_users = no\n"
                          "auth_mechanisms = external\n"),
                        "test", &report);
    must(w.conf && report.errors == 0);
    conf_report_deinit(&report);
    w.lookup.conf = w.conf;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct auth_props props = {.service = S("imap"),
                                   .client_ip = S("127.0.0.1"),
                                   .secured = true,
                                   .certified_name = str_c(rows[i].certified)};
        AUTO(auth_session_freep) struct auth_session *s = auth_session_new(w.auth, &w.lookup, &props);
        AUTO(buf_deinit) struct buf data = BUF_INIT(SASL_RESPONSE_MAX);
        enum auth_result r = auth_session_start(s, S("EXTERNAL"), true, rows[i].authzid, 1, &data);
        const struct auth_outcome *o = auth_session_outcome(s);
        if (r != rows[i].result || o->err.code != rows[i].code || strcmp(o->err.log, rows[i].log) != 0)
            fail_msg("row %zu: %d %d %s", i, r, o->err.code, o->err.log);
        if (r == AUTH_OK)
            assert_string_equal(o->account, "user@example.org");
    }
    world_close(&w);
}

static void salt_of(struct world *w, const char *mech, const char *name, char *ret, size_t size)
{
    AUTO(auth_session_freep) struct auth_session *s = session(w, true);
    AUTO(buf_deinit) struct buf data = BUF_INIT(SASL_RESPONSE_MAX), message = BUF_INIT(500);
    struct scram_server_first sf;
    buf_printf(&message, "n,,n=%s,r=abc", name);
    assert_int_equal(auth_session_start(s, str_c(mech), true, buf_str(&message), 1, &data), AUTH_CONTINUE);
    assert_int_equal(scram_server_first_parse(buf_str(&data), &sf), RC_OK);
    assert_int_equal(str_copy(ret, size, sf.salt), RC_OK);
}

/* Accounts that do not exist have a salt that looks like one and stays the same. */
static void made_up_salts(void **state)
{
    struct world w;
    char a[64], b[64], c[64], d[64], real[64];
    world_open(&w);
    salt_of(&w, "SCRAM-SHA-256", "nobody@example.org", a, sizeof a);
    salt_of(&w, "SCRAM-SHA-256", "NOBODY@example.org", b, sizeof b);
    salt_of(&w, "SCRAM-SHA-256", "nobody2@example.org", c, sizeof c);
    salt_of(&w, "SCRAM-SHA-1", "nobody@example.org", d, sizeof d);
    salt_of(&w, "SCRAM-SHA-256", "user@example.org", real, sizeof real);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    assert_string_not_equal(a, d);
    assert_int_equal(strlen(a), strlen(real));
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain), cmocka_unit_test(login),         cmocka_unit_test(what_is_offered),
        cmocka_unit_test(scram), cmocka_unit_test(made_up_salts), cmocka_unit_test(external),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
