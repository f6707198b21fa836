/* Making stored passwords: those of the configuration's password_scheme, and those that Dovecot knows by
 * name. */
#include "account/password_impl.h"

#include "account/scram_keys.h"
#include "base/enc.h"
#include "os/crypto.h"

enum { DIGEST_SALT = 8 };

static enum rc hash_scram(enum crypto_hash hash, str password, struct buf *ret)
{
    struct scram_keys keys;
    scram_keys_make(hash, password, &keys);
    scram_keys_put(ret, &keys);
    crypto_wipe(&keys, sizeof keys);
    return ret->overflow ? RC_LIMIT : RC_OK;
}

enum rc password_hash(enum password_scheme scheme, str prepared, struct buf *ret)
{
    switch (scheme) {
    case PASSWORD_YESCRYPT:
        return password_crypt("$y$", 0, prepared, ret);
    case PASSWORD_SHA512_CRYPT:
        return password_crypt("$6$", 0, prepared, ret);
    case PASSWORD_BCRYPT:
        return password_crypt("$2b$", 0, prepared, ret);
    case PASSWORD_ARGON2ID:
        return password_argon2id(prepared, ret);
    case PASSWORD_SCRAM_SHA_256:
        return hash_scram(CRYPTO_SHA256, prepared, ret);
    }
    return RC_INVALID;
}

/* --- by Dovecot's names --- */

struct maker {
    const char *name;
    enum rc (*make)(const struct maker *m, str password, unsigned rounds, struct buf *ret);
    const char *prefix; /* of crypt(3)'s settings */
    enum crypto_hash hash;
    bool salted, hex;
};

static void put_name(const struct maker *m, struct buf *ret)
{
    buf_printf(ret, "{%s}", m->name);
}

static enum rc make_plain(const struct maker *m, str password, unsigned rounds, struct buf *ret)
{
    put_name(m, ret);
    buf_puts(ret, password);
    return ret->overflow ? RC_LIMIT : RC_OK;
}

static enum rc make_crypt(const struct maker *m, str password, unsigned rounds, struct buf *ret)
{
    put_name(m, ret);
    return password_crypt(m->prefix, rounds, password, ret);
}

/* A digest of the password, or of the password and the salt that follows the digest. */
static enum rc make_digest(const struct maker *m, str password, unsigned rounds, struct buf *ret)
{
    unsigned char raw[CRYPTO_DIGEST_MAX + DIGEST_SALT];
    size_t n = crypto_hash_size(m->hash), salt = m->salted ? DIGEST_SALT : 0;
    crypto_random(raw + n, salt);
    crypto_digest2(m->hash, password, str_mem(raw + n, salt), raw);
    put_name(m, ret);
    if (m->hex)
        enc_hex(ret, str_mem(raw, n + salt));
    else
        enc_base64(ret, str_mem(raw, n + salt));
    return ret->overflow ? RC_LIMIT : RC_OK;
}

static enum rc make_argon2id(const struct maker *m, str password, unsigned rounds, struct buf *ret)
{
    return password_argon2id(password, ret);
}

static enum rc make_scram(const struct maker *m, str password, unsigned rounds, struct buf *ret)
{
    return hash_scram(m->hash, password, ret);
}

static const struct maker makers[] = {
    {"ARGON2ID", make_argon2id},
    {"BLF-CRYPT", make_crypt, .prefix = "$2y$"},
    {"CLEAR", make_plain},
    {"CLEARTEXT", make_plain},
    {"CRYPT", make_crypt, .prefix = "$2y$"},
    {"LDAP-MD5", make_digest, .hash = CRYPTO_MD5},
    {"MD5-CRYPT", make_crypt, .prefix = "$1$"},
    {"PLAIN", make_plain},
    {"PLAIN-MD5", make_digest, .hash = CRYPTO_MD5, .hex = true},
    {"SCRAM-SHA-1", make_scram, .hash = CRYPTO_SHA1},
    {"SCRAM-SHA-256", make_scram, .hash = CRYPTO_SHA256},
    {"SHA", make_digest, .hash = CRYPTO_SHA1},
    {"SHA1", make_digest, .hash = CRYPTO_SHA1},
    {"SHA256", make_digest, .hash = CRYPTO_SHA256},
    {"SHA256-CRYPT", make_crypt, .prefix = "$5$"},
    {"SHA512", make_digest, .hash = CRYPTO_SHA512},
    {"SHA512-CRYPT", make_crypt, .prefix = "$6$"},
    {"SMD5", make_digest, .hash = CRYPTO_MD5, .salted = true},
    {"SSHA", make_digest, .hash = CRYPTO_SHA1, .salted = true},
    {"SSHA256", make_digest, .hash = CRYPTO_SHA256, .salted = true},
    {"SSHA512", make_digest, .hash = CRYPTO_SHA512, .salted = true},
    {"YESCRYPT", make_crypt, .prefix = "$y$"},
};

enum rc password_make(str scheme, str password, unsigned rounds, struct buf *ret)
{
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
        if (str_ieq(str_c(makers[i].name), scheme))
            return makers[i].make(&makers[i], password, rounds, ret);
    return RC_GONE;
}

void password_each_maker(void (*fn)(void *ctx, const char *name), void *ctx)
{
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
        fn(ctx, makers[i].name);
}
