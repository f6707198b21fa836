/* fmt/oauth2: messages of OAUTHBEARER and XOAUTH2, their errors, and what a token must claim. */
#include "fmt/oauth2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef enum rc parser(str message, struct oauth2_message *ret);

struct row {
    str message;
    enum rc rc;
    const char *user, *token;
};

static void check(parser *parse, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct oauth2_message m = {.user = S(""), .token = S("")};
        if (parse(rows[i].message, &m) != rows[i].rc || !str_eq(m.user, str_c(rows[i].user)) ||
            !str_eq(m.token, str_c(rows[i].token)))
            fail_msg("row %zu", i);
    }
}

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static void oauthbearer(void **state)
{
    static const struct row rows[] = {
        /* RFC 7628 §4.1 */
        {S("n,a=user@example.com,\1host=server.example.com\1port=143\1"
           "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1"),
         RC_OK, "user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="},
        /* §4.3: what is needed? */
        {S("n,a=user@example.com,\1host=server.example.com\1port=143\1auth=\1\1"), RC_OK, "user@example.com",
         ""},
        {S("y,,\1auth=bearer x.y-z_~+/\1\1"), RC_OK, "", "x.y-z_~+/"},
        {S("n,a=u=2Cv,\1auth=Bearer x\1\1"), RC_OK, "u=2Cv", "x"},
        {S("p=tls-exporter,,\1auth=Bearer x\1\1"), RC_INVALID, "", ""},
        {S(""), RC_INVALID, "", ""},
        {S("\1"), RC_INVALID, "", ""},
        {S("n,,"), RC_INVALID, "", ""},
        {S("n,,\1\1"), RC_INVALID, "", ""},
        {S("n,\1auth=Bearer x\1\1"), RC_INVALID, "", ""},
        {S("n,,\1auth=Bearer x\1"), RC_INVALID, "", ""},
        {S("n,,\1auth=Bearer x"), RC_INVALID, "", ""},
        {S("n,,\1auth=Bearer x\1\1\1"), RC_INVALID, "", ""},
        {S("n,,\1auth=Bearer x\1\1more"), RC_INVALID, "", ""},
        {S("n,,auth=Bearer x\1\1"), RC_INVALID, "", ""},
        {S("n,,\1host=x\1\1"), RC_INVALID, "", ""},
        {S("n,,\1auth=Bearer x\1auth=Bearer y\1\1"), RC_INVALID, "", ""},
        {S("n,,\1auth\1\1"), RC_INVALID, "", ""},
        {S("n,,\1=x\1auth=Bearer x\1\1"), RC_INVALID, "", ""},
        {S("n,,\1auth=Basic x\1\1"), RC_INVALID, "", ""},
        {S("n,,\1auth=Bearer\1\1"), RC_INVALID, "", ""},
        {S("n,,\1auth=Bearer ==\1\1"), RC_INVALID, "", ""},
        {S("n,,\1auth=Bearer x y\1\1"), RC_INVALID, "", ""},
        {S("n,,\1auth=Bearer x\r\nHost: y\1\1"), RC_INVALID, "", ""},
        {S("n,,\1auth=Bearer x\0\1\1"), RC_INVALID, "", ""},
        {S("n,a=,\1auth=Bearer x\1\1"), RC_INVALID, "", ""},
        {S("n,b=user,\1auth=Bearer x\1\1"), RC_INVALID, "", ""},
        {S("n,a=user\1auth=Bearer x\1\1"), RC_INVALID, "", ""},
    };
    check(oauth2_parse_oauthbearer, rows, COUNT(rows));
}

static void xoauth2(void **state)
{
    static const struct row rows[] = {
        {S("user=someuser@example.com\1auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\1\1"), RC_OK,
         "someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"},
        {S("user=u\1auth=\1\1"), RC_OK, "u", ""},
        {S("auth=Bearer x\1user=u\1\1"), RC_OK, "u", "x"},
        {S("user=u\1auth=Bearer x\1"), RC_INVALID, "", ""},
        {S("user=\1auth=Bearer x\1\1"), RC_INVALID, "", ""},
        {S("auth=Bearer x\1\1"), RC_INVALID, "", ""},
        {S("user=u\1\1"), RC_INVALID, "", ""},
        {S("user=u\1user=v\1auth=Bearer x\1\1"), RC_INVALID, "", ""},
        {S("user=u\1auth=Bearer x y\1\1"), RC_INVALID, "", ""},
        {S(""), RC_INVALID, "", ""},
    };
    check(oauth2_parse_xoauth2, rows, COUNT(rows));
}

static void errors(void **state)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(500);
    const struct oauth2_about all = {S("mail \"x\""), S("https://x/")}, nothing = {S(""), S("")};
    oauth2_put_oauthbearer_error(&b, OAUTH2_INVALID_TOKEN, &all);
    assert_string_equal(buf_cstr(&b), "{\"status\":\"invalid_token\",\"scope\":\"mail \\\"x\\\"\","
                                      "\"openid-configuration\":\"https://x/\"}");
    buf_reset(&b);
    oauth2_put_oauthbearer_error(&b, OAUTH2_INSUFFICIENT_SCOPE, &nothing);
    assert_string_equal(buf_cstr(&b), "{\"status\":\"insufficient_scope\"}");
    buf_reset(&b);
    oauth2_put_xoauth2_error(&b, OAUTH2_INVALID_TOKEN, &nothing);
    assert_string_equal(buf_cstr(&b), "{\"status\":\"401\",\"schemes\":\"bearer\"}");
    buf_reset(&b);
    oauth2_put_xoauth2_error(&b, OAUTH2_INSUFFICIENT_SCOPE, &(struct oauth2_about){.scope = S("mail")});
    assert_string_equal(buf_cstr(&b), "{\"status\":\"403\",\"schemes\":\"bearer\",\"scope\":\"mail\"}");
}

enum { NOW = 1000000 };
#define BAD   OAUTH2_INVALID_TOKEN
#define LACKS OAUTH2_INSUFFICIENT_SCOPE

/* now is 1,000,000 */
static void claims(void **state)
{
    static const struct oauth2_rules plain = {.username = S("email")},
                                     local = {.username = S("email"), .needs_expiry = true},
                                     strict = {.username = S("sub"),
                                               .active = S("status"),
                                               .active_value = S("yes"),
                                               .scope = S("mail read"),
                                               .issuers = S("https://a https://b"),
                                               .audiences = S("imap smtp")},
                                     active = {.username = S("email"), .active = S("on")};
#define STRICT(status, scope, iss, aud) \
    "{\"sub\":\"joe\",\"status\":\"" status "\",\"scope\":" scope ",\"iss\":\"" iss "\",\"aud\":" aud "}"
    static const struct {
        const struct oauth2_rules *rules;
        const char *text;
        enum oauth2_verdict verdict;
        const char *user, *why;
    } rows[] = {
        {&plain, "{\"email\":\"joe@x.y\"}", OAUTH2_VALID, "joe@x.y", ""},
        {&plain, "{\"email\":\"joe@x.y\",\"active\":true,\"exp\":1000001}", OAUTH2_VALID, "joe@x.y", ""},
        {&plain, "{\"email\":\"joe@x.y\",\"exp\":\"1000001\",\"expires_in\":\"1\"}", OAUTH2_VALID, "joe@x.y",
         ""},
        {&plain, "{\"email\":\"joe@x.y\",\"active\":false}", BAD, "", "the token is not active"},
        {&plain, "{\"email\":\"joe@x.y\",\"exp\":1000000}", BAD, "", "the token is expired"},
        {&plain, "{\"email\":\"joe@x.y\",\"exp\":-1}", BAD, "", "the token is expired"},
        {&plain, "{\"email\":\"joe@x.y\",\"exp\":\"never\"}", BAD, "", "the token is expired"},
        {&plain, "{\"email\":\"joe@x.y\",\"expires_in\":0}", BAD, "", "the token is expired"},
        {&plain, "{\"email\":\"joe@x.y\",\"nbf\":1000060,\"iat\":1000060}", OAUTH2_VALID, "joe@x.y", ""},
        {&plain, "{\"email\":\"joe@x.y\",\"nbf\":1000061}", BAD, "", "the token is not valid yet"},
        {&plain, "{\"email\":\"joe@x.y\",\"iat\":1000061}", BAD, "", "the token is not valid yet"},
        {&plain, "{\"email\":\"joe@x.y\",\"iat\":[]}", BAD, "", "the token is not valid yet"},
        {&plain, "{}", BAD, "", "the token does not say whose it is"},
        {&plain, "{\"email\":\"\"}", BAD, "", "the token does not say whose it is"},
        {&plain, "{\"email\":[\"joe@x.y\"]}", BAD, "", "the token does not say whose it is"},
        {&plain, "{\"email\":\"joe\\u0000@x.y\"}", BAD, "", "the token does not say whose it is"},
        {&local, "{\"email\":\"joe@x.y\"}", BAD, "", "the token does not say when it expires"},
        {&local, "{\"email\":\"joe@x.y\",\"exp\":1000001}", OAUTH2_VALID, "joe@x.y", ""},
        {&active, "{\"email\":\"joe@x.y\",\"on\":true}", OAUTH2_VALID, "joe@x.y", ""},
        {&active, "{\"email\":\"joe@x.y\",\"on\":false}", BAD, "", "the token is not active"},
        {&active, "{\"email\":\"joe@x.y\",\"on\":null}", BAD, "", "the token is not active"},
        {&active, "{\"email\":\"joe@x.y\"}", BAD, "", "the token is not active"},
        {&strict, STRICT("yes", "\"read mail x\"", "https://b", "\"imap\""), OAUTH2_VALID, "joe", ""},
        {&strict, STRICT("yes", "[\"mail\",\"read\"]", "https://a", "[\"x\",\"smtp\"]"), OAUTH2_VALID, "joe",
         ""},
        {&strict, STRICT("no", "\"read mail\"", "https://b", "\"imap\""), BAD, "", "the token is not active"},
        {&strict, STRICT("yes", "\"mail\"", "https://b", "\"imap\""), LACKS, "",
         "the token is not for the scope that is asked for"},
        {&strict, STRICT("yes", "\"mailread\"", "https://b", "\"imap\""), LACKS, "",
         "the token is not for the scope that is asked for"},
        {&strict, STRICT("yes", "1", "https://b", "\"imap\""), LACKS, "",
         "the token is not for the scope that is asked for"},
        {&strict, STRICT("yes", "\"mail read\"", "https://c", "\"imap\""), BAD, "",
         "the token is of another issuer"},
        {&strict, STRICT("yes", "\"mail read\"", "https://a https://b", "\"imap\""), BAD, "",
         "the token is of another issuer"},
        {&strict, STRICT("yes", "\"mail read\"", "https://a", "\"web\""), BAD, "",
         "the token is for another audience"},
        {&strict, STRICT("yes", "\"mail read\"", "https://a", "[]"), BAD, "",
         "the token is for another audience"},
        {&strict, "{\"sub\":\"joe\",\"status\":\"yes\",\"scope\":\"mail read\",\"aud\":\"imap\"}", BAD, "",
         "the token is of another issuer"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
        const struct json_value *v;
        const char *why = "";
        str user = S("");
        must(json_read(str_c(rows[i].text), a, &v) == RC_OK);
        if (oauth2_judge(rows[i].rules, v, NOW, &user, &why) != rows[i].verdict ||
            !str_eq(user, str_c(rows[i].user)) || strcmp(why, rows[i].why) != 0)
            fail_msg("row %zu: %s", i, why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oauthbearer),
        cmocka_unit_test(xoauth2),
        cmocka_unit_test(errors),
        cmocka_unit_test(claims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
