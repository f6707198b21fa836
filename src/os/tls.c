/* A role's TLS settings (tls.h): one OpenSSL context per set of names, chosen by the name the client asks
 * for.
 *
 * Certificates for the same names with keys of different kinds share a context, where ECDSA comes first
 * (faster for us, smaller on the wire) and RSA serves clients that cannot do better. Names match as RFC 6125
 * §6.4 says: an exact one before a wildcard, which stands for one whole label. Renegotiation and compression
 * are off; 0-RTT is never accepted (RFC 8446 §8: commands could be replayed). */
#include "os/tls.h"

#include "os/tls_impl.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>

#define MODERN_CIPHERS                                                                           \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:" \
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"
#define SIGNATURES                                                                                          \
    "ECDSA+SHA256:ECDSA+SHA384:ed25519:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:" \
    "RSA+SHA512"

struct tls_site { /* one set of names */
    SSL_CTX *ctx;
    X509 *leaf; /* of the first pair: has the names */
};

struct tls_server {
    atomic_uint refs;
    struct tls_site *sites;
    size_t n_sites;
    struct tls_tickets *tickets;
};

static const struct tls_site *find_site(const struct tls_server *t, const char *name, unsigned flags)
{
    for (size_t i = 0; i < t->n_sites; i++)
        if (X509_check_host(t->sites[i].leaf, name, 0, flags, NULL) == 1)
            return &t->sites[i];
    return NULL;
}

/* RFC 6066 §3: an unknown name gets the default certificate; clients that care check it. */
static int choose_by_name(SSL *ssl, int *alert, void *arg)
{
    const struct tls_server *t = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (!name)
        return SSL_TLSEXT_ERR_NOACK;
    const struct tls_site *site = find_site(t, name, X509_CHECK_FLAG_NO_WILDCARDS);
    if (!site)
        site = find_site(t, name, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (site)
        SSL_set_SSL_CTX(ssl, site->ctx);
    return SSL_TLSEXT_ERR_OK;
}

int tls_version_number(str version)
{
    return str_eq(version, S("TLSv1.3"))   ? TLS1_3_VERSION
           : str_eq(version, S("TLSv1.2")) ? TLS1_2_VERSION
                                           : 0;
}

static enum rc ctx_new(struct tls_server *t, str min_version, str ciphers, SSL_CTX **ret, struct err *e)
{
    AUTO(str_freep) char *list = str_dup(ciphers.n ? ciphers : S(MODERN_CIPHERS));
    int version = tls_version_number(min_version);
    if (!version)
        return err_set(e, RC_PERM, 0, NULL, "TLS version \"" STR_FMT "\" is neither TLSv1.2 nor TLSv1.3",
                       STR_ARG(min_version));
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    must(ctx && SSL_CTX_set_min_proto_version(ctx, version) == 1);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1); /* one read(2) a record instead of two */
    must(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"malle", 5) == 1);
    must(SSL_CTX_set1_sigalgs_list(ctx, SIGNATURES) == 1);
    must(tls_tickets_use(t->tickets, ctx));
    SSL_CTX_set_tlsext_servername_callback(ctx, choose_by_name);
    SSL_CTX_set_tlsext_servername_arg(ctx, t);
    *ret = ctx;
    if (SSL_CTX_set_cipher_list(ctx, list) == 1)
        return RC_OK;
    ERR_clear_error();
    return err_set(e, RC_PERM, 0, NULL, "TLS cipher list \"" STR_FMT "\" names no cipher", STR_ARG(ciphers));
}

/* The site whose certificate names the same hosts with a key of another kind: the same subjectAltName. */
static struct tls_site *find_twin(struct tls_server *t, X509 *leaf)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    struct tls_site *twin = NULL;
    for (size_t i = 0; names && i < t->n_sites && !twin; i++) {
        X509 *other = t->sites[i].leaf;
        GENERAL_NAMES *theirs = X509_get_ext_d2i(other, NID_subject_alt_name, NULL, NULL);
        bool same = theirs && sk_GENERAL_NAME_num(names) == sk_GENERAL_NAME_num(theirs);
        for (int k = 0; same && k < sk_GENERAL_NAME_num(names); k++)
            same = GENERAL_NAME_cmp(sk_GENERAL_NAME_value(names, k), sk_GENERAL_NAME_value(theirs, k)) == 0;
        if (same &&
            EVP_PKEY_get_base_id(X509_get0_pubkey(leaf)) != EVP_PKEY_get_base_id(X509_get0_pubkey(other)))
            twin = &t->sites[i];
        GENERAL_NAMES_free(theirs);
    }
    GENERAL_NAMES_free(names);
    return twin;
}

static enum rc add_pair(struct tls_server *t, const struct tls_pem *pair, str min_version, str ciphers,
                        struct err *e)
{
    AUTO(tls_cert_deinit) struct tls_cert c = {0};
    enum rc rc = tls_cert_parse(pair, &c, e);
    if (rc != RC_OK)
        return rc;
    struct tls_site *site = find_twin(t, c.leaf);
    if (!site) {
        site = &t->sites[t->n_sites];
        rc = ctx_new(t, min_version, ciphers, &site->ctx, e);
        site->leaf = c.leaf;
        X509_up_ref(c.leaf);
        t->n_sites++;
        if (rc != RC_OK)
            return rc;
    }
    return tls_cert_use(&c, site->ctx, pair->name, e);
}

enum rc tls_server_new(const struct tls_pem *pairs, size_t n, str min_version, str ciphers,
                       struct tls_server **ret, struct err *e)
{
    if (n == 0)
        return err_set(e, RC_PERM, 0, NULL, "TLS needs at least one certificate");
    struct tls_server *t = calloc(1, sizeof *t);
    must(t);
    atomic_init(&t->refs, 1);
    t->tickets = tls_tickets_new();
    t->sites = calloc(n, sizeof *t->sites);
    must(t->sites);
    for (size_t i = 0; i < n; i++) {
        enum rc rc = add_pair(t, &pairs[i], min_version, ciphers, e);
        if (rc != RC_OK) {
            tls_server_unref(t);
            return rc;
        }
    }
    *ret = t;
    return RC_OK;
}

enum rc tls_server_trust(struct tls_server *t, str client_ca, bool needs_crl, struct err *e)
{
    X509_STORE *store;
    if (client_ca.n == 0)
        return RC_OK;
    enum rc rc = tls_ccert_store(client_ca, needs_crl, &store, e);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < t->n_sites; i++)
        must(SSL_CTX_set1_verify_cert_store(t->sites[i].ctx, store) == 1);
    X509_STORE_free(store);
    return RC_OK;
}

struct tls_server *tls_server_ref(struct tls_server *t)
{
    atomic_fetch_add(&t->refs, 1);
    return t;
}

void tls_server_unref(struct tls_server *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    for (size_t i = 0; i < t->n_sites; i++) {
        SSL_CTX_free(t->sites[i].ctx);
        X509_free(t->sites[i].leaf);
    }
    free(t->sites);
    tls_tickets_free(t->tickets);
    free(t);
}

SSL *tls_server_connection(struct tls_server *t, int fd)
{
    SSL *ssl = SSL_new(t->sites[0].ctx);
    must(ssl && SSL_set_fd(ssl, fd) == 1);
    SSL_set_accept_state(ssl);
    return ssl;
}

const char *tls_library_version(bool built)
{
    return built ? OPENSSL_VERSION_TEXT : OpenSSL_version(OPENSSL_VERSION);
}
