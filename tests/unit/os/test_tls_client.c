/* os/tls_client against os/tls as the server: every way of verifying, its failures, resumption, deadlines. */
#include "os/tls.h"
#include "os/tls_client.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#define DAY 86400

/* --- certificates made with OpenSSL alone --- */

struct issued {
    X509 *cert;
    EVP_PKEY *key;
};

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(ext);
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
}

/* alt: subjectAltName, NULL for none; issuer NULL: self-signed; valid from `from` to `to` days from now. */
static struct issued issue(const char *common, const char *alt, const struct issued *issuer, bool ca,
                           int from, int to)
{
    static long serial = 1;
    struct issued r = {X509_new(), EVP_EC_gen("P-256")};
    const struct issued *by = issuer ? issuer : &r;
    X509_set_version(r.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(r.cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(r.cert), (long)from * DAY);
    X509_gmtime_adj(X509_getm_notAfter(r.cert), (long)to * DAY);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(r.cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)common, -1, -1, 0);
    X509_set_issuer_name(r.cert, X509_get_subject_name(by->cert));
    X509_set_pubkey(r.cert, r.key);
    if (alt)
        add_extension(r.cert, by->cert, NID_subject_alt_name, alt);
    add_extension(r.cert, by->cert, NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    assert_true(X509_sign(r.cert, by->key, EVP_sha256()) > 0);
    return r;
}

static void issued_free(struct issued *c)
{
    X509_free(c->cert);
    EVP_PKEY_free(c->key);
}

static void put_bio(BIO *b, struct buf *out)
{
    char *text;
    long n = BIO_get_mem_data(b, &text);
    buf_put(out, text, (size_t)n);
    BIO_free(b);
}

static void put_cert(struct buf *out, X509 *cert)
{
    BIO *b = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(b, cert), 1);
    put_bio(b, out);
}

static struct tls_server *serve_with(const struct issued *leaf, const struct issued *issuer)
{
    struct buf chain = BUF_INIT(65536), key = BUF_INIT(65536);
    put_cert(&chain, leaf->cert);
    if (issuer)
        put_cert(&chain, issuer->cert);
    BIO *b = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(b, leaf->key, NULL, NULL, 0, NULL, NULL);
    put_bio(b, &key);
    struct tls_pem pem = {.chain = buf_str(&chain), .key = buf_str(&key), .name = S("test")};
    struct tls_server *t = NULL;
    struct err e = {0};
    assert_int_equal(tls_server_new(&pem, 1, S("TLSv1.2"), S(""), &t, &e), RC_OK);
    buf_deinit(&chain);
    buf_deinit(&key);
    return t;
}

/* --- the world of each test --- */

static struct issued ca, leaf;
static struct tls_server *server;
static struct tls_client *client;
static char ca_path[] = "/tmp/test_tls_client.XXXXXX";

static int set_up(void **state)
{
    ca = issue("Test CA", NULL, NULL, true, -1, 10);
    leaf = issue("leaf", "DNS:mx.example.org,DNS:*.wild.example.org", &ca, false, -1, 10);
    server = serve_with(&leaf, &ca);
    struct buf pem = BUF_INIT(65536);
    put_cert(&pem, ca.cert);
    int fd = mkstemp(ca_path);
    assert_true(fd >= 0 && write(fd, pem.p, pem.n) == (ssize_t)pem.n);
    close(fd);
    buf_deinit(&pem);
    struct tls_client_settings set = {.ca_file = str_c(ca_path), .min_version = S("TLSv1.2")};
    struct err e = {0};
    assert_int_equal(tls_client_new(&set, &client, &e), RC_OK);
    return 0;
}

static int tear_down(void **state)
{
    tls_client_unref(client);
    tls_server_unref(server);
    issued_free(&leaf);
    issued_free(&ca);
    unlink(ca_path);
    memset(ca_path + sizeof ca_path - 7, 'X', 6);
    return 0;
}

struct listener {
    int fd;
    struct tls_server *tls;
};

/* Shakes hands and answers one line with the name that the client asked for. */
static void *listener_run(void *arg)
{
    struct listener *l = arg;
    struct stream *s = stream_new(l->fd, 256);
    stream_set_deadline(s, clock_mono() + 10000);
    struct err e = {0};
    str line;
    enum line_end end;
    if (stream_start_tls(s, l->tls, &e) == RC_OK && stream_read_line(s, 64, &line, &end) == RC_OK) {
        stream_printf(s, "sni=" STR_FMT "\r\n", STR_ARG(stream_tls_info(s)->sni));
        (void)!stream_flush(s);
    }
    stream_freep(&s);
    return NULL;
}

struct seen {
    enum rc rc;
    enum tls_fault fault;
    enum tls_trust trust;
    bool resumed;
    char text[300], sni[64], version[16];
};

static struct seen talk_with(struct tls_server *tls, struct tls_client *with,
                             const struct tls_client_params *p)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    struct listener l = {fd[1], tls};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, listener_run, &l), 0);
    struct stream *s = stream_new(fd[0], 256);
    stream_set_deadline(s, clock_mono() + 10000);
    struct seen seen = {0};
    struct err e = {0};
    seen.rc = stream_start_tls_client(s, with, p, &seen.fault, &e);
    if (seen.rc == RC_OK) {
        const struct tls_info *info = stream_tls_info(s);
        str line;
        enum line_end end;
        stream_write(s, S("hello\r\n"));
        assert_int_equal(stream_flush(s), RC_OK);
        assert_int_equal(stream_read_line(s, 100, &line, &end), RC_OK);
        assert_true(str_starts(line, S("sni=")));
        snprintf(seen.sni, sizeof seen.sni, STR_FMT, STR_ARG(str_from(line, 4)));
        snprintf(seen.text, sizeof seen.text, STR_FMT, STR_ARG(info->trust_text));
        snprintf(seen.version, sizeof seen.version, STR_FMT, STR_ARG(info->version));
        seen.trust = info->trust;
        seen.resumed = info->resumed;
        assert_true(info->bits >= 128 && info->cipher.n > 0);
    } else {
        snprintf(seen.text, sizeof seen.text, "%s", err_text(&e));
        assert_false(stream_is_tls(s));
        assert_int_equal(stream_flush(s), RC_GONE);
    }
    stream_freep(&s);
    pthread_join(thread, NULL);
    return seen;
}

static struct seen talk(const struct tls_client_params *p)
{
    return talk_with(server, client, p);
}

static void unverified_is_fine_where_nothing_is_asked(void **state)
{
    struct tls_client_params p = {.server_name = S("mx.example.org"), .required = true};
    struct seen seen = talk(&p);
    assert_int_equal(seen.rc, RC_OK);
    assert_int_equal(seen.trust, TLS_TRUSTED);
    assert_string_equal(seen.sni, "mx.example.org");
    assert_string_equal(seen.version, "TLSv1.3");

    struct issued alone = issue("alone", "DNS:mx.example.org", NULL, false, -20, -10);
    struct tls_server *t = serve_with(&alone, NULL);
    seen = talk_with(t, client, &p);
    assert_int_equal(seen.rc, RC_OK);
    assert_int_equal(seen.trust, TLS_UNTRUSTED);
    assert_true(seen.text[0] != '\0');
    p.server_name = S("");
    seen = talk_with(t, client, &p);
    assert_int_equal(seen.rc, RC_OK);
    assert_string_equal(seen.sni, "");
    tls_server_unref(t);
    issued_free(&alone);
}

static void a_ca_and_a_name_verify(void **state)
{
    static const struct {
        str name;
        enum rc rc;
    } cases[] = {
        {{"mx.example.org", 14}, RC_OK},
        {{"MX.Example.ORG", 14}, RC_OK},
        {{"a.wild.example.org", 18}, RC_OK},
        {{"a.b.wild.example.org", 20}, RC_PERM}, /* RFC 6125 §6.4.3: one label */
        {{"wild.example.org", 16}, RC_PERM},
        {{"other.example.org", 17}, RC_PERM},
        {{"mx.example.org\0.evil", 20}, RC_PERM},
        {{".example.org", 12}, RC_OK},
        {{".example.net", 12}, RC_PERM},
        {{"leaf", 4}, RC_PERM}, /* the common name does not count */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_client_params p = {
            .verify = TLS_VERIFY_CA, .required = true, .names = &cases[i].name, .n_names = 1};
        struct seen seen = talk(&p);
        assert_int_equal(seen.rc, cases[i].rc);
        if (seen.rc == RC_OK) {
            assert_int_equal(seen.trust, TLS_VERIFIED);
            assert_non_null(strstr(seen.text, "certificate of "));
        } else {
            assert_int_equal(seen.fault, TLS_FAULT_HOST_MISMATCH);
        }
    }
    str names[] = {S("other.example.org"), S("mx.example.org")};
    struct tls_client_params p = {.verify = TLS_VERIFY_CA, .required = true, .names = names, .n_names = 2};
    assert_int_equal(talk(&p).rc, RC_OK);
    p.n_names = 0; /* else any certificate would do */
    assert_int_equal(talk(&p).rc, RC_PERM);
}

static void what_is_not_required_is_only_told(void **state)
{
    str name = S("other.example.org");
    struct tls_client_params p = {.verify = TLS_VERIFY_CA, .names = &name, .n_names = 1};
    struct seen seen = talk(&p);
    assert_int_equal(seen.rc, RC_OK);
    assert_int_equal(seen.trust, TLS_TRUSTED);
    assert_string_equal(seen.text, "the certificate is not for other.example.org");
}

static void bad_certificates_are_refused(void **state)
{
    struct issued stranger = issue("Stranger", NULL, NULL, true, -1, 10);
    struct issued leaves[] = {
        issue("x", "DNS:mx.example.org", &ca, false, -20, -10),
        issue("x", "DNS:mx.example.org", &ca, false, 5, 10),
        issue("x", "DNS:mx.example.org", NULL, false, -1, 10),
        issue("x", "DNS:mx.example.org", &stranger, false, -1, 10),
        issue("x", "DNS:mx.example.org", &leaf, false, -1, 10), /* its issuer is no CA */
    };
    const struct issued *issuers[] = {&ca, &ca, NULL, &stranger, &leaf};
    enum tls_fault faults[] = {TLS_FAULT_EXPIRED, TLS_FAULT_EXPIRED, TLS_FAULT_NOT_TRUSTED,
                               TLS_FAULT_NOT_TRUSTED, TLS_FAULT_NOT_TRUSTED};
    str name = S("mx.example.org");
    struct tls_client_params p = {.verify = TLS_VERIFY_CA, .required = true, .names = &name, .n_names = 1};
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++) {
        struct tls_server *t = serve_with(&leaves[i], issuers[i]);
        struct seen seen = talk_with(t, client, &p);
        assert_int_equal(seen.rc, RC_PERM);
        assert_int_equal(seen.fault, faults[i]);
        assert_true(seen.text[0] != '\0');
        tls_server_unref(t);
        issued_free(&leaves[i]);
    }
    issued_free(&stranger);
}

/* The wall clock that can be injected decides about validity. */
static void validity_follows_the_clock(void **state)
{
    str name = S("mx.example.org");
    struct tls_client_params p = {.verify = TLS_VERIFY_CA, .required = true, .names = &name, .n_names = 1};
    clock_inject_offset((msec)20 * DAY * 1000);
    assert_int_equal(talk(&p).fault, TLS_FAULT_EXPIRED);
    clock_inject_offset(0);
    assert_int_equal(talk(&p).rc, RC_OK);
}

/* --- DANE --- */

struct tlsa_bytes {
    unsigned char *der;
    int n;
    unsigned char digest[64];
};

/* The record for cert, its bytes in *b. */
static struct tls_tlsa tlsa_for(X509 *cert, int usage, int selector, int matching, struct tlsa_bytes *b)
{
    b->der = NULL;
    b->n = selector ? i2d_PUBKEY(X509_get0_pubkey(cert), &b->der) : i2d_X509(cert, &b->der);
    assert_true(b->n > 0);
    struct tls_tlsa r = {
        .usage = (uint8_t)usage, .selector = (uint8_t)selector, .matching = (uint8_t)matching};
    r.data = str_mem(b->der, (size_t)b->n);
    if (matching) {
        unsigned n = 0;
        EVP_Digest(b->der, (size_t)b->n, b->digest, &n, matching == 1 ? EVP_sha256() : EVP_sha512(), NULL);
        r.data = str_mem(b->digest, n);
    }
    return r;
}

static void dane_ee_matches_the_leaf_whatever_it_says(void **state)
{
    /* RFC 7672 §3.1.1: neither name nor expiry counts */
    struct issued old = issue("old", "DNS:unrelated.example", NULL, false, -20, -10);
    struct tls_server *t = serve_with(&old, NULL);
    for (int selector = 0; selector <= 1; selector++)
        for (int matching = 0; matching <= 2; matching++) {
            struct tlsa_bytes bytes;
            struct tls_tlsa r = tlsa_for(old.cert, 3, selector, matching, &bytes);
            assert_true(tls_tlsa_is_usable(&r));
            struct tls_client_params p = {.server_name = S("mx.example.org"),
                                          .verify = TLS_VERIFY_DANE,
                                          .required = true,
                                          .tlsa = &r,
                                          .n_tlsa = 1};
            struct seen seen = talk_with(t, client, &p);
            char expected[32];
            snprintf(expected, sizeof expected, "TLSA 3 %d %d", selector, matching);
            assert_int_equal(seen.rc, RC_OK);
            assert_int_equal(seen.trust, TLS_VERIFIED);
            assert_string_equal(seen.text, expected);
            OPENSSL_free(bytes.der);
        }
    tls_server_unref(t);
    issued_free(&old);
}

static void dane_mismatch_is_refused(void **state)
{
    struct tlsa_bytes bytes;
    struct tls_tlsa r = tlsa_for(ca.cert, 3, 1, 1, &bytes);
    str name = S("mx.example.org");
    struct tls_client_params p = {.server_name = name,
                                  .verify = TLS_VERIFY_DANE,
                                  .required = true,
                                  .names = &name,
                                  .n_names = 1,
                                  .tlsa = &r,
                                  .n_tlsa = 1};
    struct seen seen = talk(&p); /* its certificate is one that the CAs would verify */
    assert_int_equal(seen.rc, RC_PERM);
    assert_int_equal(seen.fault, TLS_FAULT_NO_TLSA_MATCH);
    p.required = false;
    seen = talk(&p);
    assert_int_equal(seen.rc, RC_OK);
    assert_int_equal(seen.trust, TLS_UNTRUSTED);
    OPENSSL_free(bytes.der);
}

static void dane_ta_needs_chain_and_name(void **state)
{
    for (int matching = 0; matching <= 2; matching++) {
        struct tlsa_bytes bytes;
        struct tls_tlsa r = tlsa_for(ca.cert, 2, 0, matching, &bytes);
        struct tls_client_params p = {.server_name = S("mx.example.org"),
                                      .verify = TLS_VERIFY_DANE,
                                      .required = true,
                                      .tlsa = &r,
                                      .n_tlsa = 1};
        struct seen seen = talk(&p);
        assert_int_equal(seen.rc, RC_OK);
        assert_int_equal(seen.trust, TLS_VERIFIED);
        p.server_name = S("other.example.org");
        assert_int_equal(talk(&p).fault, TLS_FAULT_HOST_MISMATCH);
        str name = S("mx.example.org"); /* the next-hop domain, RFC 7672 §3.2.2 */
        p.names = &name;
        p.n_names = 1;
        assert_int_equal(talk(&p).rc, RC_OK);
        OPENSSL_free(bytes.der);
    }
}

static void unusable_records_are_known(void **state)
{
    char digest[64] = {1};
    static const struct {
        uint8_t usage, selector, matching;
        size_t n;
        bool usable;
    } cases[] = {
        {3, 1, 1, 32, true},  {2, 0, 1, 32, true},  {3, 1, 2, 64, true},    {3, 1, 1, 31, false},
        {3, 1, 2, 32, false}, {3, 1, 0, 32, false}, {3, 0, 0, 0, false},    {1, 1, 1, 32, false},
        {0, 1, 1, 32, false}, {4, 1, 1, 32, false}, {255, 0, 1, 32, false}, {3, 2, 1, 32, false},
        {3, 1, 3, 32, false}, {3, 1, 1, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_tlsa r = {cases[i].usage, cases[i].selector, cases[i].matching,
                             str_mem(digest, cases[i].n)};
        assert_int_equal(tls_tlsa_is_usable(&r), cases[i].usable);
    }
    /* PKIX-EE(1) with the right data is no help */
    struct tlsa_bytes bytes;
    struct tls_tlsa r = tlsa_for(leaf.cert, 1, 1, 1, &bytes);
    struct tls_client_params p = {.server_name = S("mx.example.org"),
                                  .verify = TLS_VERIFY_DANE,
                                  .required = true,
                                  .tlsa = &r,
                                  .n_tlsa = 1};
    struct seen seen = talk(&p);
    assert_int_equal(seen.rc, RC_PERM);
    assert_int_equal(seen.fault, TLS_FAULT_NO_USABLE_TLSA);
    p.n_tlsa = 0;
    assert_int_equal(talk(&p).rc, RC_PERM);
    OPENSSL_free(bytes.der);
}

/* --- resumption --- */

static void sessions_are_resumed_for_equal_parameters_only(void **state)
{
    str name = S("mx.example.org"), other = S("other.example.org");
    struct tls_client_params p = {.verify = TLS_VERIFY_CA,
                                  .required = true,
                                  .names = &name,
                                  .n_names = 1,
                                  .endpoint = S("192.0.2.1:25")};
    assert_false(talk(&p).resumed);
    for (int i = 0; i < 3; i++) {
        struct seen seen = talk(&p);
        assert_true(seen.resumed);
        assert_int_equal(seen.trust, TLS_VERIFIED);
    }
    struct tls_client_params q = p;
    q.endpoint = S("192.0.2.2:25");
    assert_false(talk(&q).resumed);
    q = p;
    q.names = &other; /* a session that was verified for another name must not stand in */
    assert_int_equal(talk(&q).rc, RC_PERM);
    q = p;
    q.verify = TLS_VERIFY_NONE;
    assert_false(talk(&q).resumed);
    q.endpoint = S("");
    assert_false(talk(&q).resumed);
    assert_false(talk(&q).resumed);
    clock_inject_offset((msec)2 * 3600 * 1000);
    assert_false(talk(&p).resumed);
    clock_inject_offset(0);
}

/* What was not verified stays so when resumed. */
static void a_resumed_session_keeps_its_verdict(void **state)
{
    str name = S("other.example.org");
    struct tls_client_params p = {
        .verify = TLS_VERIFY_CA, .names = &name, .n_names = 1, .endpoint = S("192.0.2.9:25")};
    assert_false(talk(&p).resumed);
    struct seen seen = talk(&p);
    assert_true(seen.resumed);
    assert_int_not_equal(seen.trust, TLS_VERIFIED);
}

/* --- peers that misbehave --- */

static enum rc handshake_with(const char *bytes, bool close_after, enum tls_fault *ret_fault, struct err *e)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    assert_int_equal(write(fd[1], bytes, strlen(bytes)), strlen(bytes));
    if (close_after)
        shutdown(fd[1], SHUT_WR);
    struct stream *s = stream_new(fd[0], 256);
    stream_set_deadline(s, clock_mono() + 200);
    struct tls_client_params p = {.server_name = S("mx.example.org")};
    enum rc rc = stream_start_tls_client(s, client, &p, ret_fault, e);
    stream_freep(&s);
    close(fd[1]);
    return rc;
}

static void broken_handshakes_end(void **state)
{
    struct err e = {0};
    enum tls_fault fault = TLS_FAULT_NONE;
    msec before = clock_mono();
    assert_int_equal(handshake_with("", false, &fault, &e), RC_TEMP);
    assert_true(clock_mono() - before < 5000);
    assert_string_equal(err_text(&e), "SSL_connect() timed out");
    assert_int_equal(fault, TLS_FAULT_HANDSHAKE);
    assert_int_equal(handshake_with("", true, &fault, &e), RC_GONE);
    assert_int_equal(handshake_with("500 what is this\r\n", false, &fault, &e), RC_INVALID);
    assert_non_null(strstr(err_text(&e), "SSL_connect() failed: "));
}

static void settings_are_checked(void **state)
{
    struct tls_client *t = NULL;
    struct err e = {0};
    struct tls_client_settings set = {.no_ca = true, .min_version = S("TLSv1")};
    assert_int_equal(tls_client_new(&set, &t, &e), RC_PERM);
    set.min_version = S("TLSv1.3");
    set.ciphers = S("NOSUCHCIPHER");
    assert_int_equal(tls_client_new(&set, &t, &e), RC_PERM);
    set.ciphers = S("");
    set.no_ca = false;
    set.ca_file = S("/nonexistent/ca.pem");
    assert_int_equal(tls_client_new(&set, &t, &e), RC_PERM);
    assert_non_null(strstr(err_text(&e), "/nonexistent/ca.pem"));
    set.ca_file = S(""); /* the machine's own, whatever it has */
    assert_int_equal(tls_client_new(&set, &t, &e), RC_OK);
    str name = S("mx.example.org");
    struct tls_client_params p = {.verify = TLS_VERIFY_CA, .required = true, .names = &name, .n_names = 1};
    assert_int_equal(talk_with(server, t, &p).rc, RC_PERM);
    tls_client_unref(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unverified_is_fine_where_nothing_is_asked),
        cmocka_unit_test(a_ca_and_a_name_verify),
        cmocka_unit_test(what_is_not_required_is_only_told),
        cmocka_unit_test(bad_certificates_are_refused),
        cmocka_unit_test(validity_follows_the_clock),
        cmocka_unit_test(dane_ee_matches_the_leaf_whatever_it_says),
        cmocka_unit_test(dane_mismatch_is_refused),
        cmocka_unit_test(dane_ta_needs_chain_and_name),
        cmocka_unit_test(unusable_records_are_known),
        cmocka_unit_test(sessions_are_resumed_for_equal_parameters_only),
        cmocka_unit_test(a_resumed_session_keeps_its_verdict),
        cmocka_unit_test(broken_handshakes_end),
        cmocka_unit_test(settings_are_checked),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
