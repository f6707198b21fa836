/* sasl: names of the mechanisms, the wire form of responses, and the messages of PLAIN, LOGIN and EXTERNAL.
 *
 * Pure: bytes in, values out. Views point into the parsed message. SCRAM's messages are in fmt/scram.h, those
 * with tokens in fmt/oauth2.h; the
 * exchange itself is account/auth_session. */
#ifndef FMT_SASL_H
#define FMT_SASL_H

#include "base/buf.h"

enum {
    SASL_NAME_MAX = 255,      /* bytes of a user name */
    SASL_PASSWORD_MAX = 1024, /* bytes of a password */
    SASL_RESPONSE_MAX = 4096  /* bytes of one decoded response */
};

enum sasl_mech {
    SASL_PLAIN,
    SASL_LOGIN,
    SASL_SCRAM_SHA_1,
    SASL_SCRAM_SHA_1_PLUS,
    SASL_SCRAM_SHA_256,
    SASL_SCRAM_SHA_256_PLUS,
    SASL_EXTERNAL,
    SASL_OAUTHBEARER,
    SASL_XOAUTH2,
    SASL_MECH_COUNT
};

/* The mechanism of this name, ASCII case ignored. RC_PERM: malle does not have it. */
MUST_USE enum rc sasl_mech_parse(str name, enum sasl_mech *ret);
str sasl_mech_name(enum sasl_mech mech);
/* Whether the mechanism shows the password itself, or a token, to the server (never before TLS). */
bool sasl_mech_is_plaintext(enum sasl_mech mech);
bool sasl_mech_is_plus(enum sasl_mech mech);

/* Whether a mechanism of another server can have this name: 1 to 20 of A-Z, 0-9, "-", "_" (RFC 4422 §3.1). */
bool sasl_mech_is_name(str name);

/* Decodes a response as SMTP, IMAP and POP3 send it. initial: the response came with the command, where "="
 * stands for the empty one (RFC 4954 §4, RFC 9051 §6.2.2, RFC 5034 §4). RC_GONE: "*", the client cancels.
 * RC_INVALID: not base64. RC_LIMIT: more than SASL_RESPONSE_MAX bytes. */
MUST_USE enum rc sasl_response_decode(str line, bool initial, struct buf *ret);

struct sasl_plain {
    str authzid; /* may be empty */
    str authcid, password;
};
/* RC_INVALID: not three parts, a part that must not be empty is, or not UTF-8; RC_LIMIT: a part is too long.
 */
MUST_USE enum rc sasl_plain_parse(str message, struct sasl_plain *ret);
void sasl_plain_put(struct buf *out, const struct sasl_plain *plain);

/* LOGIN has no RFC (draft-murchison-sasl-login): the server asks twice, each answer is the bare value. */
#define SASL_LOGIN_ASK_USER     S("Username:")
#define SASL_LOGIN_ASK_PASSWORD S("Password:")
/* RC_INVALID: empty, with a NUL, or not UTF-8; RC_LIMIT: longer than max. */
MUST_USE enum rc sasl_login_check(str value, size_t max);

/* EXTERNAL's one message is the authorization identity, which may be empty (RFC 4422 A.1). RC_INVALID: with a
 * NUL, or not UTF-8; RC_LIMIT. */
MUST_USE enum rc sasl_external_check(str authzid);

#endif
