/* Public keys through OpenSSL 3's EVP. */
#include "os/signature.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

enum { COORDINATE_MAX = 66, DER_MAX = 256, PEM_MAX = 16384 };

struct signature_key {
    EVP_PKEY *pkey;
};

static const struct {
    str name;
    const char *group;
    size_t bytes; /* of a coordinate */
} curves[] = {
    {S("P-256"), "prime256v1", 32}, {S("P-384"), "secp384r1", 48}, {S("P-521"), "secp521r1", COORDINATE_MAX}};

static const struct {
    str name;
    const char *type;
    const EVP_MD *(*md)(void);
    size_t bytes; /* of half a signature by a curve */
} algorithms[] = {{S("RS256"), "RSA", EVP_sha256, 0}, {S("RS384"), "RSA", EVP_sha384, 0},
                  {S("RS512"), "RSA", EVP_sha512, 0}, {S("ES256"), "EC", EVP_sha256, 32},
                  {S("ES384"), "EC", EVP_sha384, 48}, {S("ES512"), "EC", EVP_sha512, COORDINATE_MAX}};

/* --- keys --- */

/* Takes pkey over. */
static enum rc keep(EVP_PKEY *pkey, struct signature_key **ret)
{
    ERR_clear_error();
    bool rsa = pkey && EVP_PKEY_is_a(pkey, "RSA");
    int bits = pkey ? EVP_PKEY_get_bits(pkey) : 0;
    if (!(rsa ? bits >= SIGNATURE_RSA_BITS_MIN && bits <= SIGNATURE_RSA_BITS_MAX
              : pkey && EVP_PKEY_is_a(pkey, "EC"))) {
        EVP_PKEY_free(pkey);
        return RC_INVALID;
    }
    *ret = calloc(1, sizeof **ret);
    must(*ret);
    (*ret)->pkey = pkey;
    return RC_OK;
}

static EVP_PKEY *make(const char *type, OSSL_PARAM_BLD *parts)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(parts);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    must(params && ctx && EVP_PKEY_fromdata_init(ctx) == 1);
    if (EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

enum rc signature_key_rsa(str n, str e, struct signature_key **ret)
{
    if (n.n == 0 || n.n > SIGNATURE_RSA_BITS_MAX / 8 + 1 || e.n == 0 || e.n > 8)
        return RC_INVALID;
    OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
    BIGNUM *big_n = BN_bin2bn((const unsigned char *)n.p, (int)n.n, NULL);
    BIGNUM *big_e = BN_bin2bn((const unsigned char *)e.p, (int)e.n, NULL);
    must(parts && big_n && big_e);
    must(OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_N, big_n) == 1);
    must(OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_E, big_e) == 1);
    EVP_PKEY *pkey = make("RSA", parts);
    OSSL_PARAM_BLD_free(parts);
    BN_free(big_n);
    BN_free(big_e);
    return keep(pkey, ret);
}

enum rc signature_key_ec(str curve, str x, str y, struct signature_key **ret)
{
    unsigned char point[1 + 2 * COORDINATE_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
    size_t i = 0;
    while (i < sizeof curves / sizeof *curves && !str_eq(curve, curves[i].name))
        i++;
    if (i == sizeof curves / sizeof *curves || x.n != curves[i].bytes || y.n != curves[i].bytes)
        return RC_INVALID;
    memcpy(point + 1, x.p, x.n);
    memcpy(point + 1 + x.n, y.p, y.n);
    OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
    must(parts &&
         OSSL_PARAM_BLD_push_utf8_string(parts, OSSL_PKEY_PARAM_GROUP_NAME, curves[i].group, 0) == 1);
    must(OSSL_PARAM_BLD_push_octet_string(parts, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + x.n + y.n) == 1);
    EVP_PKEY *pkey = make("EC", parts);
    OSSL_PARAM_BLD_free(parts);
    return keep(pkey, ret);
}

enum rc signature_key_pem(str pem, struct signature_key **ret)
{
    if (pem.n == 0 || pem.n > PEM_MAX)
        return RC_INVALID;
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    must(bio);
    EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return keep(pkey, ret);
}

struct signature_key *signature_key_free(struct signature_key *k)
{
    if (k)
        EVP_PKEY_free(k->pkey);
    free(k);
    return NULL;
}

void signature_key_freep(struct signature_key **k)
{
    *k = signature_key_free(*k);
}

/* --- signatures --- */

/* RFC 7518 §3.4: both numbers in full length, one behind the other; OpenSSL wants them in DER. 0: it is none.
 */
static size_t to_der(str signature, size_t bytes, unsigned char der[DER_MAX])
{
    if (signature.n != 2 * bytes)
        return 0;
    const unsigned char *at = (const unsigned char *)signature.p;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(at, (int)bytes, NULL), *s = BN_bin2bn(at + bytes, (int)bytes, NULL);
    must(sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1);
    int n = i2d_ECDSA_SIG(sig, NULL);
    must(n > 0 && n <= DER_MAX && i2d_ECDSA_SIG(sig, &der) == n);
    ECDSA_SIG_free(sig);
    return (size_t)n;
}

enum rc signature_check(const struct signature_key *k, str alg, str data, str signature)
{
    unsigned char der[DER_MAX];
    size_t i = 0;
    while (i < sizeof algorithms / sizeof *algorithms && !str_eq(alg, algorithms[i].name))
        i++;
    if (i == sizeof algorithms / sizeof *algorithms || !EVP_PKEY_is_a(k->pkey, algorithms[i].type) ||
        (algorithms[i].bytes > 0 && (EVP_PKEY_get_bits(k->pkey) + 7) / 8 != (int)algorithms[i].bytes))
        return RC_INVALID;
    if (algorithms[i].bytes > 0)
        signature = str_mem(der, to_der(signature, algorithms[i].bytes, der));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(ctx && EVP_DigestVerifyInit(ctx, NULL, algorithms[i].md(), NULL, k->pkey) == 1);
    bool good = signature.n > 0 && EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
                                                    (const unsigned char *)data.p, data.n) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good ? RC_OK : RC_PERM;
}
