/* Hashes, HMAC, PBKDF2 and random bytes through OpenSSL 3's EVP. */
#include "os/crypto.h"

#include "base/num.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>

static const EVP_MD *hash_md(enum crypto_hash hash)
{
    switch (hash) {
    case CRYPTO_MD5:
        return EVP_md5();
    case CRYPTO_SHA1:
        return EVP_sha1();
    case CRYPTO_SHA256:
        return EVP_sha256();
    case CRYPTO_SHA512:
        return EVP_sha512();
    }
    must(!"a known hash");
}

size_t crypto_hash_size(enum crypto_hash hash)
{
    return (size_t)EVP_MD_get_size(hash_md(hash));
}

void crypto_digest(enum crypto_hash hash, str data, unsigned char *ret)
{
    crypto_digest2(hash, data, STR_NONE, ret);
}

void crypto_digest2(enum crypto_hash hash, str a, str b, unsigned char *ret)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(ctx && EVP_DigestInit_ex(ctx, hash_md(hash), NULL));
    must(EVP_DigestUpdate(ctx, a.p, a.n) && EVP_DigestUpdate(ctx, b.p, b.n));
    must(EVP_DigestFinal_ex(ctx, ret, NULL));
    EVP_MD_CTX_free(ctx);
}

void crypto_hmac(enum crypto_hash hash, str key, str data, unsigned char *ret)
{
    must(key.n <= INT_MAX);
    /* an empty key must not be NULL, which would mean "the key of before" */
    const void *k = key.n > 0 ? (const void *)key.p : "";
    must(HMAC(hash_md(hash), k, (int)key.n, (const unsigned char *)data.p, data.n, ret, NULL));
}

static EVP_MAC *poly1305;
static pthread_once_t poly1305_once = PTHREAD_ONCE_INIT;

static void fetch_poly1305(void)
{
    poly1305 = EVP_MAC_fetch(NULL, "POLY1305", NULL);
}

uint64_t crypto_sum(const uint64_t key[2], str a, str b)
{
    unsigned char bytes[32], tag[16];
    size_t n;
    for (int i = 0; i < 4; i++)
        num_put_le(bytes + 8 * i, 8, key[i % 2]);
    pthread_once(&poly1305_once, fetch_poly1305);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(poly1305);
    must(ctx && EVP_MAC_init(ctx, bytes, sizeof bytes, NULL) == 1 &&
         EVP_MAC_update(ctx, (const unsigned char *)a.p, a.n) == 1 &&
         (b.n == 0 || EVP_MAC_update(ctx, (const unsigned char *)b.p, b.n) == 1) &&
         EVP_MAC_final(ctx, tag, &n, sizeof tag) == 1 && n == sizeof tag);
    EVP_MAC_CTX_free(ctx);
    return num_get_le(tag, 8);
}

void crypto_pbkdf2(enum crypto_hash hash, str password, str salt, uint32_t iterations, unsigned char *ret,
                   size_t ret_n)
{
    must(password.n <= INT_MAX && salt.n <= INT_MAX && iterations >= 1 && iterations <= INT_MAX &&
         ret_n <= INT_MAX);
    const char *pass = password.n > 0 ? password.p : "";
    must(PKCS5_PBKDF2_HMAC(pass, (int)password.n, (const unsigned char *)salt.p, (int)salt.n, (int)iterations,
                           hash_md(hash), (int)ret_n, ret));
}

void crypto_random(void *ret, size_t n)
{
    must(n <= INT_MAX && RAND_bytes(ret, (int)n) == 1);
}

void crypto_wipe(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}
