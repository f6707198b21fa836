/* fmt/sasl: RFC 4616's examples, broken messages, the base64 wire form. */
#include "fmt/sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void assert_str(str got, str want)
{
    assert_int_equal(got.n, want.n);
    if (want.n > 0)
        assert_memory_equal(got.p, want.p, want.n);
}

static void mechanism_names(void **state)
{
    for (int i = 0; i < SASL_MECH_COUNT; i++) {
        enum sasl_mech mech = SASL_MECH_COUNT;
        assert_int_equal(sasl_mech_parse(sasl_mech_name((enum sasl_mech)i), &mech), RC_OK);
        assert_int_equal(mech, i);
        assert_int_equal(sasl_mech_is_plus(mech), str_ends(sasl_mech_name(mech), S("-PLUS")));
    }
    enum sasl_mech mech = SASL_MECH_COUNT;
    assert_int_equal(sasl_mech_parse(S("scram-sha-256-plus"), &mech), RC_OK);
    assert_int_equal(mech, SASL_SCRAM_SHA_256_PLUS);
    assert_int_equal(sasl_mech_parse(S("CRAM-MD5"), &mech), RC_PERM);
    assert_int_equal(sasl_mech_parse(S(""), &mech), RC_PERM);
    assert_true(sasl_mech_is_plaintext(SASL_LOGIN));
    assert_false(sasl_mech_is_plaintext(SASL_SCRAM_SHA_1));
}

/* RFC 4616 §4 */
static void plain_examples(void **state)
{
    struct sasl_plain p;
    assert_int_equal(sasl_plain_parse(S("\0tim\0tanstaaftanstaaf"), &p), RC_OK);
    assert_str(p.authzid, S(""));
    assert_str(p.authcid, S("tim"));
    assert_str(p.password, S("tanstaaftanstaaf"));
    assert_int_equal(sasl_plain_parse(S("Ursel\0Kurt\0xipj3plmq"), &p), RC_OK);
    assert_str(p.authzid, S("Ursel"));
    assert_str(p.authcid, S("Kurt"));
    assert_str(p.password, S("xipj3plmq"));

    AUTO(buf_deinit) struct buf out = BUF_INIT(100);
    sasl_plain_put(&out, &p);
    assert_str(buf_str(&out), S("Ursel\0Kurt\0xipj3plmq"));
}

/* RFC 4422 A.1 */
static void external(void **state)
{
    static const struct {
        str in;
        enum rc rc;
    } rows[] = {
        {S(""), RC_OK},
        {S("fred@example.com"), RC_OK},
        {S("j\xc3\xb6rg"), RC_OK},
        {S("\0"), RC_INVALID},
        {S("fred\0"), RC_INVALID},
        {S("j\xf6rg"), RC_INVALID},
        {S("fr\0ed"), RC_INVALID},
    };
    char long_name[SASL_NAME_MAX + 1];
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(sasl_external_check(rows[i].in), rows[i].rc);
    memset(long_name, 'x', sizeof long_name);
    assert_int_equal(sasl_external_check(str_mem(long_name, SASL_NAME_MAX)), RC_OK);
    assert_int_equal(sasl_external_check(str_mem(long_name, sizeof long_name)), RC_LIMIT);
}

static void plain_broken(void **state)
{
    static const struct {
        str in;
        enum rc rc;
    } rows[] = {
        {S(""), RC_INVALID},
        {S("tim"), RC_INVALID},
        {S("\0tim"), RC_INVALID},
        {S("\0\0password"), RC_INVALID},
        {S("\0tim\0"), RC_INVALID},
        {S("\0tim\0pass\0word"), RC_INVALID},
        {S("\0tim\0\xc3\x28"), RC_INVALID},
        {S("\xff\0tim\0password"), RC_INVALID},
        {S("\0t\0p"), RC_OK},
        {S("\0j\xc3\xbcrgen@example.org\0p\xc3\xa4\xc3\x9f"), RC_OK},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sasl_plain p = {.authcid = S("untouched")};
        assert_int_equal(sasl_plain_parse(rows[i].in, &p), rows[i].rc);
        if (rows[i].rc != RC_OK)
            assert_str(p.authcid, S("untouched"));
    }
}

static void plain_limits(void **state)
{
    char big[SASL_PASSWORD_MAX + 4] = {0};
    struct sasl_plain p;
    memset(big + 1, 'u', 1);
    memset(big + 3, 'p', SASL_PASSWORD_MAX + 1);
    assert_int_equal(sasl_plain_parse(str_mem(big, 3 + SASL_PASSWORD_MAX), &p), RC_OK);
    assert_int_equal(sasl_plain_parse(str_mem(big, 4 + SASL_PASSWORD_MAX), &p), RC_LIMIT);
    memset(big + 1, 'u', SASL_NAME_MAX + 1);
    big[SASL_NAME_MAX + 1] = '\0';
    assert_int_equal(sasl_plain_parse(str_mem(big, SASL_NAME_MAX + 10), &p), RC_OK);
    big[SASL_NAME_MAX + 1] = 'u';
    big[SASL_NAME_MAX + 2] = '\0';
    assert_int_equal(sasl_plain_parse(str_mem(big, SASL_NAME_MAX + 10), &p), RC_LIMIT);
}

static void login_values(void **state)
{
    assert_int_equal(sasl_login_check(S("tim"), 3), RC_OK);
    assert_int_equal(sasl_login_check(S("tim"), 2), RC_LIMIT);
    assert_int_equal(sasl_login_check(S(""), 2), RC_INVALID);
    assert_int_equal(sasl_login_check(S("a\0b"), 9), RC_INVALID);
}

static void wire_form(void **state)
{
    static const struct {
        str line;
        bool initial;
        enum rc rc;
        str value;
    } rows[] = {
        {S("AHRpbQB0YW5zdGFhZnRhbnN0YWFm"), true, RC_OK, S("\0tim\0tanstaaftanstaaf")},
        {S("="), true, RC_OK, S("")},
        {S(""), false, RC_OK, S("")},
        {S("="), false, RC_INVALID, S("")},
        {S("*"), false, RC_GONE, S("")},
        {S("*"), true, RC_GONE, S("")},
        {S("AHRpb"), false, RC_INVALID, S("")},
        {S("AHRp bQB0"), false, RC_INVALID, S("")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(SASL_RESPONSE_MAX);
        assert_int_equal(sasl_response_decode(rows[i].line, rows[i].initial, &out), rows[i].rc);
        assert_str(buf_str(&out), rows[i].value);
    }
    char big[(SASL_RESPONSE_MAX + 2) / 3 * 4 + 4];
    memset(big, 'A', sizeof big);
    AUTO(buf_deinit) struct buf out = BUF_INIT(sizeof big);
    assert_int_equal(sasl_response_decode(str_mem(big, sizeof big), false, &out), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mechanism_names), cmocka_unit_test(plain_examples), cmocka_unit_test(external),
        cmocka_unit_test(plain_broken),    cmocka_unit_test(plain_limits),   cmocka_unit_test(login_values),
        cmocka_unit_test(wire_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
