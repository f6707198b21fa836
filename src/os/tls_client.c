/* A role's TLS settings as a client (tls_client.h): one OpenSSL context for all connections; what differs
 * between them is set on each.
 *
 * A session is resumed only by a connection with the very same parameters, because resumption skips the
 * certificate: their digest is the session's key. */
#include "os/tls_client.h"

#include "os/tls_impl.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdatomic.h>

struct tls_client {
    atomic_uint refs;
    SSL_CTX *ctx;
    struct tls_sessions *sessions;
};

/* Called with TLS 1.3 whenever a ticket comes in, in the midst of a read. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    const unsigned char *key = SSL_get_app_data(ssl);
    if (!key)
        return 0;
    struct tls_client *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    tls_sessions_put(t->sessions, key, session);
    return 0; /* the reference stays OpenSSL's */
}

static void set_up(struct tls_client *t, int min_version)
{
    must(SSL_CTX_set_min_proto_version(t->ctx, min_version) == 1 && SSL_CTX_dane_enable(t->ctx) == 1);
    SSL_CTX_set_options(t->ctx,
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(t->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(t->ctx, 1);
    SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(t->ctx, keep_session);
    must(SSL_CTX_set_app_data(t->ctx, t) == 1);
}

static enum rc add_certificate(SSL_CTX *ctx, const struct tls_pem *pair, struct err *e)
{
    AUTO(tls_cert_deinit) struct tls_cert c = {0};
    enum rc rc = tls_cert_parse(pair, &c, e);
    return rc == RC_OK ? tls_cert_use(&c, ctx, pair->name, e) : rc;
}

static enum rc configure(struct tls_client *t, const struct tls_client_settings *set, struct err *e)
{
    int version = tls_version_number(set->min_version);
    if (!version)
        return err_set(e, RC_PERM, 0, NULL, "TLS version \"" STR_FMT "\" is neither TLSv1.2 nor TLSv1.3",
                       STR_ARG(set->min_version));
    set_up(t, version);
    if (set->ciphers.n) {
        AUTO(str_freep) char *list = str_dup(set->ciphers);
        bool known = SSL_CTX_set_cipher_list(t->ctx, list) == 1;
        ERR_clear_error();
        if (!known)
            return err_set(e, RC_PERM, 0, NULL, "TLS cipher list \"" STR_FMT "\" names no cipher",
                           STR_ARG(set->ciphers));
    }
    for (size_t i = 0; i < set->n_certificates; i++) {
        enum rc rc = add_certificate(t->ctx, &set->certificates[i], e);
        if (rc != RC_OK)
            return rc;
    }
    return set->no_ca ? RC_OK : tls_ca_load(SSL_CTX_get_cert_store(t->ctx), set->ca_file, e);
}

enum rc tls_client_new(const struct tls_client_settings *set, struct tls_client **ret, struct err *e)
{
    struct tls_client *t = calloc(1, sizeof *t);
    must(t);
    atomic_init(&t->refs, 1);
    t->ctx = SSL_CTX_new(TLS_client_method());
    must(t->ctx);
    t->sessions = tls_sessions_new();
    enum rc rc = configure(t, set, e);
    if (rc != RC_OK) {
        tls_client_unref(t);
        return rc;
    }
    *ret = t;
    return RC_OK;
}

struct tls_client *tls_client_ref(struct tls_client *t)
{
    atomic_fetch_add(&t->refs, 1);
    return t;
}

void tls_client_unref(struct tls_client *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    SSL_CTX_free(t->ctx);
    tls_sessions_free(t->sessions);
    free(t);
}

static void digest_str(EVP_MD_CTX *md, str s)
{
    uint64_t n = s.n;
    must(EVP_DigestUpdate(md, &n, sizeof n) == 1 && EVP_DigestUpdate(md, s.p, s.n) == 1);
}

static void digest_params(const struct tls_client_params *p, unsigned char ret[TLS_SESSION_KEY_BYTES])
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    must(md && EVP_DigestInit_ex2(md, EVP_sha256(), NULL) == 1);
    unsigned char policy[] = {(unsigned char)p->verify, p->required};
    digest_str(md, p->endpoint);
    digest_str(md, p->server_name);
    digest_str(md, str_mem(policy, sizeof policy));
    digest_str(md, str_mem(&p->n_names, sizeof p->n_names));
    for (size_t i = 0; i < p->n_names; i++)
        digest_str(md, p->names[i]);
    for (size_t i = 0; i < p->n_tlsa; i++) {
        unsigned char kind[] = {p->tlsa[i].usage, p->tlsa[i].selector, p->tlsa[i].matching};
        digest_str(md, str_mem(kind, sizeof kind));
        digest_str(md, p->tlsa[i].data);
    }
    must(EVP_DigestFinal_ex(md, ret, NULL) == 1);
    EVP_MD_CTX_free(md);
}

SSL *tls_client_connection(struct tls_client *t, int fd, const struct tls_client_params *params,
                           unsigned char key[TLS_SESSION_KEY_BYTES])
{
    SSL *ssl = SSL_new(t->ctx);
    must(ssl && SSL_set_fd(ssl, fd) == 1);
    SSL_set_connect_state(ssl);
    if (params->endpoint.n == 0)
        return ssl;
    digest_params(params, key);
    must(SSL_set_app_data(ssl, key) == 1);
    SSL_SESSION *session = tls_sessions_find(t->sessions, key);
    if (session) {
        (void)SSL_set_session(ssl, session); /* refused: a full handshake */
        SSL_SESSION_free(session);
    }
    return ssl;
}
