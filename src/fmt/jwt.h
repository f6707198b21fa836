/* jwt: JSON Web Tokens as they arrive (RFC 7519, RFC 7515 §3.1), and JSON Web Keys (RFC 7517). Pure: whether
 * a signature is right is said by os/signature, and whether the claims suffice by who asks. */
#ifndef FMT_JWT_H
#define FMT_JWT_H

#include "base/arena.h"
#include "fmt/json_read.h"

struct jwt {
    str alg, kid; /* of the header; kid may be empty */
    str signed_text, signature;
    const struct json_value *claims; /* an object */
};

/* All lies in the arena or in the token. RC_INVALID: no token of three parts with a JSON object each in the
 * first two, or its header asks for something that is not understood (RFC 7515 §4.1.11); RC_LIMIT. */
MUST_USE enum rc jwt_parse(str token, struct arena *a, struct jwt *ret);
/* Whether the claim is this text or a list in which it is (RFC 7519 §4.1.3). */
bool jwt_claim_has(const struct json_value *claims, str name, str value);

enum jwk_type { JWK_RSA, JWK_EC };

struct jwk {
    enum jwk_type type;
    str kid, alg;    /* may be empty */
    str n, e;        /* RSA: big-endian bytes */
    str curve, x, y; /* EC: "P-256"; big-endian bytes */
};

/* The public keys of a set (RFC 7517 §5) that verify signatures; others are passed over. *ret_n: of max at
 * most. RC_INVALID: it is no set of keys; RC_LIMIT: more than max. */
MUST_USE enum rc jwk_read_set(str text, struct arena *a, size_t max, struct jwk *ret, size_t *ret_n);

#endif
