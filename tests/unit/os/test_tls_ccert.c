/* os/tls_ccert against OpenSSL's own client: which certificates of clients are trusted, what is known of
 * them, also in a resumed session. The certificates sign themselves: each is its own CA. */
#include "os/stream.h"
#include "os/tls.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

struct identity {
    struct buf chain, key;
};

struct client {
    int fd;
    const struct identity *shows; /* NULL: nothing */
    SSL_SESSION *resume, *session;
    bool resumed;
};

struct seen {
    struct tls_ccert ccert;
    bool asked;
    char fingerprint[200], of_key[200];
};

static void identity_make(struct identity *i, const char *name)
{
    buf_init(&i->chain, 65536);
    buf_init(&i->key, 65536);
    assert_int_equal(tls_self_signed(str_c(name), &i->chain, &i->key), RC_OK);
}

static void identity_free(struct identity *i)
{
    buf_deinit(&i->chain);
    buf_wipe(&i->key);
}

static void show(SSL_CTX *ctx, const struct identity *i)
{
    BIO *chain = BIO_new_mem_buf(i->chain.p, (int)i->chain.n),
        *key = BIO_new_mem_buf(i->key.p, (int)i->key.n);
    X509 *cert = PEM_read_bio_X509(chain, NULL, NULL, NULL);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    assert_true(SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, pkey) == 1);
    X509_free(cert);
    EVP_PKEY_free(pkey);
    BIO_free(chain);
    BIO_free(key);
}

static void *client_run(void *arg)
{
    struct client *c = arg;
    char reply[64];
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (c->shows)
        show(ctx, c->shows);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, c->fd);
    if (c->resume)
        SSL_set_session(ssl, c->resume);
    if (SSL_connect(ssl) == 1 && SSL_read(ssl, reply, sizeof reply) > 0) {
        c->resumed = SSL_session_reused(ssl) == 1;
        c->session = SSL_get1_session(ssl);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(c->fd);
    return NULL;
}

static void put_fingerprint(struct stream *s, bool of_key, char ret[200])
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(199);
    enum rc rc = stream_tls_fingerprint(s, "sha256", of_key, &b);
    snprintf(ret, 200, "%s", rc == RC_OK ? buf_cstr(&b) : "");
}

static struct seen talk(struct tls_server *t, struct client *c, bool ask)
{
    int fd[2];
    pthread_t thread;
    struct err e = {0};
    struct seen seen = {.asked = false};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    c->fd = fd[1];
    assert_int_equal(pthread_create(&thread, NULL, client_run, c), 0);
    struct stream *s = stream_new(fd[0], 128);
    stream_set_deadline(s, clock_mono() + 10000);
    if (ask)
        stream_ask_certificate(s);
    assert_int_equal(stream_start_tls(s, t, &e), RC_OK);
    const struct tls_info *info = stream_tls_info(s);
    seen.asked = info->ccert != NULL;
    if (info->ccert)
        seen.ccert = *info->ccert;
    put_fingerprint(s, false, seen.fingerprint);
    put_fingerprint(s, true, seen.of_key);
    stream_write(s, S("hello\n"));
    assert_int_equal(stream_flush(s), RC_OK);
    stream_freep(&s);
    pthread_join(thread, NULL);
    return seen;
}

static struct tls_server *server_with(const struct identity *own, str ca, bool needs_crl)
{
    struct tls_server *t = NULL;
    struct err e = {0};
    const struct tls_pem pem = {.chain = buf_str(&own->chain), .key = buf_str(&own->key), .name = S("own")};
    assert_int_equal(tls_server_new(&pem, 1, S("TLSv1.2"), S(""), &t, &e), RC_OK);
    assert_int_equal(tls_server_trust(t, ca, needs_crl, &e), RC_OK);
    return t;
}

static void known_and_unknown(void **state)
{
    struct identity own, friend, stranger;
    identity_make(&own, "mx.example.org");
    identity_make(&friend, "friend.example");
    identity_make(&stranger, "stranger.example");
    struct tls_server *t = server_with(&own, buf_str(&friend.chain), false);
    struct client nobody = {.shows = NULL}, known = {.shows = &friend}, unknown = {.shows = &stranger};

    struct seen seen = talk(t, &nobody, true);
    assert_true(seen.asked && !seen.ccert.present && !seen.ccert.trusted);
    assert_string_equal(seen.fingerprint, "");

    struct seen good = talk(t, &known, true);
    assert_true(good.ccert.present && good.ccert.trusted);
    assert_string_equal(good.ccert.subject, "friend.example");
    assert_string_equal(good.ccert.issuer, "friend.example");
    assert_int_equal(strlen(good.fingerprint), 32 * 3 - 1);
    assert_int_equal(strlen(good.of_key), 32 * 3 - 1);
    assert_string_not_equal(good.fingerprint, good.of_key);

    seen = talk(t, &unknown, true);
    assert_true(seen.ccert.present && !seen.ccert.trusted && seen.ccert.why[0]);
    assert_string_not_equal(seen.fingerprint, good.fingerprint);

    struct client again = {.shows = &friend, .resume = known.session};
    seen = talk(t, &again, true);
    assert_true(again.resumed && seen.ccert.trusted);
    assert_string_equal(seen.fingerprint, good.fingerprint);

    struct client unasked = {.shows = &friend};
    seen = talk(t, &unasked, false);
    assert_false(seen.asked);

    SSL_SESSION_free(nobody.session);
    SSL_SESSION_free(known.session);
    SSL_SESSION_free(unknown.session);
    SSL_SESSION_free(again.session);
    SSL_SESSION_free(unasked.session);
    tls_server_unref(t);
    identity_free(&own);
    identity_free(&friend);
    identity_free(&stranger);
}

/* A resumed session never knows more of the client than the one before. */
static void resumed_without_a_certificate(void **state)
{
    struct identity own, friend;
    identity_make(&own, "mx.example.org");
    identity_make(&friend, "friend.example");
    struct tls_server *t = server_with(&own, buf_str(&friend.chain), false);
    struct client first = {.shows = &friend};
    (void)talk(t, &first, false);
    struct client again = {.shows = &friend, .resume = first.session};
    struct seen seen = talk(t, &again, true);
    assert_true(seen.asked && again.resumed && !seen.ccert.present && !seen.ccert.trusted);
    SSL_SESSION_free(first.session);
    SSL_SESSION_free(again.session);
    tls_server_unref(t);
    identity_free(&own);
    identity_free(&friend);
}

static void nobody_is_trusted_without_a_ca(void **state)
{
    struct identity own, friend;
    identity_make(&own, "mx.example.org");
    identity_make(&friend, "friend.example");
    const struct {
        str ca;
        bool needs_crl;
    } rows[] = {{S(""), false}, {buf_str(&own.chain), false}, {buf_str(&friend.chain), true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tls_server *t = server_with(&own, rows[i].ca, rows[i].needs_crl);
        struct client c = {.shows = &friend};
        struct seen seen = talk(t, &c, true);
        assert_true(seen.ccert.present && !seen.ccert.trusted);
        SSL_SESSION_free(c.session);
        tls_server_unref(t);
    }
    identity_free(&own);
    identity_free(&friend);
}

static void what_is_no_ca(void **state)
{
    struct identity own;
    identity_make(&own, "mx.example.org");
    const str rows[] = {S("\n"), S("rubbish\n"),
                        S("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
                        buf_str(&own.key)};
    struct tls_server *t = server_with(&own, S(""), false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = {0};
        assert_int_equal(tls_server_trust(t, rows[i], false, &e), RC_PERM);
        assert_non_null(strstr(err_text(&e), "CA certificates of clients cannot be used"));
    }
    tls_server_unref(t);
    identity_free(&own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_and_unknown),
        cmocka_unit_test(resumed_without_a_certificate),
        cmocka_unit_test(nobody_is_trusted_without_a_ca),
        cmocka_unit_test(what_is_no_ca),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
