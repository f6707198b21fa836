/* oauth2: what a server does with tokens of OAuth 2: the messages of the SASL mechanisms that carry one, and
 * whether what a token, or the server that was asked about it, claims is enough. Pure.
 *
 * OAUTHBEARER is RFC 7628; XOAUTH2 has no RFC, it is what Google's and Microsoft's clients speak. */
#ifndef FMT_OAUTH2_H
#define FMT_OAUTH2_H

#include "base/buf.h"
#include "fmt/json_read.h"

struct oauth2_message { /* views of the message */
    str user;  /* still with "=2C" and "=3D" in OAUTHBEARER (scram_name_decode); may be empty there */
    str token; /* empty: the client asks which token it has to bring (RFC 7628 §4.3) */
};

/* RC_INVALID: malformed, a channel binding is asked for, or the token is no bearer token of RFC 6750 §2.1. */
MUST_USE enum rc oauth2_parse_oauthbearer(str message, struct oauth2_message *ret);
MUST_USE enum rc oauth2_parse_xoauth2(str message, struct oauth2_message *ret);

bool oauth2_is_token(str s);

enum oauth2_verdict { OAUTH2_VALID, OAUTH2_INVALID_TOKEN, OAUTH2_INSUFFICIENT_SCOPE };

/* The challenge that tells the client why: RFC 7628 §3.2.2, and its form in XOAUTH2. */
struct oauth2_about {
    str scope, configuration; /* what a token must have, and where to get one; either may be empty */
};
void oauth2_put_oauthbearer_error(struct buf *out, enum oauth2_verdict v, const struct oauth2_about *about);
void oauth2_put_xoauth2_error(struct buf *out, enum oauth2_verdict v, const struct oauth2_about *about);

struct oauth2_rules {
    str username;             /* the claim that says who it is */
    str active, active_value; /* a claim that must be there, with this value unless that is empty; or "" */
    str scope;                /* words that all must be in the claim "scope"; or "" */
    str issuers, audiences;   /* words of which one must be the claim "iss", and in "aud"; or "" */
    bool needs_expiry;        /* "exp" must be there */
};

enum { OAUTH2_LEEWAY_S = 60 /* a clock that is ahead of ours (RFC 7519 §4.1.4) */ };

/* claims: an object. now: seconds since 1970. OAUTH2_VALID: *ret_user is who it is, with a bounded length;
 * else *ret_why says why not. */
enum oauth2_verdict oauth2_judge(const struct oauth2_rules *rules, const struct json_value *claims,
                                 int64_t now, str *ret_user, const char **ret_why);

#endif
