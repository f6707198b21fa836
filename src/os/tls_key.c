/* Private keys of TLS certificates: the only file that holds one.
 *
 * Everything that needs a key (checking that it belongs to a certificate, signing a self-made certificate,
 * serving a chain) is done here for the caller. Encrypted keys are refused: a daemon has nobody to ask for
 * the pass phrase. */
#include "os/tls_impl.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

struct tls_key {
    EVP_PKEY *pkey;
};

static int no_pass_phrase(char *out, int size, int writing, void *ctx)
{
    return -1; /* OpenSSL would ask at the terminal */
}

static struct tls_key *key_wrap(EVP_PKEY *pkey)
{
    struct tls_key *k = calloc(1, sizeof *k);
    must(k);
    k->pkey = pkey;
    return k;
}

enum rc tls_key_parse(str pem, struct tls_key **ret)
{
    if (pem.n == 0 || pem.n > INT32_MAX)
        return RC_INVALID;
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    must(bio);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL);
    BIO_free(bio);
    if (!pkey)
        return RC_INVALID;
    *ret = key_wrap(pkey);
    return RC_OK;
}

struct tls_key *tls_key_new_p256(void)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    must(pkey);
    return key_wrap(pkey);
}

struct tls_key *tls_key_free(struct tls_key *k)
{
    if (k) {
        EVP_PKEY_free(k->pkey);
        free(k);
    }
    return NULL;
}

void tls_key_freep(struct tls_key **k)
{
    *k = tls_key_free(*k);
}

enum rc tls_key_format(const struct tls_key *k, struct buf *ret_pem)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    must(bio);
    enum rc rc = RC_TEMP;
    char *pem;
    if (PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) == 1) {
        long n = BIO_get_mem_data(bio, &pem);
        buf_put(ret_pem, pem, (size_t)n);
        rc = ret_pem->overflow ? RC_LIMIT : RC_OK;
    }
    BIO_free(bio);
    return rc;
}

bool tls_key_matches(const struct tls_key *k, X509 *cert)
{
    return X509_check_private_key(cert, k->pkey) == 1;
}

bool tls_key_sign(const struct tls_key *k, X509 *cert)
{
    return X509_set_pubkey(cert, k->pkey) == 1 && X509_sign(cert, k->pkey, EVP_sha256()) > 0;
}

bool tls_key_use(const struct tls_key *k, SSL_CTX *ctx, X509 *leaf, STACK_OF(X509) * chain)
{
    return SSL_CTX_use_cert_and_key(ctx, leaf, k->pkey, chain, 1) == 1;
}
