/* Password schemes: a table of names, each with its way of checking; password_make.c makes them.
 *
 * Dovecot's names are followed (its manual, "Password Schemes"); "{SCHEME.hex}" and "{SCHEME.b64}" state an
 * encoding, without one a digest is hexadecimal when its length says so, and base64 otherwise. */
#include "account/password_impl.h"

#include "account/scram_keys.h"
#include "base/enc.h"
#include "base/num.h"
#include "fmt/sasl.h"
#include "fmt/saslprep.h"
#include "os/crypto.h"

#include <argon2.h>
#include <crypt.h>

enum { ARGON2_PASSES = 2, ARGON2_KIB = 19456, ARGON2_LANES = 1, ARGON2_SALT = 16, ARGON2_HASH = 32 };

enum encoding { ENC_GUESS, ENC_HEX, ENC_BASE64 };

struct scheme {
    str name;
    enum rc (*verify)(const struct scheme *s, str data, enum encoding enc, str password);
    enum crypto_hash hash;
    bool salted; /* a salt follows the digest */
    bool weak;   /* who reads the stored form has the password at once, or soon */
};

static enum rc verdict(bool match)
{
    return match ? RC_OK : RC_PERM;
}

static enum rc verify_plain(const struct scheme *s, str data, enum encoding enc, str password)
{
    return verdict(str_eq_const_time(data, password));
}

/* crypt(3): the stored hash is also the setting. */
static enum rc verify_crypt(const struct scheme *s, str data, enum encoding enc, str password)
{
    char setting[CRYPT_OUTPUT_SIZE], phrase[CRYPT_MAX_PASSPHRASE_SIZE];
    if (str_copy(setting, sizeof setting, data) != RC_OK || crypt_checksalt(setting) == CRYPT_SALT_INVALID)
        return RC_INVALID;
    if (str_copy(phrase, sizeof phrase, password) != RC_OK)
        return RC_PERM;
    void *work = NULL;
    int work_size = 0;
    const char *hash = crypt_ra(phrase, setting, &work, &work_size);
    enum rc rc = !hash || hash[0] == '*' ? RC_INVALID : verdict(str_eq_const_time(str_c(hash), data));
    crypto_wipe(phrase, sizeof phrase);
    if (work)
        crypto_wipe(work, (size_t)work_size);
    free(work);
    return rc;
}

static enum rc verify_argon2(const struct scheme *s, str data, enum encoding enc, str password)
{
    char encoded[PASSWORD_STORED_MAX];
    if (str_copy(encoded, sizeof encoded, data) != RC_OK)
        return RC_INVALID;
    argon2_type type = str_starts(data, S("$argon2id$")) ? Argon2_id : Argon2_i;
    int result = argon2_verify(encoded, password.p, password.n, type);
    if (result == ARGON2_VERIFY_MISMATCH)
        return RC_PERM;
    return result == ARGON2_OK ? RC_OK : RC_INVALID;
}

static enum rc decode_digest(const struct scheme *s, str data, enum encoding enc, struct buf *ret)
{
    if (enc == ENC_GUESS) /* a salt could make base64 as long as the hexadecimal digest */
        enc = !s->salted && data.n == 2 * crypto_hash_size(s->hash) ? ENC_HEX : ENC_BASE64;
    return enc == ENC_HEX ? enc_hex_decode(ret, data) : enc_base64_decode(ret, data);
}

/* A digest of the password, or of the password and the salt that follows the digest. */
static enum rc verify_digest(const struct scheme *s, str data, enum encoding enc, str password)
{
    AUTO(buf_wipe) struct buf raw = BUF_INIT(PASSWORD_STORED_MAX);
    size_t size = crypto_hash_size(s->hash);
    if (decode_digest(s, data, enc, &raw) != RC_OK || raw.n < size ||
        (s->salted ? raw.n == size : raw.n > size))
        return RC_INVALID;
    unsigned char digest[CRYPTO_DIGEST_MAX];
    crypto_digest2(s->hash, password, str_from(buf_str(&raw), size), digest);
    return verdict(str_eq_const_time(str_mem(digest, size), str_sub(buf_str(&raw), 0, size)));
}

/* Dovecot's MD5 is crypt(3)'s, unless it is a digest alone. */
static enum rc verify_md5(const struct scheme *s, str data, enum encoding enc, str password)
{
    return str_starts(data, S("$1$")) ? verify_crypt(s, data, enc, password)
                                      : verify_digest(s, data, enc, password);
}

/* $1$SALT$ROUNDS$HEX, of HMAC-SHA-1. */
static enum rc verify_pbkdf2(const struct scheme *s, str data, enum encoding enc, str password)
{
    AUTO(buf_wipe) struct buf raw = BUF_INIT(CRYPTO_DIGEST_MAX);
    unsigned char derived[CRYPTO_DIGEST_MAX];
    size_t size = crypto_hash_size(s->hash);
    uint32_t rounds = 0;
    if (!str_starts(data, S("$1$")))
        return RC_INVALID;
    str rest = str_from(data, 3), salt = str_take(&rest, '$'), count = str_take(&rest, '$');
    if (num_parse_u32(count, SCRAM_STORED_ITERATIONS_MAX, &rounds) != RC_OK || rounds == 0 ||
        enc_hex_decode(&raw, rest) != RC_OK || raw.n != size)
        return RC_INVALID;
    crypto_pbkdf2(s->hash, password, salt, rounds, derived, size);
    return verdict(str_eq_const_time(str_mem(derived, size), buf_str(&raw)));
}

static enum rc verify_scram(const struct scheme *s, str data, enum encoding enc, str password)
{
    AUTO(buf_wipe) struct buf text = BUF_INIT(PASSWORD_STORED_MAX);
    struct scram_keys keys;
    buf_printf(&text, "{" STR_FMT "}" STR_FMT, STR_ARG(s->name), STR_ARG(data));
    if (scram_keys_parse(buf_str(&text), &keys) != RC_OK)
        return RC_INVALID;
    bool match = scram_keys_match(&keys, password);
    crypto_wipe(&keys, sizeof keys);
    return verdict(match);
}

static const struct scheme schemes[] = {
    {S("ARGON2I"), verify_argon2},
    {S("ARGON2ID"), verify_argon2},
    {S("BLF-CRYPT"), verify_crypt},
    {S("CLEAR"), verify_plain, .weak = true},
    {S("CLEARTEXT"), verify_plain, .weak = true},
    {S("CRYPT"), verify_crypt},
    {S("DES-CRYPT"), verify_crypt, .weak = true},
    {S("LDAP-MD5"), verify_digest, CRYPTO_MD5, .weak = true},
    {S("MD5"), verify_md5, CRYPTO_MD5, .weak = true},
    {S("MD5-CRYPT"), verify_crypt},
    {S("PBKDF2"), verify_pbkdf2, CRYPTO_SHA1},
    {S("PLAIN"), verify_plain, .weak = true},
    {S("PLAIN-MD5"), verify_digest, CRYPTO_MD5, .weak = true},
    {S("SCRAM-SHA-1"), verify_scram},
    {S("SCRAM-SHA-256"), verify_scram},
    {S("SHA"), verify_digest, CRYPTO_SHA1, .weak = true},
    {S("SHA1"), verify_digest, CRYPTO_SHA1, .weak = true},
    {S("SHA256"), verify_digest, CRYPTO_SHA256, .weak = true},
    {S("SHA256-CRYPT"), verify_crypt},
    {S("SHA512"), verify_digest, CRYPTO_SHA512, .weak = true},
    {S("SHA512-CRYPT"), verify_crypt},
    {S("SMD5"), verify_digest, CRYPTO_MD5, true, true},
    {S("SSHA"), verify_digest, CRYPTO_SHA1, true, true},
    {S("SSHA256"), verify_digest, CRYPTO_SHA256, true},
    {S("SSHA512"), verify_digest, CRYPTO_SHA512, true},
    {S("YESCRYPT"), verify_crypt},
};

static const struct scheme *find_scheme(str name)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (str_ieq(schemes[i].name, name))
            return &schemes[i];
    }
    return NULL;
}

/* stored = "{" name [".hex" / ".b64" / ".base64"] "}" data / "$argon2" data / "$" data */
static const struct scheme *parse_stored(str stored, enum encoding *ret_enc, str *ret_data)
{
    *ret_enc = ENC_GUESS;
    *ret_data = stored;
    if (str_starts(stored, S("$argon2")))
        return find_scheme(S("ARGON2ID"));
    if (str_starts(stored, S("$")))
        return find_scheme(S("CRYPT"));
    ptrdiff_t close = str_chr(stored, '}');
    if (!str_starts(stored, S("{")) || close < 0)
        return NULL;
    str name = str_sub(stored, 1, (size_t)close - 1), scheme = str_take(&name, '.');
    if (str_ieq(name, S("hex")))
        *ret_enc = ENC_HEX;
    else if (str_ieq(name, S("b64")) || str_ieq(name, S("base64")))
        *ret_enc = ENC_BASE64;
    else if (name.n > 0)
        return NULL;
    *ret_data = str_from(stored, (size_t)close + 1);
    return find_scheme(scheme);
}

enum rc password_verify(str stored, str password)
{
    enum encoding enc;
    str data;
    const struct scheme *s = parse_stored(stored, &enc, &data);
    if (!s)
        return RC_INVALID;
    enum rc rc = s->verify(s, data, enc, password);
    AUTO(buf_wipe) struct buf prepared = BUF_INIT(4 * SASL_PASSWORD_MAX);
    /* hashes made by other servers are of the password as typed, ours are of its prepared form */
    if (rc == RC_PERM && saslprep(password, false, &prepared) == RC_OK &&
        !str_eq(buf_str(&prepared), password))
        rc = s->verify(s, data, enc, buf_str(&prepared));
    return rc;
}

bool password_is_weak(str stored)
{
    enum encoding enc;
    str data;
    const struct scheme *s = parse_stored(stored, &enc, &data);
    return s && s->weak;
}

bool password_is_stored_form(str stored)
{
    return stored.n <= PASSWORD_STORED_MAX && password_verify(stored, S("x")) != RC_INVALID;
}

enum rc password_scheme_parse(str name, enum password_scheme *ret)
{
    static const str names[] = {
        [PASSWORD_YESCRYPT] = S("yescrypt"),           [PASSWORD_ARGON2ID] = S("argon2id"),
        [PASSWORD_SHA512_CRYPT] = S("sha512-crypt"),   [PASSWORD_BCRYPT] = S("bcrypt"),
        [PASSWORD_SCRAM_SHA_256] = S("scram-sha-256"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_ieq(name, names[i])) {
            *ret = (enum password_scheme)i;
            return RC_OK;
        }
    }
    return RC_INVALID;
}

enum rc password_prepare(str password, struct buf *ret, struct err *e)
{
    if (password.n == 0)
        return err_set(e, RC_INVALID, 0, "", "the password is empty; type one");
    if (password.n > SASL_PASSWORD_MAX / 4)
        return err_set(e, RC_LIMIT, 0, "", "the password is longer than %d bytes; choose a shorter one",
                       SASL_PASSWORD_MAX / 4);
    enum rc rc = saslprep(password, true, ret);
    if (rc == RC_OK)
        return RC_OK;
    return err_set(e, rc, 0, "",
                   "the password has characters that mail programs cannot send (RFC 4013); choose another");
}

/* --- making, for password_make.c --- */

enum rc password_crypt(const char *prefix, unsigned rounds, str password, struct buf *ret)
{
    char phrase[CRYPT_MAX_PASSPHRASE_SIZE], seed[32], setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (str_chr(password, '\0') >= 0)
        return RC_INVALID;
    if (str_copy(phrase, sizeof phrase, password) != RC_OK)
        return RC_LIMIT;
    crypto_random(seed, sizeof seed);
    void *work = NULL;
    int work_size = 0;
    const char *hash = NULL;
    if (crypt_gensalt_rn(prefix, rounds, seed, sizeof seed, setting, sizeof setting))
        hash = crypt_ra(phrase, setting, &work, &work_size);
    bool made = hash && hash[0] != '*';
    if (made)
        buf_puts(ret, str_c(hash));
    crypto_wipe(phrase, sizeof phrase);
    if (work)
        crypto_wipe(work, (size_t)work_size);
    free(work);
    return !made ? RC_PERM : ret->overflow ? RC_LIMIT : RC_OK;
}

enum rc password_argon2id(str password, struct buf *ret)
{
    unsigned char salt[ARGON2_SALT];
    char encoded[256];
    crypto_random(salt, sizeof salt);
    must(argon2id_hash_encoded(ARGON2_PASSES, ARGON2_KIB, ARGON2_LANES, password.p, password.n, salt,
                               sizeof salt, ARGON2_HASH, encoded, sizeof encoded) == ARGON2_OK);
    buf_puts(ret, S("{ARGON2ID}"));
    buf_puts(ret, str_c(encoded));
    return ret->overflow ? RC_LIMIT : RC_OK;
}
