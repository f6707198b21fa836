/* Certificate chains from PEM, their checks, and the self-signed certificate of a server without one. */
#include "base/clock.h"
#include "os/tls_impl.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

enum { CHAIN_MAX = 16, SELF_SIGNED_DAYS = 3652 };

const char *tls_error_text(char text[256])
{
    unsigned long code = ERR_get_error();
    if (code)
        ERR_error_string_n(code, text, 256);
    else
        snprintf(text, 256, "no reason given");
    ERR_clear_error();
    return text;
}

void tls_cert_deinit(struct tls_cert *c)
{
    X509_free(c->leaf);
    sk_X509_pop_free(c->chain, X509_free);
    tls_key_free(c->key);
    *c = (struct tls_cert){0};
}

static enum rc parse_chain(str pem, struct tls_cert *c)
{
    if (pem.n == 0 || pem.n > INT32_MAX)
        return RC_INVALID;
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    c->chain = sk_X509_new_null();
    must(bio && c->chain);
    c->leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    X509 *issuer;
    while (c->leaf && sk_X509_num(c->chain) < CHAIN_MAX &&
           (issuer = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        sk_X509_push(c->chain, issuer);
    BIO_free(bio);
    ERR_clear_error(); /* the end of the file is one */
    return c->leaf ? RC_OK : RC_INVALID;
}

enum rc tls_cert_parse(const struct tls_pem *pair, struct tls_cert *ret, struct err *e)
{
    AUTO(tls_cert_deinit) struct tls_cert c = {0};
    const char *wrong = NULL;
    if (parse_chain(pair->chain, &c) != RC_OK)
        wrong = "holds no certificate in PEM form";
    else if (tls_key_parse(pair->key, &c.key) != RC_OK)
        wrong = "has no usable private key (PEM, without a pass phrase)";
    else if (!tls_key_matches(c.key, c.leaf))
        wrong = "does not belong to its private key";
    ERR_clear_error();
    if (wrong)
        return err_set(e, RC_PERM, 0, NULL, "certificate " STR_FMT " %s", STR_ARG(pair->name), wrong);
    *ret = c;
    c = (struct tls_cert){0};
    return RC_OK;
}

enum rc tls_cert_use(const struct tls_cert *c, SSL_CTX *ctx, str name, struct err *e)
{
    char text[256];
    if (tls_key_use(c->key, ctx, c->leaf, c->chain))
        return RC_OK;
    return err_set(e, RC_PERM, 0, NULL, "certificate " STR_FMT " cannot be used: %s", STR_ARG(name),
                   tls_error_text(text));
}

enum rc tls_pem_check(const struct tls_pem *pair, int64_t *ret_expires_in, struct err *e)
{
    AUTO(tls_cert_deinit) struct tls_cert c = {0};
    enum rc rc = tls_cert_parse(pair, &c, e);
    if (rc != RC_OK)
        return rc;
    int days = 0, seconds = 0;
    ASN1_TIME *now = ASN1_TIME_set(NULL, (time_t)clock_seconds());
    must(now);
    bool known = ASN1_TIME_diff(&days, &seconds, now, X509_get0_notAfter(c.leaf)) == 1;
    ASN1_TIME_free(now);
    if (!known)
        return err_set(e, RC_PERM, 0, NULL, "certificate " STR_FMT " has a malformed expiry date",
                       STR_ARG(pair->name));
    *ret_expires_in = (int64_t)days * 86400 + seconds;
    return RC_OK;
}

static bool add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = ext && X509_add_ext(cert, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

/* A name that goes into an extension's value must not end the value (a comma would). */
static bool is_host_name(str host)
{
    for (size_t i = 0; i < host.n; i++)
        if (!ascii_alnum(host.p[i]) && host.p[i] != '.' && host.p[i] != '-' && host.p[i] != '_')
            return false;
    return host.n > 0 && host.n <= 253;
}

static bool fill_self_signed(X509 *cert, str host)
{
    unsigned char serial[16];
    char alt[4 + 253 + 1], common[65];
    snprintf(alt, sizeof alt, "DNS:" STR_FMT, STR_ARG(host));
    snprintf(common, sizeof common, STR_FMT,
             STR_ARG(str_sub(host, 0, 64))); /* RFC 5280 §A.1: ub-common-name */
    BIGNUM *number = RAND_bytes(serial, sizeof serial) == 1 ? BN_bin2bn(serial, sizeof serial, NULL) : NULL;
    bool ok = number && BN_set_bit(number, 126) && BN_clear_bit(number, 127) &&
              BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    X509_NAME *name = X509_get_subject_name(cert);
    time_t now = (time_t)clock_seconds();
    return ok && X509_set_version(cert, X509_VERSION_3) == 1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (unsigned char *)common, -1, -1, 0) == 1 &&
           X509_set_issuer_name(cert, name) == 1 &&
           X509_time_adj_ex(X509_getm_notBefore(cert), -1, 0, &now) &&
           X509_time_adj_ex(X509_getm_notAfter(cert), SELF_SIGNED_DAYS, 0, &now) &&
           add_extension(cert, NID_subject_alt_name, alt) &&
           add_extension(cert, NID_basic_constraints, "critical,CA:FALSE");
}

static enum rc format_cert(X509 *cert, struct buf *ret_pem)
{
    BIO *bio = BIO_new(BIO_s_mem());
    must(bio);
    char *pem;
    enum rc rc = RC_TEMP;
    if (PEM_write_bio_X509(bio, cert) == 1) {
        long n = BIO_get_mem_data(bio, &pem);
        buf_put(ret_pem, pem, (size_t)n);
        rc = ret_pem->overflow ? RC_LIMIT : RC_OK;
    }
    BIO_free(bio);
    return rc;
}

enum rc tls_self_signed(str host, struct buf *ret_chain, struct buf *ret_key)
{
    if (!is_host_name(host))
        return RC_INVALID;
    AUTO(tls_key_freep) struct tls_key *key = tls_key_new_p256();
    X509 *cert = X509_new();
    must(cert);
    enum rc rc = RC_TEMP;
    if (fill_self_signed(cert, host) && tls_key_sign(key, cert))
        rc = format_cert(cert, ret_chain);
    X509_free(cert);
    return rc == RC_OK ? tls_key_format(key, ret_key) : rc;
}
