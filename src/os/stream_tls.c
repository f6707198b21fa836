/* The TLS transport of a stream, of either side: handshake, non-blocking reads and writes over OpenSSL,
 * channel bindings.
 *
 * The socket's own non-blocking descriptor lies under the SSL object. After an error that ends the connection
 * (`broken`) nothing more is sent on it, close_notify neither (SSL_shutdown(3)). */
#include "os/stream_impl.h"
#include "os/tls_client.h"
#include "os/tls_impl.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <poll.h>

#define EXPORTER_LABEL "EXPORTER-Channel-Binding" /* RFC 9266 §2 */
enum { EXPORTER_BYTES = 32 };

struct stream_tls {
    SSL *ssl;
    struct tls_server *server; /* one of the two */
    struct tls_client *client;
    bool broken, closed;
    struct tls_info info;
    char sni[256];
    unsigned char session_key[TLS_SESSION_KEY_BYTES]; /* a client's; the SSL object points here */
    struct tls_verdict verdict;
    struct tls_ccert ccert;
};

/* What a failed call means: RC_TEMP with *ret_wants, or RC_GONE. */
static enum rc result_of(struct stream_tls *t, int result, short *ret_wants)
{
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        *ret_wants = POLLIN;
        return RC_TEMP;
    case SSL_ERROR_WANT_WRITE:
        *ret_wants = POLLOUT;
        return RC_TEMP;
    case SSL_ERROR_ZERO_RETURN:
        return RC_GONE;
    default:
        t->broken = true;
        return RC_GONE;
    }
}

enum rc stream_tls_read(struct stream_tls *t, char *p, size_t n, size_t *ret_n, short *ret_wants)
{
    if (t->broken)
        return RC_GONE;
    ERR_clear_error();
    int result = SSL_read_ex(t->ssl, p, n, ret_n);
    return result == 1 ? RC_OK : result_of(t, result, ret_wants);
}

enum rc stream_tls_write(struct stream_tls *t, const char *p, size_t n, size_t *ret_n, short *ret_wants)
{
    if (t->broken || t->closed)
        return RC_GONE;
    ERR_clear_error();
    int result = SSL_write_ex(t->ssl, p, n, ret_n);
    return result == 1 ? RC_OK : result_of(t, result, ret_wants);
}

void stream_tls_close_write(struct stream_tls *t)
{
    if (t->broken || t->closed || !SSL_is_init_finished(t->ssl))
        return;
    ERR_clear_error();
    (void)SSL_shutdown(t->ssl); /* when the socket takes no more, the peer sees the TCP close only */
    ERR_clear_error();
    t->closed = true;
}

struct stream_tls *stream_tls_free(struct stream_tls *t)
{
    if (t) {
        SSL_free(t->ssl);
        tls_server_unref(t->server);
        tls_client_unref(t->client);
        free(t);
    }
    return NULL;
}

static void fill_info(struct stream_tls *t)
{
    const char *sni = SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name);
    snprintf(t->sni, sizeof t->sni, "%s", sni ? sni : "");
    t->info.sni = str_c(t->sni);
    t->info.version = str_c(SSL_get_version(t->ssl));
    t->info.cipher = str_c(SSL_get_cipher_name(t->ssl));
    t->info.bits = SSL_get_cipher_bits(t->ssl, &t->info.alg_bits);
    t->info.resumed = SSL_session_reused(t->ssl) == 1;
    t->info.trust = t->verdict.trust;
    t->info.fault = t->verdict.fault;
    t->info.trust_text = str_c(t->verdict.text);
}

/* The handshake's failure, in the words that Dovecot's and Postfix's logs taught administrators. */
static enum rc handshake_error(struct stream_tls *t, enum rc rc, struct err *e)
{
    char text[256];
    const char *call = SSL_is_server(t->ssl) ? "SSL_accept()" : "SSL_connect()";
    if (rc == RC_TEMP)
        return err_set(e, RC_TEMP, 0, NULL, "%s timed out", call);
    if (ERR_peek_error() == 0)
        return err_set(e, RC_GONE, 0, NULL, "%s failed: Connection closed", call);
    return err_set(e, RC_INVALID, 0, NULL, "%s failed: %s", call, tls_error_text(text));
}

static enum rc handshake(struct stream *s, struct stream_tls *t, struct err *e)
{
    for (;;) {
        ERR_clear_error();
        short wants = POLLIN;
        int result = SSL_do_handshake(t->ssl);
        if (result == 1)
            return RC_OK;
        enum rc rc = result_of(t, result, &wants);
        if (rc == RC_TEMP)
            rc = stream_wait_ready(s, wants);
        if (rc != RC_OK)
            return handshake_error(t, rc, e);
    }
}

static struct stream_tls *begin(struct stream *s)
{
    must(!s->tls && s->out.n == 0);
    stream_consume(s, stream_buffered(s));
    s->discarding = false;
    struct stream_tls *t = calloc(1, sizeof *t);
    must(t);
    return t;
}

/* Takes t, as the stream's transport when the handshake went well. */
static enum rc finish(struct stream *s, struct stream_tls *t, enum rc rc)
{
    if (rc != RC_OK) {
        stream_tls_free(t);
        s->failed = RC_GONE; /* what the peer now understands is unknown */
        return rc;
    }
    fill_info(t);
    s->tls = t;
    return RC_OK;
}

enum rc stream_start_tls(struct stream *s, struct tls_server *tls, struct err *e)
{
    struct stream_tls *t = begin(s);
    t->server = tls_server_ref(tls);
    t->ssl = tls_server_connection(tls, stream_fd(s));
    if (s->asks_certificate)
        tls_ccert_ask(t->ssl);
    enum rc rc = handshake(s, t, e);
    if (rc == RC_OK && s->asks_certificate) {
        tls_ccert_judge(t->ssl, &t->ccert);
        t->info.ccert = &t->ccert;
    }
    return finish(s, t, rc);
}

/* What came of the verification, whether or not it ended the handshake. */
static enum rc judge(struct stream_tls *t, const struct tls_client_params *params, enum rc rc, struct err *e)
{
    if (rc != RC_OK && rc != RC_INVALID)
        return rc;
    tls_verify_judge(t->ssl, params, &t->verdict);
    bool refused = t->verdict.fault != TLS_FAULT_NONE && params->required;
    if (rc == RC_OK && !refused)
        return RC_OK;
    if (refused)
        return err_set(e, RC_PERM, 0, NULL, "%s", t->verdict.text);
    return rc;
}

enum rc stream_start_tls_client(struct stream *s, struct tls_client *tls,
                                const struct tls_client_params *params, enum tls_fault *ret_fault,
                                struct err *e)
{
    struct stream_tls *t = begin(s);
    t->client = tls_client_ref(tls);
    t->ssl = tls_client_connection(tls, stream_fd(s), params, t->session_key);
    enum rc rc = tls_verify_prepare(t->ssl, params, &t->verdict);
    if (rc == RC_OK)
        rc = judge(t, params, handshake(s, t, e), e);
    else
        (void)err_set(e, rc, 0, NULL, "%s", t->verdict.text);
    if (rc != RC_OK && ret_fault)
        *ret_fault = t->verdict.fault != TLS_FAULT_NONE ? t->verdict.fault : TLS_FAULT_HANDSHAKE;
    return finish(s, t, rc);
}

void stream_ask_certificate(struct stream *s)
{
    s->asks_certificate = true;
}

enum rc stream_tls_fingerprint(struct stream *s, const char *digest, bool of_key, struct buf *out)
{
    return s->tls ? tls_ccert_fingerprint(s->tls->ssl, digest, of_key, out) : RC_GONE;
}

const struct tls_info *stream_tls_info(const struct stream *s)
{
    return s->tls ? &s->tls->info : NULL;
}

/* RFC 9266 §2; with TLS 1.2 the value is unique only under the extended master secret (§4.2). */
enum rc stream_tls_exporter(struct stream *s, struct buf *out)
{
    if (!s->tls)
        return RC_GONE;
    SSL *ssl = s->tls->ssl;
    unsigned char value[EXPORTER_BYTES];
    if (SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1)
        return RC_GONE;
    if (SSL_export_keying_material(ssl, value, sizeof value, EXPORTER_LABEL, strlen(EXPORTER_LABEL), NULL, 0,
                                   0) != 1)
        return RC_GONE;
    buf_put(out, value, sizeof value);
    return out->overflow ? RC_LIMIT : RC_OK;
}

/* RFC 5929 §4.1: the server certificate's hash with its signature's hash function, SHA-256 in place of MD5
 * and SHA-1. */
enum rc stream_tls_end_point(struct stream *s, struct buf *out)
{
    if (!s->tls)
        return RC_GONE;
    SSL *ssl = s->tls->ssl;
    X509 *cert = SSL_is_server(ssl) ? SSL_get_certificate(ssl) : SSL_get0_peer_certificate(ssl);
    int hash = NID_undef;
    if (!cert || X509_get_signature_info(cert, &hash, NULL, NULL, NULL) != 1)
        return RC_GONE;
    if (hash == NID_md5 || hash == NID_sha1 || hash == NID_undef)
        hash = NID_sha256;
    const EVP_MD *md = EVP_get_digestbynid(hash);
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (!md || X509_digest(cert, md, value, &n) != 1)
        return RC_GONE;
    buf_put(out, value, n);
    return out->overflow ? RC_LIMIT : RC_OK;
}
