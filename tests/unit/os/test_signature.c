/* os/signature: signatures that are right, wrong, and of another kind than the key. */
#include "base/enc.h"
#include "os/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A key of 2048 bits and its signature of "signed text", made with openssl. */
static const char rsa_n[] = "vhPJDOeetSSzQbUFPGL9zWvQNCM9ZxjDVKaCIulS-FgzL9a_hh8ACmqlB8L8m6_mBguvoYr3wofg"
                            "BmGQA-zUwmuk3oRG178yU-KhXs3TUD06SB2PS8v5ZLxkvyqK6SwPcn_kBNJRJBnpv25YbIA-yB4n"
                            "89lg1ppFOt7l5zD6qFQL9Mqdr796OJKv_YbD8gL_lj6eP9yyJo6T8b11nUMuvEO03DdmAxGXUcLo"
                            "OhUIsszthmD0wAGaZfvFDoeZiECPQSzYqutyfxlFfx-fxuoqRmntKjr8QlwpvnwkII_EdIaYNVsr"
                            "wt8YSgTcfWHqvUZ1D4lrsNJDRrNX3UaQsjAqLw";
static const char rsa_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvhPJDOeetSSzQbUFPGL9\n"
                              "zWvQNCM9ZxjDVKaCIulS+FgzL9a/hh8ACmqlB8L8m6/mBguvoYr3wofgBmGQA+zU\n"
                              "wmuk3oRG178yU+KhXs3TUD06SB2PS8v5ZLxkvyqK6SwPcn/kBNJRJBnpv25YbIA+\n"
                              "yB4n89lg1ppFOt7l5zD6qFQL9Mqdr796OJKv/YbD8gL/lj6eP9yyJo6T8b11nUMu\n"
                              "vEO03DdmAxGXUcLoOhUIsszthmD0wAGaZfvFDoeZiECPQSzYqutyfxlFfx+fxuoq\n"
                              "RmntKjr8QlwpvnwkII/EdIaYNVsrwt8YSgTcfWHqvUZ1D4lrsNJDRrNX3UaQsjAq\n"
                              "LwIDAQAB\n"
                              "-----END PUBLIC KEY-----\n";
static const char rsa_signature[] =
    "TlNdBelyoGBJmDWZGO7zZ4jty-BJilBRU8bLQlGL1ifapjQwlRSXNZpBD0wt_K8HAftffBm8Lzt9"
    "kJEDhAAQM-tw5UDQM0ZOd54ZrE7aWMyDU8C_BjVw3deVmD33Ig7YHBY-COFWbBrU64cbQcOJzHp7"
    "uLb3ZgiE2CJCZZUf7_CSmerZr2xnz6-KdBdjy878t-UEW4gy-_w-0jtntYTfY_cEVS6h7zaJ29HZ"
    "i_5MqtMxUQitLRzrnxrjVVmT0fRTchpsnbk6o4Z_4Ob3nRicrDknI4Zx--jcLTUHlMWD6B4RGleE"
    "OJzthKU4ktijHFXtPrY8MDLcbEBEoNTpg7m34g";
/* One of 1024 bits. */
static const char weak_n[] = "xYzNnIPdRleUEYD6V31E8ITwMQ53UOz2K39DHA9-P6bGO1YfmUGKVmSvj-DjcFGdxMC4Gnn3MgLY"
                             "A9HpYohecLAwy9TYInsRWM9INGBgqKFqpDgx0XycLQrWEJypbNrW6fauYQ_mSt9n1c4x8grnq1vp"
                             "DIhgoAV7jBcnWooQ5Vs";
/* RFC 7515 §A.3 */
static const char ec_x[] = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                  ec_y[] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
static const char ec_text[] = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA"
                              "6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
static const char ec_signature[] =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqP"
    "P3-Kg6NU1Q";

static str decode(const char *text, struct buf *out)
{
    buf_init(out, 1024);
    must(enc_base64url_decode(out, str_c(text)) == RC_OK);
    return buf_str(out);
}

static void rsa(void **state)
{
    AUTO(buf_deinit) struct buf n, signature;
    AUTO(signature_key_freep) struct signature_key *k = NULL, *same = NULL;
    str s = decode(rsa_signature, &signature);
    assert_int_equal(signature_key_rsa(decode(rsa_n, &n), S("\1\0\1"), &k), RC_OK);
    assert_int_equal(signature_key_pem(str_c(rsa_pem), &same), RC_OK);
    assert_int_equal(signature_check(k, S("RS256"), S("signed text"), s), RC_OK);
    assert_int_equal(signature_check(same, S("RS256"), S("signed text"), s), RC_OK);
    assert_int_equal(signature_check(k, S("RS256"), S("signed texts"), s), RC_PERM);
    assert_int_equal(signature_check(k, S("RS384"), S("signed text"), s), RC_PERM);
    assert_int_equal(signature_check(k, S("RS256"), S("signed text"), str_sub(s, 0, s.n - 1)), RC_PERM);
    assert_int_equal(signature_check(k, S("RS256"), S("signed text"), STR_NONE), RC_PERM);
    signature.p[9] = (char)(signature.p[9] ^ 1);
    assert_int_equal(signature_check(k, S("RS256"), S("signed text"), s), RC_PERM);
    static const str others[] = {S("none"), S("None"), S(""), S("HS256"), S("ES256"), S("rs256"), S("PS256")};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(signature_check(k, others[i], S("signed text"), s), RC_INVALID);
}

static void curve(void **state)
{
    AUTO(buf_deinit) struct buf x, y, signature;
    AUTO(signature_key_freep) struct signature_key *k = NULL;
    str s = decode(ec_signature, &signature);
    assert_int_equal(signature_key_ec(S("P-256"), decode(ec_x, &x), decode(ec_y, &y), &k), RC_OK);
    assert_int_equal(signature_check(k, S("ES256"), str_c(ec_text), s), RC_OK);
    assert_int_equal(signature_check(k, S("ES256"), S("another text"), s), RC_PERM);
    assert_int_equal(signature_check(k, S("ES256"), str_c(ec_text), str_sub(s, 0, 63)), RC_PERM);
    assert_int_equal(signature_check(k, S("ES256"), str_c(ec_text), STR_NONE), RC_PERM);
    static const char zeroes[64] = {0}; /* a signature for everything where it is not looked at */
    assert_int_equal(signature_check(k, S("ES256"), str_c(ec_text), str_mem(zeroes, sizeof zeroes)), RC_PERM);
    static const str others[] = {S("none"), S("HS256"), S("RS256"), S("ES384"), S("ES512")};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(signature_check(k, others[i], str_c(ec_text), s), RC_INVALID);
}

static void no_keys(void **state)
{
    AUTO(buf_deinit) struct buf n, weak, x, y;
    struct signature_key *k;
    str modulus = decode(rsa_n, &n), px = decode(ec_x, &x), py = decode(ec_y, &y);
    assert_int_equal(signature_key_rsa(decode(weak_n, &weak), S("\1\0\1"), &k), RC_INVALID);
    assert_int_equal(signature_key_rsa(STR_NONE, S("\1\0\1"), &k), RC_INVALID);
    assert_int_equal(signature_key_rsa(modulus, STR_NONE, &k), RC_INVALID);
    assert_int_equal(signature_key_rsa(modulus, S("\1\0\0\0\0\0\0\0\1"), &k), RC_INVALID);
    assert_int_equal(signature_key_ec(S("P-384"), px, py, &k), RC_INVALID);
    assert_int_equal(signature_key_ec(S("secp256k1"), px, py, &k), RC_INVALID);
    assert_int_equal(signature_key_ec(S("P-256"), px, str_sub(py, 0, 31), &k), RC_INVALID);
    assert_int_equal(signature_key_ec(S("P-256"), px, px, &k), RC_INVALID); /* not on the curve */
    static const str pems[] = {S(""), S("x"),
                               S("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")};
    for (size_t i = 0; i < sizeof pems / sizeof *pems; i++)
        assert_int_equal(signature_key_pem(pems[i], &k), RC_INVALID);
    assert_null(signature_key_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa),
        cmocka_unit_test(curve),
        cmocka_unit_test(no_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
