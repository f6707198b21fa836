/* SASL names, the base64 wire form, PLAIN (RFC 4616), LOGIN and EXTERNAL. */
#include "fmt/sasl.h"

#include "base/enc.h"
#include "base/utf8.h"

static const struct {
    str name;
    bool plaintext, plus;
} mechs[SASL_MECH_COUNT] = {
    [SASL_PLAIN] = {S("PLAIN"), true, false},
    [SASL_LOGIN] = {S("LOGIN"), true, false},
    [SASL_SCRAM_SHA_1] = {S("SCRAM-SHA-1"), false, false},
    [SASL_SCRAM_SHA_1_PLUS] = {S("SCRAM-SHA-1-PLUS"), false, true},
    [SASL_SCRAM_SHA_256] = {S("SCRAM-SHA-256"), false, false},
    [SASL_SCRAM_SHA_256_PLUS] = {S("SCRAM-SHA-256-PLUS"), false, true},
    [SASL_EXTERNAL] = {S("EXTERNAL"), false, false},
    [SASL_OAUTHBEARER] = {S("OAUTHBEARER"), true, false},
    [SASL_XOAUTH2] = {S("XOAUTH2"), true, false},
};

enum rc sasl_mech_parse(str name, enum sasl_mech *ret)
{
    for (int i = 0; i < SASL_MECH_COUNT; i++) {
        if (str_ieq(name, mechs[i].name)) {
            *ret = (enum sasl_mech)i;
            return RC_OK;
        }
    }
    return RC_PERM;
}

str sasl_mech_name(enum sasl_mech mech)
{
    return mechs[mech].name;
}

bool sasl_mech_is_plaintext(enum sasl_mech mech)
{
    return mechs[mech].plaintext;
}

bool sasl_mech_is_plus(enum sasl_mech mech)
{
    return mechs[mech].plus;
}

bool sasl_mech_is_name(str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!ascii_digit(name.p[i]) && (name.p[i] < 'A' || name.p[i] > 'Z') && name.p[i] != '-' &&
            name.p[i] != '_')
            return false;
    return name.n > 0 && name.n <= 20;
}

enum rc sasl_response_decode(str line, bool initial, struct buf *ret)
{
    if (str_eq(line, S("*")))
        return RC_GONE;
    if (initial && str_eq(line, S("=")))
        return RC_OK;
    if (line.n > (SASL_RESPONSE_MAX + 2) / 3 * 4)
        return RC_LIMIT;
    return enc_base64_decode(ret, line);
}

/* One value between the NULs: 1*SAFE or *SAFE, where SAFE is any UTF-8 but NUL. */
static enum rc check_value(str value, size_t max, bool may_be_empty)
{
    if (value.n > max)
        return RC_LIMIT;
    if ((value.n == 0 && !may_be_empty) || str_chr(value, '\0') >= 0 || !utf8_valid(value))
        return RC_INVALID;
    return RC_OK;
}

/* RFC 4616 §2: message = [authzid] UTF8NUL authcid UTF8NUL passwd */
enum rc sasl_plain_parse(str message, struct sasl_plain *ret)
{
    struct sasl_plain plain;
    ptrdiff_t first = str_chr(message, '\0');
    if (first < 0)
        return RC_INVALID;
    plain.authzid = str_sub(message, 0, (size_t)first);
    str rest = str_from(message, (size_t)first + 1);
    ptrdiff_t second = str_chr(rest, '\0');
    if (second < 0)
        return RC_INVALID;
    plain.authcid = str_sub(rest, 0, (size_t)second);
    plain.password = str_from(rest, (size_t)second + 1);

    enum rc rc = check_value(plain.authzid, SASL_NAME_MAX, true);
    if (rc == RC_OK)
        rc = check_value(plain.authcid, SASL_NAME_MAX, false);
    if (rc == RC_OK)
        rc = check_value(plain.password, SASL_PASSWORD_MAX, false);
    if (rc == RC_OK)
        *ret = plain;
    return rc;
}

void sasl_plain_put(struct buf *out, const struct sasl_plain *plain)
{
    buf_puts(out, plain->authzid);
    buf_putc(out, '\0');
    buf_puts(out, plain->authcid);
    buf_putc(out, '\0');
    buf_puts(out, plain->password);
}

enum rc sasl_login_check(str value, size_t max)
{
    return check_value(value, max, false);
}

/* RFC 4422 A.1: authz-id-string = *( UTF8-char-no-nul ) */
enum rc sasl_external_check(str authzid)
{
    return check_value(authzid, SASL_NAME_MAX, true);
}
