#include "fmt/oauth2.h"

#include "fmt/json.h"
#include "fmt/jwt.h"
#include "fmt/sasl.h"

#define KVSEP '\001'

/* --- messages --- */

/*   b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="   ; RFC 6750 §2.1 */
bool oauth2_is_token(str s)
{
    while (str_ends(s, S("=")))
        s.n--;
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_alnum(s.p[i]) && (s.p[i] == '\0' || !strchr("-._~+/", s.p[i])))
            return false;
    return s.n > 0;
}

/*   auth = "Bearer" 1*SP b64token, or nothing */
static enum rc take_token(str value, str *ret)
{
    str rest = value, scheme = str_word(&rest);
    *ret = str_trim(rest);
    if (value.n == 0)
        return RC_OK;
    return str_ieq(scheme, S("Bearer")) && oauth2_is_token(*ret) ? RC_OK : RC_INVALID;
}

/*   kvpair = key "=" value kvsep ; and one more kvsep behind the last. The value of `name` is found. */
static enum rc take_pairs(str pairs, str name, str *ret_value)
{
    str value = STR_NONE;
    while (pairs.n > 0 && pairs.p[0] != KVSEP) {
        str pair = str_take(&pairs, KVSEP);
        str key = str_take(&pair, '=');
        if (!pairs.p || !pair.p || key.n == 0)
            return RC_INVALID;
        if (!str_ieq(key, name))
            continue;
        if (value.p)
            return RC_INVALID; /* RFC 7628 §3.1: each key once */
        value = pair;
    }
    if (pairs.n != 1 || !value.p)
        return RC_INVALID;
    *ret_value = value;
    return RC_OK;
}

/*   client-resp = gs2-header kvsep *kvpair kvsep          ; RFC 7628 §3.1
 *   gs2-header  = ( "n" / "y" ) "," [ "a=" saslname ] ","  ; no binding: there is no -PLUS form here */
enum rc oauth2_parse_oauthbearer(str message, struct oauth2_message *ret)
{
    struct oauth2_message m = {.user = S("")};
    str rest = message, flag = str_take(&rest, ','), user = str_take(&rest, ','), auth;
    if (!rest.p || (!str_eq(flag, S("n")) && !str_eq(flag, S("y"))))
        return RC_INVALID;
    if (user.n > 0) {
        m.user = str_from(user, 2);
        if (!str_starts(user, S("a=")) || m.user.n == 0)
            return RC_INVALID;
    }
    if (rest.n == 0 || rest.p[0] != KVSEP || take_pairs(str_from(rest, 1), S("auth"), &auth) != RC_OK ||
        take_token(auth, &m.token) != RC_OK)
        return RC_INVALID;
    *ret = m;
    return RC_OK;
}

/*   "user=" name kvsep "auth=Bearer " token kvsep kvsep */
enum rc oauth2_parse_xoauth2(str message, struct oauth2_message *ret)
{
    struct oauth2_message m;
    str auth;
    if (take_pairs(message, S("user"), &m.user) != RC_OK || m.user.n == 0 ||
        take_pairs(message, S("auth"), &auth) != RC_OK || take_token(auth, &m.token) != RC_OK)
        return RC_INVALID;
    *ret = m;
    return RC_OK;
}

static void put_about(struct json *j, const struct oauth2_about *about)
{
    if (about->scope.n > 0)
        json_put_str(j, "scope", about->scope);
    if (about->configuration.n > 0)
        json_put_str(j, "openid-configuration", about->configuration);
    json_close_object(j);
}

void oauth2_put_oauthbearer_error(struct buf *out, enum oauth2_verdict v, const struct oauth2_about *about)
{
    struct json j = {.out = out};
    json_open_object(&j, NULL);
    json_put_str(&j, "status", v == OAUTH2_INSUFFICIENT_SCOPE ? S("insufficient_scope") : S("invalid_token"));
    put_about(&j, about);
}

void oauth2_put_xoauth2_error(struct buf *out, enum oauth2_verdict v, const struct oauth2_about *about)
{
    struct json j = {.out = out};
    json_open_object(&j, NULL);
    json_put_str(&j, "status", v == OAUTH2_INSUFFICIENT_SCOPE ? S("403") : S("401"));
    json_put_str(&j, "schemes", S("bearer"));
    put_about(&j, about);
}

/* --- claims --- */

static bool is_active(const struct oauth2_rules *r, const struct json_value *claims)
{
    const struct json_value *active = json_find(claims, S("active"));
    if (active && active->kind == JSON_BOOL && !active->yes) /* RFC 7662 §2.2 */
        return false;
    if (r->active.n == 0)
        return true;
    active = json_find(claims, r->active);
    if (!active || active->kind == JSON_NULL)
        return false;
    str value = active->kind == JSON_BOOL ? active->yes ? S("true") : S("false") : active->text;
    return r->active_value.n > 0 ? str_eq(value, r->active_value) : !str_eq(value, S("false"));
}

/* NULL: the time is right. */
static const char *judge_times(const struct oauth2_rules *r, const struct json_value *claims, int64_t now)
{
    int64_t at;
    enum rc rc = json_find_seconds(claims, S("exp"), &at);
    if (rc == RC_GONE && r->needs_expiry)
        return "the token does not say when it expires";
    if (rc == RC_INVALID || (rc == RC_OK && at <= now))
        return "the token is expired";
    rc = json_find_seconds(claims, S("expires_in"), &at);
    if (rc == RC_INVALID || (rc == RC_OK && at == 0))
        return "the token is expired";
    static const str starts[] = {S("nbf"), S("iat")};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        rc = json_find_seconds(claims, starts[i], &at);
        if (rc == RC_INVALID || (rc == RC_OK && at > now + OAUTH2_LEEWAY_S))
            return "the token is not valid yet";
    }
    return NULL;
}

static bool claims_one(const struct json_value *claims, str name, str words)
{
    for (str word; (word = str_word(&words)).n > 0;)
        if (jwt_claim_has(claims, name, word))
            return true;
    return false;
}

/* RFC 8693 §4.2, RFC 7662 §2.2: scopes are words of one text; some servers give a list. */
static bool has_scopes(const struct json_value *claims, str words)
{
    str granted = json_find_text(claims, S("scope"));
    for (str word; (word = str_word(&words)).n > 0;) {
        bool found = !granted.p && jwt_claim_has(claims, S("scope"), word);
        for (str rest = granted, one; !found && (one = str_word(&rest)).n > 0;)
            found = str_eq(one, word);
        if (!found)
            return false;
    }
    return true;
}

enum oauth2_verdict oauth2_judge(const struct oauth2_rules *r, const struct json_value *claims, int64_t now,
                                 str *ret_user, const char **ret_why)
{
    str user = json_find_text(claims, r->username);
    const char *why = judge_times(r, claims, now);
    if (!is_active(r, claims))
        why = "the token is not active";
    else if (!why && r->issuers.n > 0 && !claims_one(claims, S("iss"), r->issuers))
        why = "the token is of another issuer";
    else if (!why && r->audiences.n > 0 && !claims_one(claims, S("aud"), r->audiences))
        why = "the token is for another audience";
    else if (!why && (user.n == 0 || user.n > SASL_NAME_MAX || str_chr(user, '\0') >= 0))
        why = "the token does not say whose it is";
    if (why) {
        *ret_why = why;
        return OAUTH2_INVALID_TOKEN;
    }
    if (!has_scopes(claims, r->scope)) {
        *ret_why = "the token is not for the scope that is asked for";
        return OAUTH2_INSUFFICIENT_SCOPE;
    }
    *ret_user = user;
    return OAUTH2_VALID;
}
