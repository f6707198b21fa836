/* Certificates of clients: asking for one, and what is said of it afterwards.
 *
 * Whether a client without a good one may go on is for the protocol to say, in its own words: a handshake
 * never fails for it. A resumed session has the certificate, and what came of its verification, in its
 * ticket. */
#include "base/clock.h"
#include "os/tls_impl.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { CHAIN_DEPTH_MAX = 9 };

static int accept_any(int good, X509_STORE_CTX *x)
{
    return 1; /* the first thing that is wrong stays the result of the verification */
}

void tls_ccert_ask(SSL *ssl)
{
    X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), (time_t)clock_seconds());
    SSL_set_verify_depth(ssl, CHAIN_DEPTH_MAX);
    SSL_set_verify(ssl, SSL_VERIFY_PEER, accept_any);
}

/* Text of a name, UTF-8 without control characters; "" when there is none. */
static void put_common_name(const X509_NAME *name, char *ret, size_t size)
{
    unsigned char *text = NULL;
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    int n = at < 0 ? -1 : ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    size_t length = n > 0 && (size_t)n < size ? (size_t)n : 0;
    for (size_t i = 0; i < length; i++)
        ret[i] = text[i] < ' ' || text[i] == 0x7f ? '?' : (char)text[i];
    ret[length] = '\0';
    OPENSSL_free(text);
}

void tls_ccert_judge(SSL *ssl, struct tls_ccert *ret)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);
    long result = SSL_get_verify_result(ssl);
    *ret = (struct tls_ccert){.present = cert != NULL};
    if (!cert)
        return;
    ret->trusted = result == X509_V_OK;
    if (!ret->trusted)
        snprintf(ret->why, sizeof ret->why, "%s", X509_verify_cert_error_string(result));
    put_common_name(X509_get_subject_name(cert), ret->subject, sizeof ret->subject);
    put_common_name(X509_get_issuer_name(cert), ret->issuer, sizeof ret->issuer);
}

str tls_certified_name(const struct tls_info *tls)
{
    const struct tls_ccert *cert = tls ? tls->ccert : NULL;
    return cert && cert->trusted ? str_c(cert->subject) : STR_NONE;
}

static bool digest_of(X509 *cert, bool of_key, const EVP_MD *md, unsigned char *ret, unsigned *ret_n)
{
    if (!of_key)
        return X509_digest(cert, md, ret, ret_n) == 1;
    unsigned char *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    bool good = n > 0 && EVP_Digest(der, (size_t)n, ret, ret_n, md, NULL) == 1;
    OPENSSL_free(der);
    return good;
}

enum rc tls_ccert_fingerprint(SSL *ssl, const char *digest, bool of_key, struct buf *out)
{
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    X509 *cert = SSL_get0_peer_certificate(ssl);
    const EVP_MD *md = EVP_get_digestbyname(digest);
    if (!cert || !md || !digest_of(cert, of_key, md, value, &n))
        return RC_GONE;
    for (unsigned i = 0; i < n; i++)
        buf_printf(out, "%s%02X", i ? ":" : "", value[i]);
    return out->overflow ? RC_LIMIT : RC_OK;
}

enum rc tls_ccert_store(str pem, bool needs_crl, X509_STORE **ret, struct err *e)
{
    char text[256];
    X509_STORE *store = X509_STORE_new();
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    must(store && bio && pem.n <= INT32_MAX);
    STACK_OF(X509_INFO) *all = PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL);
    int n = 0;
    for (int i = 0; i < sk_X509_INFO_num(all); i++) {
        const X509_INFO *one = sk_X509_INFO_value(all, i);
        n += one->x509 && X509_STORE_add_cert(store, one->x509) == 1;
        if (one->crl)
            (void)X509_STORE_add_crl(store, one->crl);
    }
    bool good = all && n > 0;
    sk_X509_INFO_pop_free(all, X509_INFO_free);
    BIO_free(bio);
    if (!good) {
        X509_STORE_free(store);
        return err_set(e, RC_PERM, 0, NULL, "CA certificates of clients cannot be used: %s",
                       all ? "there are none" : tls_error_text(text));
    }
    if (needs_crl)
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    ERR_clear_error();
    *ret = store;
    return RC_OK;
}
