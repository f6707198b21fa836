/* account/scram_keys: the keys, proofs and signatures of RFC 5802 §5 and RFC 7677 §3, and the text form. */
#include "account/scram_keys.h"
#include "base/enc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct example {
    enum crypto_hash hash;
    str salt, auth_message, proof, signature;
};

static const struct example examples[] = {
    {CRYPTO_SHA1, S("QSXCR+Q6sek8bf92"),
     S("n=user,r=fyko+d2lbbFgONRv9qkxdawL,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i="
       "4096,"
       "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j"),
     S("v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="), S("rmF9pqV8S7suAoZWja4dJRkFsKQ=")},
    {CRYPTO_SHA256, S("W22ZaJ0SNY7soEsUEjb6gQ=="),
     S("n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
       "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"),
     S("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), S("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")},
};

static void rfc_examples(void **state)
{
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const struct example *x = &examples[i];
        size_t size = crypto_hash_size(x->hash);
        AUTO(buf_deinit) struct buf salt = BUF_INIT(64), proof = BUF_INIT(64), signature = BUF_INIT(64);
        assert_int_equal(enc_base64_decode(&salt, x->salt), RC_OK);
        assert_int_equal(enc_base64_decode(&proof, x->proof), RC_OK);
        assert_int_equal(enc_base64_decode(&signature, x->signature), RC_OK);

        struct scram_keys keys;
        unsigned char got[CRYPTO_DIGEST_MAX];
        scram_keys_derive(x->hash, S("pencil"), buf_str(&salt), 4096, &keys);
        scram_client_proof(x->hash, S("pencil"), buf_str(&salt), 4096, x->auth_message, got);
        assert_memory_equal(got, proof.p, size);
        scram_keys_sign(&keys, x->auth_message, got);
        assert_memory_equal(got, signature.p, size);

        assert_true(scram_keys_check_proof(&keys, x->auth_message, buf_str(&proof)));
        assert_false(scram_keys_check_proof(&keys, S("another"), buf_str(&proof)));
        assert_false(scram_keys_check_proof(&keys, x->auth_message, str_sub(buf_str(&proof), 0, size - 1)));
        assert_false(scram_keys_check_proof(&keys, x->auth_message, STR_NONE));
        proof.p[0] ^= 1;
        assert_false(scram_keys_check_proof(&keys, x->auth_message, buf_str(&proof)));
        assert_true(scram_keys_match(&keys, S("pencil")));
        assert_false(scram_keys_match(&keys, S("Pencil")));
    }
}

static void text_form(void **state)
{
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        struct scram_keys keys, back;
        AUTO(buf_deinit) struct buf text = BUF_INIT(500);
        scram_keys_make(examples[i].hash, S("x"), &keys);
        scram_keys_put(&text, &keys);
        assert_int_equal(scram_keys_parse(buf_str(&text), &back), RC_OK);
        assert_memory_equal(&keys, &back, sizeof keys);
        for (size_t n = 0; n < text.n; n++)
            assert_int_equal(scram_keys_parse(str_sub(buf_str(&text), 0, n), &back), RC_INVALID);
        buf_putc(&text, ',');
        buf_putc(&text, 'A');
        assert_int_equal(scram_keys_parse(buf_str(&text), &back), RC_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rfc_examples), cmocka_unit_test(text_form)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
