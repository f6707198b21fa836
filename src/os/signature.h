/* signature: public keys, and whether what was signed with their other halves is genuine: the algorithms of
 * JSON Web Signatures (RFC 7518 §3.1) for RSA and elliptic curves. Those with a shared secret are not there,
 * so that a public key can never be taken for one. Thread-safe. */
#ifndef OS_SIGNATURE_H
#define OS_SIGNATURE_H

#include "base/str.h"

enum { SIGNATURE_RSA_BITS_MIN = 2048, SIGNATURE_RSA_BITS_MAX = 8192 };

struct signature_key;

/* Big-endian numbers. RC_INVALID: they are no key, or one of another size. */
MUST_USE enum rc signature_key_rsa(str n, str e, struct signature_key **ret);
/* curve: "P-256", "P-384" or "P-521". RC_INVALID: another one, or the point is not on it. */
MUST_USE enum rc signature_key_ec(str curve, str x, str y, struct signature_key **ret);
/* A public key in PEM ("BEGIN PUBLIC KEY"). */
MUST_USE enum rc signature_key_pem(str pem, struct signature_key **ret);
struct signature_key *signature_key_free(struct signature_key *k); /* accepts NULL, returns NULL */
void signature_key_freep(struct signature_key **k);

/* alg: RS256, RS384, RS512, ES256, ES384, ES512. RC_OK; RC_PERM: it is not this key's signature of the data;
 * RC_INVALID: there is no such algorithm, or the key is not one for it. */
MUST_USE enum rc signature_check(const struct signature_key *k, str alg, str data, str signature);

#endif
