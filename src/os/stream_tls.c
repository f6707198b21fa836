/* The TLS transport of a stream: handshake, non-blocking reads and writes over OpenSSL, channel bindings.
 *
 * The socket's own non-blocking descriptor lies under the SSL object. After an error that ends the connection
 * (`broken`) nothing more is sent on it, close_notify neither (SSL_shutdown(3)). */
#include "os/stream_impl.h"
#include "os/tls_impl.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <poll.h>

#define EXPORTER_LABEL "EXPORTER-Channel-Binding" /* RFC 9266 §2 */
enum { EXPORTER_BYTES = 32 };

struct stream_tls {
    SSL *ssl;
    struct tls_server *server;
    bool broken, closed;
    struct tls_info info;
    char sni[256];
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
}

/* The handshake's failure, in the words that Dovecot's and Postfix's logs taught administrators. */
static enum rc handshake_error(struct stream_tls *t, enum rc rc, struct err *e)
{
    char text[256];
    if (rc == RC_TEMP)
        return err_set(e, RC_TEMP, 0, NULL, "SSL_accept() timed out");
    if (ERR_peek_error() == 0)
        return err_set(e, RC_GONE, 0, NULL, "SSL_accept() failed: Connection closed");
    return err_set(e, RC_INVALID, 0, NULL, "SSL_accept() failed: %s", tls_error_text(text));
}

static enum rc handshake(struct stream *s, struct stream_tls *t, struct err *e)
{
    for (;;) {
        ERR_clear_error();
        short wants = POLLIN;
        int result = SSL_accept(t->ssl);
        if (result == 1)
            return RC_OK;
        enum rc rc = result_of(t, result, &wants);
        if (rc == RC_TEMP)
            rc = stream_wait_ready(s, wants);
        if (rc != RC_OK)
            return handshake_error(t, rc, e);
    }
}

enum rc stream_start_tls(struct stream *s, struct tls_server *tls, struct err *e)
{
    must(!s->tls && s->out.n == 0);
    stream_consume(s, stream_buffered(s));
    s->discarding = false;
    struct stream_tls *t = calloc(1, sizeof *t);
    must(t);
    t->server = tls_server_ref(tls);
    t->ssl = tls_server_connection(tls, stream_fd(s));
    enum rc rc = handshake(s, t, e);
    if (rc != RC_OK) {
        stream_tls_free(t);
        s->failed = RC_GONE; /* what the peer now understands is unknown */
        return rc;
    }
    fill_info(t);
    s->tls = t;
    return RC_OK;
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

/* RFC 5929 §4.1: the certificate's hash with its signature's hash function, SHA-256 in place of MD5 and
 * SHA-1. */
enum rc stream_tls_end_point(struct stream *s, struct buf *out)
{
    if (!s->tls)
        return RC_GONE;
    X509 *cert = SSL_get_certificate(s->tls->ssl);
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
