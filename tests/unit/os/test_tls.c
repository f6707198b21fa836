/* os/tls and the TLS side of os/stream against OpenSSL's own client: handshakes, SNI, tickets, channel
 * bindings. */
#include "os/stream.h"
#include "os/tls.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

struct pem_pair {
    struct buf chain, key;
};

/* Certificate for a subjectAltName text with a key of the given kind, made with OpenSSL alone. */
static void pem_make(struct pem_pair *p, const char *alt, bool rsa)
{
    buf_init(&p->chain, 65536);
    buf_init(&p->key, 65536);
    EVP_PKEY *key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 7);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (unsigned char *)"t", -1, -1,
                               0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt);
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    BIO *b = BIO_new(BIO_s_mem());
    char *text;
    PEM_write_bio_X509(b, cert);
    long n = BIO_get_mem_data(b, &text);
    buf_put(&p->chain, text, (size_t)n);
    BIO_free(b);
    b = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);
    n = BIO_get_mem_data(b, &text);
    buf_put(&p->key, text, (size_t)n);
    BIO_free(b);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void pem_free(struct pem_pair *p)
{
    buf_deinit(&p->chain);
    buf_deinit(&p->key);
}

static struct tls_pem pem_of(const struct pem_pair *p, str name)
{
    return (struct tls_pem){.chain = buf_str(&p->chain), .key = buf_str(&p->key), .name = name};
}

static struct tls_server *server_for(const struct tls_pem *pairs, size_t n)
{
    struct tls_server *t = NULL;
    struct err e = {0};
    assert_int_equal(tls_server_new(pairs, n, S("TLSv1.2"), S(""), &t, &e), RC_OK);
    return t;
}

struct client { /* what the client does in its thread, and what it saw */
    int fd;
    const char *sni, *ciphers, *sigalgs;
    int max_version;
    SSL_SESSION *resume;
    /* results */
    bool connected, resumed, got_reply, clean_end;
    char alt[128];
    int key_type;
    unsigned char exporter[32], end_point[32];
    SSL_SESSION *session;
};

static void client_look(struct client *c, SSL *ssl)
{
    X509 *cert = SSL_get1_peer_certificate(ssl);
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    ASN1_STRING *first = sk_GENERAL_NAME_value(names, 0)->d.dNSName;
    snprintf(c->alt, sizeof c->alt, "%.*s", ASN1_STRING_length(first),
             (const char *)ASN1_STRING_get0_data(first));
    GENERAL_NAMES_free(names);
    c->key_type = EVP_PKEY_get_base_id(X509_get0_pubkey(cert));
    unsigned n = sizeof c->end_point;
    X509_digest(cert, EVP_sha256(), c->end_point, &n);
    X509_free(cert);
    SSL_export_keying_material(ssl, c->exporter, 32, "EXPORTER-Channel-Binding", 24, NULL, 0, 0);
    c->resumed = SSL_session_reused(ssl) == 1;
}

static void *client_run(void *arg)
{
    struct client *c = arg;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (c->max_version)
        SSL_CTX_set_max_proto_version(ctx, c->max_version);
    if (c->ciphers)
        SSL_CTX_set_cipher_list(ctx, c->ciphers);
    if (c->sigalgs)
        SSL_CTX_set1_sigalgs_list(ctx, c->sigalgs);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, c->fd);
    if (c->sni)
        SSL_set_tlsext_host_name(ssl, c->sni);
    if (c->resume)
        SSL_set_session(ssl, c->resume);
    if (SSL_connect(ssl) == 1) {
        c->connected = true;
        client_look(c, ssl);
        char reply[64];
        SSL_write(ssl, "hello\r\nmore", 11);
        int n = SSL_read(ssl, reply, sizeof reply);
        c->got_reply = n == 4 && memcmp(reply, "bye\n", 4) == 0;
        c->session = SSL_get1_session(ssl);
        c->clean_end =
            SSL_read(ssl, reply, sizeof reply) == 0 && (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(c->fd);
    return NULL;
}

/* What the server's side of one dialogue saw. */
struct seen {
    enum rc rc;
    char version[16], sni[64];
    unsigned char exporter[32], end_point[32];
    enum rc exporter_rc;
};

static void serve(struct stream *s, struct seen *ret)
{
    str line;
    enum line_end end;
    const struct tls_info *info = stream_tls_info(s);
    snprintf(ret->version, sizeof ret->version, STR_FMT, STR_ARG(info->version));
    snprintf(ret->sni, sizeof ret->sni, STR_FMT, STR_ARG(info->sni));
    assert_true(info->bits >= 128 && info->cipher.n > 0);
    struct buf binding = BUF_INIT(64);
    ret->exporter_rc = stream_tls_exporter(s, &binding);
    if (ret->exporter_rc == RC_OK)
        memcpy(ret->exporter, binding.p, 32);
    buf_reset(&binding);
    assert_int_equal(stream_tls_end_point(s, &binding), RC_OK);
    assert_int_equal(binding.n, 32);
    memcpy(ret->end_point, binding.p, 32);
    buf_deinit(&binding);
    assert_int_equal(stream_read_line(s, 64, &line, &end), RC_OK);
    assert_true(str_eq(line, S("hello")));
    assert_true(stream_readable(s));
    stream_write(s, S("bye\n"));
    assert_int_equal(stream_flush(s), RC_OK);
}

static struct seen talk(struct tls_server *t, struct client *c)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    c->fd = fd[1];
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, client_run, c), 0);
    struct stream *s = stream_new(fd[0], 128);
    stream_set_deadline(s, clock_mono() + 10000);
    struct seen seen = {0};
    struct err e = {0};
    seen.rc = stream_start_tls(s, t, &e);
    assert_int_equal(stream_is_tls(s), seen.rc == RC_OK);
    if (seen.rc == RC_OK)
        serve(s, &seen);
    else
        assert_non_null(strstr(err_text(&e), "SSL_accept()"));
    stream_freep(&s);
    pthread_join(thread, NULL);
    return seen;
}

static void certificate_follows_the_name(void **state)
{
    struct pem_pair a, b;
    pem_make(&a, "DNS:mail.example.org", false);
    pem_make(&b, "DNS:*.example.net,DNS:deep.wild.example.net", false);
    struct tls_pem pairs[] = {pem_of(&a, S("a")), pem_of(&b, S("b"))};
    struct tls_server *t = server_for(pairs, 2);
    static const struct {
        const char *sni, *alt;
    } rows[] = {
        {NULL, "mail.example.org"},
        {"mail.example.org", "mail.example.org"},
        {"MAIL.Example.ORG", "mail.example.org"},
        {"imap.example.net", "*.example.net"},
        {"deep.wild.example.net", "*.example.net"},
        {"a.b.example.net", "mail.example.org"}, /* a wildcard is one label: RFC 6125 §6.4.3 */
        {"example.net", "mail.example.org"},
        {"unknown.test", "mail.example.org"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client c = {.sni = rows[i].sni};
        struct seen seen = talk(t, &c);
        assert_int_equal(seen.rc, RC_OK);
        assert_string_equal(c.alt, rows[i].alt);
        assert_string_equal(seen.sni, rows[i].sni ? rows[i].sni : "");
        assert_true(c.got_reply && c.clean_end);
        SSL_SESSION_free(c.session);
    }
    tls_server_unref(t);
    pem_free(&a);
    pem_free(&b);
}

static void ecdsa_is_preferred_and_rsa_serves_the_rest(void **state)
{
    struct pem_pair rsa, ec;
    pem_make(&rsa, "DNS:mail.example.org", true);
    pem_make(&ec, "DNS:mail.example.org", false);
    struct tls_pem pairs[] = {pem_of(&rsa, S("rsa")), pem_of(&ec, S("ec"))};
    struct tls_server *t = server_for(pairs, 2);
    static const struct {
        int version;
        const char *ciphers, *sigalgs;
        int key_type;
    } rows[] = {
        {0, NULL, NULL, EVP_PKEY_EC},
        {TLS1_2_VERSION, NULL, NULL, EVP_PKEY_EC},
        {TLS1_2_VERSION, "ECDHE+aRSA", NULL, EVP_PKEY_RSA},
        {0, NULL, "RSA-PSS+SHA256", EVP_PKEY_RSA},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client c = {
            .max_version = rows[i].version, .ciphers = rows[i].ciphers, .sigalgs = rows[i].sigalgs};
        assert_int_equal(talk(t, &c).rc, RC_OK);
        assert_int_equal(c.key_type, rows[i].key_type);
        SSL_SESSION_free(c.session);
    }
    tls_server_unref(t);
    pem_free(&rsa);
    pem_free(&ec);
}

static void versions_below_the_minimum_are_refused(void **state)
{
    struct pem_pair a;
    pem_make(&a, "DNS:a.test", false);
    struct tls_pem pem = pem_of(&a, S("a"));
    struct tls_server *t = server_for(&pem, 1);
    static const struct {
        int version;
        const char *name; /* NULL: refused */
    } rows[] = {{TLS1_1_VERSION, NULL}, {TLS1_2_VERSION, "TLSv1.2"}, {TLS1_3_VERSION, "TLSv1.3"}};
    for (size_t i = 0; i < 3; i++) {
        struct client c = {.max_version = rows[i].version, .ciphers = "ALL:@SECLEVEL=0"};
        struct seen seen = talk(t, &c);
        assert_int_equal(seen.rc == RC_OK, rows[i].name != NULL);
        assert_string_equal(seen.version, rows[i].name ? rows[i].name : "");
        SSL_SESSION_free(c.session);
    }
    tls_server_unref(t);
    pem_free(&a);
}

static void channel_bindings_agree_with_the_client(void **state)
{
    struct pem_pair a;
    pem_make(&a, "DNS:a.test", false);
    struct tls_pem pem = pem_of(&a, S("a"));
    struct tls_server *t = server_for(&pem, 1);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct client c = {.max_version = version};
        struct seen seen = talk(t, &c);
        assert_int_equal(seen.exporter_rc, RC_OK);
        assert_memory_equal(seen.exporter, c.exporter, 32);
        assert_memory_equal(seen.end_point, c.end_point, 32);
        SSL_SESSION_free(c.session);
    }
    tls_server_unref(t);
    pem_free(&a);
}

static void tickets_outlive_one_rotation_not_two(void **state)
{
    struct pem_pair a;
    pem_make(&a, "DNS:a.test", false);
    struct tls_pem pem = pem_of(&a, S("a"));
    struct tls_server *t = server_for(&pem, 1);
    static const struct {
        int hours;
        bool resumed;
    } rows[] = {{0, true}, {7, true}, {40, false}};
    for (size_t i = 0; i < 3; i++) {
        struct client first = {0}, again = {0};
        assert_int_equal(talk(t, &first).rc, RC_OK);
        assert_false(first.resumed);
        clock_inject_offset((msec)rows[i].hours * 3600 * 1000);
        again.resume = first.session;
        assert_int_equal(talk(t, &again).rc, RC_OK);
        assert_int_equal(again.resumed, rows[i].resumed);
        clock_inject_offset(0);
        SSL_SESSION_free(first.session);
        SSL_SESSION_free(again.session);
        tls_server_unref(t);
        t = server_for(&pem, 1);
    }
    tls_server_unref(t);
    pem_free(&a);
}

static void connection_keeps_settings_that_were_replaced(void **state)
{
    struct pem_pair a;
    pem_make(&a, "DNS:a.test", false);
    struct tls_pem pem = pem_of(&a, S("a"));
    struct tls_server *t = server_for(&pem, 1);
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    struct client c = {.fd = fd[1]};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, client_run, &c), 0);
    struct stream *s = stream_new(fd[0], 128);
    stream_set_deadline(s, clock_mono() + 10000);
    assert_int_equal(stream_start_tls(s, t, NULL), RC_OK);
    tls_server_unref(t);
    struct seen seen = {0};
    serve(s, &seen);
    stream_freep(&s);
    pthread_join(thread, NULL);
    assert_true(c.got_reply);
    SSL_SESSION_free(c.session);
    pem_free(&a);
}

static void handshake_ends_with_rubbish_silence_or_close(void **state)
{
    struct pem_pair a;
    pem_make(&a, "DNS:a.test", false);
    struct tls_pem pem = pem_of(&a, S("a"));
    struct tls_server *t = server_for(&pem, 1);
    static const struct {
        const char *sent;
        bool close;
        enum rc rc;
    } rows[] = {{"GET / HTTP/1.1\r\n\r\n", false, RC_INVALID}, {"", false, RC_TEMP}, {"", true, RC_GONE}};
    for (size_t i = 0; i < 3; i++) {
        int fd[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
        struct stream *s = stream_new(fd[0], 128);
        stream_set_deadline(s, clock_mono() + 50);
        assert_int_equal(write(fd[1], rows[i].sent, strlen(rows[i].sent)), strlen(rows[i].sent));
        if (rows[i].close)
            shutdown(fd[1], SHUT_WR);
        struct err e = {0};
        assert_int_equal(stream_start_tls(s, t, &e), rows[i].rc);
        assert_true(e.peer[0] != '\0');
        assert_int_equal(stream_flush(s), RC_GONE);
        stream_freep(&s);
        close(fd[1]);
    }
    tls_server_unref(t);
    pem_free(&a);
}

static void self_signed_is_usable_and_lasts(void **state)
{
    struct buf chain = BUF_INIT(65536), key = BUF_INIT(65536);
    assert_int_equal(tls_self_signed(S("mail.malle.test"), &chain, &key), RC_OK);
    struct tls_pem pem = {.chain = buf_str(&chain), .key = buf_str(&key), .name = S("self")};
    int64_t expires = 0;
    assert_int_equal(tls_pem_check(&pem, &expires, NULL), RC_OK);
    assert_true(expires > 3600LL * 24 * 3600 && expires < 3700LL * 24 * 3600);
    struct tls_server *t = server_for(&pem, 1);
    struct client c = {.sni = "mail.malle.test"};
    assert_int_equal(talk(t, &c).rc, RC_OK);
    assert_string_equal(c.alt, "mail.malle.test");
    SSL_SESSION_free(c.session);
    tls_server_unref(t);
    assert_int_equal(tls_self_signed(S("a,DNS:b"), &chain, &key), RC_INVALID);
    buf_deinit(&chain);
    buf_deinit(&key);
}

static void unusable_pairs_are_named(void **state)
{
    struct pem_pair a, b;
    pem_make(&a, "DNS:a.test", false);
    pem_make(&b, "DNS:b.test", false);
    struct tls_pem rows[] = {
        {buf_str(&a.chain), buf_str(&b.key), S("mixed.pem")},
        {S("rubbish"), buf_str(&a.key), S("rubbish.pem")},
        {buf_str(&a.chain), S(""), S("nokey.pem")},
        {STR_NONE, STR_NONE, S("empty.pem")},
    };
    for (size_t i = 0; i < 4; i++) {
        struct tls_server *t = NULL;
        struct err e = {0};
        int64_t expires;
        assert_int_equal(tls_server_new(&rows[i], 1, S("TLSv1.2"), S(""), &t, &e), RC_PERM);
        assert_null(t);
        assert_non_null(strstr(err_text(&e), rows[i].name.p));
        assert_int_equal(tls_pem_check(&rows[i], &expires, &e), RC_PERM);
    }
    struct tls_pem good = pem_of(&a, S("a"));
    struct tls_server *t = NULL;
    assert_int_equal(tls_server_new(&good, 1, S("SSLv3"), S(""), &t, NULL), RC_PERM);
    assert_int_equal(tls_server_new(&good, 1, S("TLSv1.2"), S("NOSUCH"), &t, NULL), RC_PERM);
    assert_int_equal(tls_server_new(&good, 0, S("TLSv1.2"), S(""), &t, NULL), RC_PERM);
    pem_free(&a);
    pem_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_follows_the_name),
        cmocka_unit_test(ecdsa_is_preferred_and_rsa_serves_the_rest),
        cmocka_unit_test(versions_below_the_minimum_are_refused),
        cmocka_unit_test(channel_bindings_agree_with_the_client),
        cmocka_unit_test(tickets_outlive_one_rotation_not_two),
        cmocka_unit_test(connection_keeps_settings_that_were_replaced),
        cmocka_unit_test(handshake_ends_with_rubbish_silence_or_close),
        cmocka_unit_test(self_signed_is_usable_and_lasts),
        cmocka_unit_test(unusable_pairs_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
