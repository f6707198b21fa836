/* account/password: hashes that OpenSSL, libxcrypt, argon2 and Python made, and round trips of our own. */
#include "account/password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* All of "secret", but where the row says otherwise. */
static const str of_secret[] = {
    S("$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG."),
    S("{SHA512-CRYPT}$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/"
      "cZ/1GM/O6IND4WQhG."),
    S("{CRYPT}$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM."),
    S("{MD5-CRYPT}$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1"),
    S("{BLF-CRYPT}$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"),
    S("{PLAIN}secret"),
    S("{plain}secret"),
    S("{CLEARTEXT}secret"),
    S("{PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69"),
    S("{LDAP-MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ=="),
    S("{SMD5}mc0uWpXVVe5747A4pKhGJXNhbHQ="),
    S("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="),
    S("{SHA1}e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"),
    S("{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0"),
    S("{SSHA.hex}8152bc582f58c854f580cb101d3182813dec4afe73616c74"),
    S("{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols="),
    S("{SHA256.b64}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols="),
    S("{SSHA256}+E+iFJ27Yu1ODPH1UNKUmzOmUT06dwfghQJRHHnMsO5zYWx0"),
    S("{SHA512}vSsar3708Jvp9Szi2NWZZ02Bqp1qRCFpbcTZPdBhnWgs5WtNZKnvCXdhztmeD2cmW192CF5bDufKRpayrW/isg=="),
    S("{SSHA512}E491yrR9AdCoE7rbOPYS3EZgSuZpVE65AD9xko08s6floNesY/"
      "Zpe9zMVvLix4S2FiQSJ99RIkNvhHomNO9uL3NhbHQ="),
};

static void foreign_hashes(void **state)
{
    for (size_t i = 0; i < COUNT(of_secret); i++) {
        assert_int_equal(password_verify(of_secret[i], S("secret")), RC_OK);
        assert_int_equal(password_verify(of_secret[i], S("Secret")), RC_PERM);
        assert_int_equal(password_verify(of_secret[i], S("secret2")), RC_PERM);
        assert_int_equal(password_verify(of_secret[i], S("")), RC_PERM);
        assert_true(password_is_stored_form(of_secret[i]));
    }
}

static void argon2_reference(void **state)
{
    /* from the reference implementation's test.c */
    str bare = S("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4");
    str named =
        S("{ARGON2ID}$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4");
    assert_int_equal(password_verify(bare, S("password")), RC_OK);
    assert_int_equal(password_verify(named, S("password")), RC_OK);
    assert_int_equal(password_verify(named, S("passwore")), RC_PERM);
}

static void scram_example(void **state)
{
    /* made from RFC 7677 §3: salt, 4096 iterations, "pencil" */
    str stored =
        S("{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
          "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
    assert_int_equal(password_verify(stored, S("pencil")), RC_OK);
    assert_int_equal(password_verify(stored, S("pencils")), RC_PERM);
}

static void unknown_forms(void **state)
{
    static const str rows[] = {
        S(""),
        S("secret"),
        S("{"),
        S("{}secret"),
        S("{ROT13}frperg"),
        S("{PLAIN.rot13}secret"),
        S("$0$nothing"),
        S("{CRYPT}"),
        S("{CRYPT}*"),
        S("!$6$abcdefgh$ltjgWl6579NluT"),
        S("{SHA256}K7gNU3sdo"),
        S("{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ="),    /* no salt */
        S("{SHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0"), /* bytes left over */
        S("{SSHA}not base64 at all"),
        S("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ"),
        S("{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,AAAA,AAAA"),
        S("{SCRAM-SHA-256}0,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
          "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="),
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(password_verify(rows[i], S("secret")), RC_INVALID);
        assert_false(password_is_stored_form(rows[i]));
    }
}

static void own_hashes(void **state)
{
    static const struct {
        const char *name;
        str start;
    } rows[] = {
        {"yescrypt", S("$y$")}, {"argon2id", S("{ARGON2ID}$argon2id$")},       {"sha512-crypt", S("$6$")},
        {"bcrypt", S("$2b$")},  {"scram-sha-256", S("{SCRAM-SHA-256}10000,")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO(buf_deinit) struct buf a = BUF_INIT(PASSWORD_STORED_MAX), b = BUF_INIT(PASSWORD_STORED_MAX);
        enum password_scheme scheme;
        assert_int_equal(password_scheme_parse(str_c(rows[i].name), &scheme), RC_OK);
        assert_int_equal(password_hash(scheme, S("caf\xc3\xa9 horse"), &a), RC_OK);
        assert_int_equal(password_hash(scheme, S("caf\xc3\xa9 horse"), &b), RC_OK);
        assert_true(str_starts(buf_str(&a), rows[i].start));
        assert_false(str_eq(buf_str(&a), buf_str(&b))); /* salted */
        assert_int_equal(password_verify(buf_str(&a), S("caf\xc3\xa9 horse")), RC_OK);
        /* typed with a combining accent: the prepared form is the same */
        assert_int_equal(password_verify(buf_str(&a), S("cafe\xcc\x81 horse")), RC_OK);
        assert_int_equal(password_verify(buf_str(&a), S("cafe horse")), RC_PERM);
    }
    enum password_scheme scheme;
    assert_int_equal(password_scheme_parse(S("rot13"), &scheme), RC_INVALID);
}

static void check_maker(void *ctx, const char *name)
{
    AUTO(buf_deinit) struct buf a = BUF_INIT(PASSWORD_STORED_MAX), b = BUF_INIT(PASSWORD_STORED_MAX);
    const str password = S("correct horse");
    assert_int_equal(password_make(str_c(name), password, 0, &a), RC_OK);
    assert_int_equal(a.p[0], '{');
    assert_true(str_istarts(str_from(buf_str(&a), 1), str_c(name)));
    assert_int_equal(password_verify(buf_str(&a), password), RC_OK);
    assert_int_equal(password_verify(buf_str(&a), S("correct horsf")), RC_PERM);
    assert_int_equal(password_make(str_c(name), password, 0, &b), RC_OK);
    bool salted = !str_eq(buf_str(&a), buf_str(&b));
    bool plain = strstr("CLEAR CLEARTEXT PLAIN PLAIN-MD5 LDAP-MD5 SHA SHA1 SHA256 SHA512", name) != NULL;
    assert_true(salted != plain);
    ++*(int *)ctx;
}

static void schemes_of_dovecot(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(PASSWORD_STORED_MAX);
    int n = 0;
    password_each_maker(check_maker, &n);
    assert_int_equal(n, 22);
    assert_int_equal(password_make(S("ssha512"), S("x"), 0, &out), RC_OK);
    assert_int_equal(password_make(S("ROT13"), S("x"), 0, &out), RC_GONE);
    buf_reset(&out);
    assert_int_equal(password_make(S("BLF-CRYPT"), S("x"), 6, &out), RC_OK);
    assert_true(str_starts(buf_str(&out), S("{BLF-CRYPT}$2y$06$")));
    assert_int_equal(password_make(S("BLF-CRYPT"), S("x"), 99, &out), RC_PERM);
    assert_int_equal(password_make(S("SHA512-CRYPT"), S("a\0b"), 0, &out), RC_INVALID);
}

static void limits(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(PASSWORD_STORED_MAX);
    char big[600];
    memset(big, 'x', sizeof big);
    assert_int_equal(password_hash(PASSWORD_YESCRYPT, str_mem(big, sizeof big), &out), RC_LIMIT);
    assert_int_equal(password_hash(PASSWORD_YESCRYPT, S("a\0b"), &out), RC_INVALID);
    assert_int_equal(password_verify(of_secret[0], str_mem(big, sizeof big)), RC_PERM);
    assert_int_equal(password_verify(of_secret[0], S("secret\0x")), RC_PERM);
    struct err e;
    assert_int_equal(password_prepare(str_mem(big, sizeof big), &out, &e), RC_LIMIT);
    assert_int_equal(password_prepare(S(""), &out, &e), RC_INVALID);
    assert_int_equal(password_prepare(S("a\tb"), &out, &e), RC_INVALID);
    assert_int_equal(password_prepare(S("a b"), &out, &e), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_hashes), cmocka_unit_test(argon2_reference),
        cmocka_unit_test(scram_example),  cmocka_unit_test(unknown_forms),
        cmocka_unit_test(own_hashes),     cmocka_unit_test(schemes_of_dovecot),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
