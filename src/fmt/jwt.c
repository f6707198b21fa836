#include "fmt/jwt.h"

#include "base/enc.h"

/* base64url without padding (RFC 7515 §2). */
static enum rc decode(str text, struct arena *a, str *ret)
{
    AUTO(buf_wipe) struct buf bytes = BUF_INIT(text.n);
    enum rc rc = enc_base64url_decode(&bytes, text);
    if (rc != RC_OK)
        return rc;
    *ret = arena_str(a, buf_str(&bytes));
    return arena_exhausted(a) ? RC_LIMIT : RC_OK;
}

static enum rc decode_object(str text, struct arena *a, const struct json_value **ret)
{
    str json = STR_NONE;
    enum rc rc = decode(text, a, &json);
    if (rc == RC_OK)
        rc = json_read(json, a, ret);
    return rc == RC_OK && (*ret)->kind != JSON_OBJECT ? RC_INVALID : rc;
}

/*   token = BASE64URL(header) "." BASE64URL(claims) "." BASE64URL(signature) */
enum rc jwt_parse(str token, struct arena *a, struct jwt *ret)
{
    const struct json_value *header = NULL;
    ptrdiff_t dot = str_rchr(token, '.');
    struct jwt t = {.signed_text = str_sub(token, 0, dot < 0 ? 0 : (size_t)dot)};
    str claims = t.signed_text, head = str_take(&claims, '.');
    if (!claims.p || str_chr(claims, '.') >= 0)
        return RC_INVALID;
    enum rc rc = decode(str_from(token, (size_t)dot + 1), a, &t.signature);
    if (rc == RC_OK)
        rc = decode_object(head, a, &header);
    if (rc == RC_OK)
        rc = decode_object(claims, a, &t.claims);
    if (rc != RC_OK)
        return rc;
    t.alg = json_find_text(header, S("alg"));
    t.kid = json_find_text(header, S("kid"));
    if (t.alg.n == 0 || json_find(header, S("crit")))
        return RC_INVALID;
    *ret = t;
    return RC_OK;
}

bool jwt_claim_has(const struct json_value *claims, str name, str value)
{
    const struct json_value *v = json_find(claims, name);
    bool list = v && v->kind == JSON_ARRAY;
    for (v = list ? v->first : v; v; v = list ? v->next : NULL)
        if (v->kind == JSON_STRING && str_eq(v->text, value))
            return true;
    return false;
}

/* --- keys --- */

static enum rc read_number(const struct json_value *key, const char *name, struct arena *a, str *ret)
{
    str text = json_find_text(key, str_c(name));
    return text.n > 0 ? decode(text, a, ret) : RC_GONE;
}

/* RFC 7518 §6.2, §6.3. RC_GONE: of no use here. */
static enum rc read_key(const struct json_value *key, struct arena *a, struct jwk *ret)
{
    struct jwk k = {.kid = json_find_text(key, S("kid")), .alg = json_find_text(key, S("alg"))};
    str type = json_find_text(key, S("kty")), use = json_find_text(key, S("use"));
    enum rc rc = RC_GONE;
    if (use.n > 0 && !str_eq(use, S("sig")))
        return RC_GONE;
    if (str_eq(type, S("RSA"))) {
        k.type = JWK_RSA;
        rc = read_number(key, "n", a, &k.n);
        if (rc == RC_OK)
            rc = read_number(key, "e", a, &k.e);
    } else if (str_eq(type, S("EC"))) {
        k.type = JWK_EC;
        k.curve = json_find_text(key, S("crv"));
        rc = read_number(key, "x", a, &k.x);
        if (rc == RC_OK)
            rc = read_number(key, "y", a, &k.y);
    }
    if (rc == RC_OK)
        *ret = k;
    return rc == RC_INVALID ? RC_GONE : rc;
}

enum rc jwk_read_set(str text, struct arena *a, size_t max, struct jwk *ret, size_t *ret_n)
{
    const struct json_value *set = NULL;
    enum rc rc = json_read(text, a, &set);
    const struct json_value *keys = rc == RC_OK ? json_find(set, S("keys")) : NULL;
    size_t n = 0;
    if (rc != RC_OK || !keys || keys->kind != JSON_ARRAY)
        return rc == RC_LIMIT ? rc : RC_INVALID;
    for (const struct json_value *key = keys->first; key; key = key->next) {
        struct jwk k;
        rc = read_key(key, a, &k);
        if (rc == RC_LIMIT || (rc == RC_OK && n == max))
            return RC_LIMIT;
        if (rc == RC_OK)
            ret[n++] = k;
    }
    *ret_n = n;
    return RC_OK;
}
