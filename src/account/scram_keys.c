/* SCRAM's key derivation and proofs (RFC 5802 §3) over os/crypto.
 *
 *   SaltedPassword  := Hi(Normalize(password), salt, i)
 *   ClientKey       := HMAC(SaltedPassword, "Client Key")     StoredKey := H(ClientKey)
 *   ServerKey       := HMAC(SaltedPassword, "Server Key")
 *   ClientSignature := HMAC(StoredKey, AuthMessage)           ClientProof := ClientKey XOR ClientSignature
 *   ServerSignature := HMAC(ServerKey, AuthMessage) */
#include "account/scram_keys.h"

#include "base/enc.h"
#include "base/num.h"

static str digest_str(const unsigned char *p, enum crypto_hash hash)
{
    return str_mem(p, crypto_hash_size(hash));
}

static void client_key(enum crypto_hash hash, const unsigned char *salted, unsigned char *ret)
{
    crypto_hmac(hash, digest_str(salted, hash), S("Client Key"), ret);
}

void scram_keys_derive(enum crypto_hash hash, str password, str salt, uint32_t iterations,
                       struct scram_keys *ret)
{
    must(salt.n <= SCRAM_SALT_MAX);
    unsigned char salted[CRYPTO_DIGEST_MAX], key[CRYPTO_DIGEST_MAX];
    *ret = (struct scram_keys){.hash = hash, .iterations = iterations, .salt_n = salt.n};
    memcpy(ret->salt, salt.p, salt.n);
    crypto_pbkdf2(hash, password, salt, iterations, salted, crypto_hash_size(hash));
    client_key(hash, salted, key);
    crypto_digest(hash, digest_str(key, hash), ret->stored_key);
    crypto_hmac(hash, digest_str(salted, hash), S("Server Key"), ret->server_key);
    crypto_wipe(salted, sizeof salted);
    crypto_wipe(key, sizeof key);
}

void scram_keys_make(enum crypto_hash hash, str password, struct scram_keys *ret)
{
    unsigned char salt[SCRAM_SALT_SIZE];
    crypto_random(salt, sizeof salt);
    scram_keys_derive(hash, password, str_mem(salt, sizeof salt), SCRAM_ITERATIONS, ret);
}

/* Takes the next base64 field of the text form; its bytes must number min to max. */
static enum rc take_field(str *rest, unsigned char *ret, size_t min, size_t max, size_t *ret_n)
{
    AUTO(buf_wipe) struct buf raw = BUF_INIT(CRYPTO_DIGEST_MAX + SCRAM_SALT_MAX);
    if (enc_base64_decode(&raw, str_take(rest, ',')) != RC_OK || raw.n < min || raw.n > max)
        return RC_INVALID;
    memcpy(ret, raw.p, raw.n);
    *ret_n = raw.n;
    return RC_OK;
}

enum rc scram_keys_parse(str text, struct scram_keys *ret)
{
    struct scram_keys keys = {0};
    str scheme = str_take(&text, '}');
    if (str_ieq(scheme, S("{SCRAM-SHA-1")))
        keys.hash = CRYPTO_SHA1;
    else if (str_ieq(scheme, S("{SCRAM-SHA-256")))
        keys.hash = CRYPTO_SHA256;
    else
        return RC_INVALID;
    size_t size = crypto_hash_size(keys.hash), n;
    if (num_parse_u32(str_take(&text, ','), SCRAM_STORED_ITERATIONS_MAX, &keys.iterations) != RC_OK ||
        keys.iterations == 0 || take_field(&text, keys.salt, 1, SCRAM_SALT_MAX, &keys.salt_n) != RC_OK ||
        take_field(&text, keys.stored_key, size, size, &n) != RC_OK ||
        take_field(&text, keys.server_key, size, size, &n) != RC_OK || text.n > 0)
        return RC_INVALID;
    *ret = keys;
    return RC_OK;
}

void scram_keys_put(struct buf *out, const struct scram_keys *keys)
{
    buf_puts(out, keys->hash == CRYPTO_SHA1 ? S("{SCRAM-SHA-1}") : S("{SCRAM-SHA-256}"));
    buf_put_u64(out, keys->iterations);
    buf_putc(out, ',');
    enc_base64(out, str_mem(keys->salt, keys->salt_n));
    buf_putc(out, ',');
    enc_base64(out, digest_str(keys->stored_key, keys->hash));
    buf_putc(out, ',');
    enc_base64(out, digest_str(keys->server_key, keys->hash));
}

bool scram_keys_match(const struct scram_keys *keys, str password)
{
    struct scram_keys other;
    scram_keys_derive(keys->hash, password, str_mem(keys->salt, keys->salt_n), keys->iterations, &other);
    bool match =
        str_eq_const_time(digest_str(keys->stored_key, keys->hash), digest_str(other.stored_key, keys->hash));
    crypto_wipe(&other, sizeof other);
    return match;
}

bool scram_keys_check_proof(const struct scram_keys *keys, str auth_message, str proof)
{
    size_t size = crypto_hash_size(keys->hash);
    if (proof.n != size)
        return false;
    unsigned char key[CRYPTO_DIGEST_MAX], stored[CRYPTO_DIGEST_MAX];
    crypto_hmac(keys->hash, digest_str(keys->stored_key, keys->hash), auth_message, key);
    for (size_t i = 0; i < size; i++)
        key[i] ^= (unsigned char)proof.p[i];
    crypto_digest(keys->hash, str_mem(key, size), stored);
    bool match = str_eq_const_time(str_mem(stored, size), str_mem(keys->stored_key, size));
    crypto_wipe(key, sizeof key);
    return match;
}

void scram_keys_sign(const struct scram_keys *keys, str auth_message, unsigned char *ret)
{
    crypto_hmac(keys->hash, digest_str(keys->server_key, keys->hash), auth_message, ret);
}

void scram_client_proof(enum crypto_hash hash, str password, str salt, uint32_t iterations, str auth_message,
                        unsigned char *ret)
{
    unsigned char salted[CRYPTO_DIGEST_MAX], stored[CRYPTO_DIGEST_MAX], signature[CRYPTO_DIGEST_MAX];
    crypto_pbkdf2(hash, password, salt, iterations, salted, crypto_hash_size(hash));
    client_key(hash, salted, ret);
    crypto_digest(hash, digest_str(ret, hash), stored);
    crypto_hmac(hash, digest_str(stored, hash), auth_message, signature);
    for (size_t i = 0; i < crypto_hash_size(hash); i++)
        ret[i] ^= signature[i];
    crypto_wipe(salted, sizeof salted);
}
