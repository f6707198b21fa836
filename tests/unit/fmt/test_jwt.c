/* fmt/jwt: the example of RFC 7515, broken tokens, and sets of keys. */
#include "fmt/jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ARENA = 1 << 20 };

/* RFC 7515 §A.3 */
static void example(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA);
    struct jwt t;
    int64_t expires = 0;
    str text =
        S("eyJhbGciOiJFUzI1NiJ9."
          "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
          ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
    assert_int_equal(jwt_parse(text, a, &t), RC_OK);
    assert_true(str_eq(t.alg, S("ES256")));
    assert_int_equal(t.kid.n, 0);
    assert_int_equal(t.signature.n, 64);
    assert_true(str_eq(t.signed_text, str_sub(text, 0, text.n - 87)));
    assert_true(str_eq(json_find_text(t.claims, S("iss")), S("joe")));
    assert_int_equal(json_find_seconds(t.claims, S("exp"), &expires), RC_OK);
    assert_int_equal(expires, 1300819380);
    /* without a signature it is one of three parts, the last of them empty (RFC 7519 §6.1) */
    assert_int_equal(jwt_parse(S("eyJhbGciOiAibm9uZSIsICJraWQiOiAiayJ9.e30."), a, &t), RC_OK);
    assert_true(str_eq(t.alg, S("none")) && str_eq(t.kid, S("k")));
    assert_int_equal(t.signature.n, 0);
}

static void broken(void **state)
{
    static const struct {
        const char *what;
        str text;
    } rows[] = {
        {"''", S("")},
        {"one part", S("eyJhbGciOiAiRVMyNTYifQ")},
        {"two parts",
         S("eyJhbGciOiJFUzI1NiJ9."
           "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ")},
        {"four parts",
         S("eyJhbGciOiJFUzI1NiJ9."
           "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
           "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q.x")},
        {"five parts", S("eyJhbGciOiAiZGlyIiwgImVuYyI6ICJBMTI4R0NNIn0..e30.AA.AA")},
        {"padding",
         S("eyJhbGciOiJFUzI1NiJ9."
           "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
           "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q==")},
        {"base64", S("eyJhbGciOiJFUzI1NiJ9."
                     "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp"
                     "0cnVlfQ.+/8")},
        {"no JSON", S("eA.e30.AA")},
        {"a list", S("W10.e30.AA")},
        {"claims a list", S("eyJhbGciOiAiRVMyNTYifQ.W10.AA")},
        {"no alg", S("eyJ0eXAiOiAiSldUIn0.e30.AA")},
        {"alg a number", S("eyJhbGciOiAxfQ.e30.AA")},
        {"alg twice", S("eyJhbGciOiJFUzI1NiIsImFsZyI6Im5vbmUifQ.e30.AA")},
        {"crit", S("eyJhbGciOiAiRVMyNTYiLCAiY3JpdCI6IFsiZXhwIl19.e30.AA")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(ARENA);
        struct jwt t;
        if (jwt_parse(rows[i].text, a, &t) != RC_INVALID)
            fail_msg("%s", rows[i].what);
    }
}

/* RFC 7519 §4.1.3: a text, or a list of them */
static void audiences(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA);
    const struct json_value *v;
    assert_int_equal(
        json_read(S("{\"one\":\"x\",\"list\":[\"y\",1,\"x\"],\"number\":1,\"object\":{\"x\":\"x\"}}"), a, &v),
        RC_OK);
    assert_true(jwt_claim_has(v, S("one"), S("x")));
    assert_false(jwt_claim_has(v, S("one"), S("y")));
    assert_true(jwt_claim_has(v, S("list"), S("x")));
    assert_false(jwt_claim_has(v, S("list"), S("z")));
    assert_false(jwt_claim_has(v, S("list"), S("1")));
    assert_false(jwt_claim_has(v, S("number"), S("1")));
    assert_false(jwt_claim_has(v, S("object"), S("x")));
    assert_false(jwt_claim_has(v, S("none"), S("")));
}

/* RFC 7517 §5: keys that are not understood are passed over */
static void key_sets(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA);
    struct jwk k[4];
    size_t n;
    str set = S(
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"},{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"kid\":"
        "\"r\","
        "\"alg\":\"RS256\",\"use\":\"sig\"},{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"use\":\"enc\"},"
        "{\"kty\":\"RSA\",\"n\":\"+/\",\"e\":\"AQAB\"},{\"kty\":\"RSA\",\"e\":\"AQAB\"},"
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"Ag\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}]"
        "}");
    assert_int_equal(jwk_read_set(set, a, 4, k, &n), RC_OK);
    assert_int_equal(n, 2);
    assert_int_equal(k[0].type, JWK_RSA);
    assert_true(str_eq(k[0].kid, S("r")) && str_eq(k[0].alg, S("RS256")) && str_eq(k[0].e, S("\1\0\1")));
    assert_int_equal(k[1].type, JWK_EC);
    assert_true(str_eq(k[1].curve, S("P-256")) && str_eq(k[1].x, S("\1")) && str_eq(k[1].y, S("\2")));
    assert_int_equal(jwk_read_set(set, a, 1, k, &n), RC_LIMIT);
    assert_int_equal(jwk_read_set(S("{\"keys\":[]}"), a, 4, k, &n), RC_OK);
    assert_int_equal(n, 0);
    static const str broken_sets[] = {
        S(""), S("{}"), S("[]"), S("{\"keys\":{}}"), S("{\"keys\":1}"), S("{\"keys\":[")};
    for (size_t i = 0; i < sizeof broken_sets / sizeof *broken_sets; i++)
        assert_int_equal(jwk_read_set(broken_sets[i], a, 4, k, &n), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example),
        cmocka_unit_test(broken),
        cmocka_unit_test(audiences),
        cmocka_unit_test(key_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
