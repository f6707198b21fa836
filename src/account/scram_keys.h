/* scram_keys: what the server stores of a password for SCRAM (RFC 5802 §3), and the two proofs made with it.
 *
 * The text form is Dovecot's: {SCRAM-SHA-256}iterations,salt,StoredKey,ServerKey, the last three in base64.
 */
#ifndef ACCOUNT_SCRAM_KEYS_H
#define ACCOUNT_SCRAM_KEYS_H

#include "base/buf.h"
#include "os/crypto.h"

enum {
    SCRAM_ITERATIONS = 10000, /* of keys made here; RFC 7677 §4 wants 4096 at least */
    SCRAM_SALT_SIZE = 16,     /* of keys made here */
    SCRAM_SALT_MAX = 64,
    SCRAM_STORED_ITERATIONS_MAX = 10000000
};

struct scram_keys {
    enum crypto_hash hash; /* CRYPTO_SHA1 or CRYPTO_SHA256 */
    uint32_t iterations;
    size_t salt_n;
    unsigned char salt[SCRAM_SALT_MAX];
    unsigned char stored_key[CRYPTO_DIGEST_MAX], server_key[CRYPTO_DIGEST_MAX];
};

/* Keys of a password in its prepared form (fmt/saslprep). salt.n <= SCRAM_SALT_MAX. */
void scram_keys_derive(enum crypto_hash hash, str password, str salt, uint32_t iterations,
                       struct scram_keys *ret);
/* The same with a fresh random salt and SCRAM_ITERATIONS. */
void scram_keys_make(enum crypto_hash hash, str password, struct scram_keys *ret);
/* RC_INVALID: not in the text form, which starts with {SCRAM-SHA-1} or {SCRAM-SHA-256}. */
MUST_USE enum rc scram_keys_parse(str text, struct scram_keys *ret);
void scram_keys_put(struct buf *out, const struct scram_keys *keys);
bool scram_keys_match(const struct scram_keys *keys, str password);

/* Server: whether the client's proof (raw bytes) shows that it knows the password. */
bool scram_keys_check_proof(const struct scram_keys *keys, str auth_message, str proof);
/* Server: ServerSignature, crypto_hash_size bytes. */
void scram_keys_sign(const struct scram_keys *keys, str auth_message, unsigned char *ret);
/* Client: ClientProof, crypto_hash_size bytes. */
void scram_client_proof(enum crypto_hash hash, str password, str salt, uint32_t iterations, str auth_message,
                        unsigned char *ret);

#endif
