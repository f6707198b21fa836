/* tls_impl: what the files that wrap OpenSSL (tls*.c, stream_tls.c) share; nothing else includes it.
 *
 * Private keys are reached through tls_key alone, so that they can move to a process of their own without a
 * change elsewhere. */
#ifndef OS_TLS_IMPL_H
#define OS_TLS_IMPL_H

#include "os/stream.h"
#include "os/tls.h"
#include "os/tls_client.h"

#include <openssl/ssl.h>

/* --- private keys (tls_key.c) --- */
struct tls_key;
MUST_USE enum rc tls_key_parse(str pem, struct tls_key **ret); /* RC_INVALID: no key, or an encrypted one */
struct tls_key *tls_key_new_p256(void);
struct tls_key *tls_key_free(struct tls_key *k); /* accepts NULL, returns NULL */
void tls_key_freep(struct tls_key **k);
MUST_USE enum rc tls_key_format(const struct tls_key *k, struct buf *ret_pem);
bool tls_key_matches(const struct tls_key *k, X509 *cert);
bool tls_key_sign(const struct tls_key *k, X509 *cert); /* sets cert's public key and signs it */
/* Makes ctx serve this chain with this key. */
bool tls_key_use(const struct tls_key *k, SSL_CTX *ctx, X509 *leaf, STACK_OF(X509) * chain);

/* --- certificates (tls_cert.c) --- */
struct tls_cert { /* a parsed pair */
    X509 *leaf;
    STACK_OF(X509) * chain; /* the issuers that are sent along */
    struct tls_key *key;
};
/* RC_PERM: a part is missing, malformed, or they do not belong together; e says which. */
MUST_USE enum rc tls_cert_parse(const struct tls_pem *pair, struct tls_cert *ret, struct err *e);
/* Makes ctx show it; name: for e. RC_PERM: OpenSSL does not take it. */
MUST_USE enum rc tls_cert_use(const struct tls_cert *c, SSL_CTX *ctx, str name, struct err *e);
void tls_cert_deinit(struct tls_cert *c);

/* --- session tickets (tls_ticket.c) --- */
/* Keys in memory only, drawn anew every few hours; the one before stays valid for as long. */
struct tls_tickets;
struct tls_tickets *tls_tickets_new(void);
struct tls_tickets *tls_tickets_free(struct tls_tickets *t);
bool tls_tickets_use(struct tls_tickets *t, SSL_CTX *ctx);

/* --- of a tls_server (tls.c) --- */
SSL *tls_server_connection(struct tls_server *t, int fd);
int tls_version_number(str version); /* 0: neither "TLSv1.2" nor "TLSv1.3" */

/* --- of a tls_client (tls_client.c) --- */
enum { TLS_SESSION_KEY_BYTES = 32 };
/* key: filled, and referred to as long as the SSL object lives. */
SSL *tls_client_connection(struct tls_client *t, int fd, const struct tls_client_params *params,
                           unsigned char key[TLS_SESSION_KEY_BYTES]);
/* (tls_ca.c) Reads the CA certificates of a file, or of OpenSSL's default file and folder. */
MUST_USE enum rc tls_ca_load(X509_STORE *store, str file, struct err *e);

/* --- sessions to resume (tls_session.c): one for each key; a colliding one replaces it --- */
struct tls_sessions;
struct tls_sessions *tls_sessions_new(void);
struct tls_sessions *tls_sessions_free(struct tls_sessions *t);
void tls_sessions_put(struct tls_sessions *t, const unsigned char key[TLS_SESSION_KEY_BYTES],
                      const SSL_SESSION *session);
/* NULL, or a copy for the caller. */
SSL_SESSION *tls_sessions_find(struct tls_sessions *t, const unsigned char key[TLS_SESSION_KEY_BYTES]);

/* --- verification of a server (tls_verify.c) --- */
struct tls_verdict {
    enum tls_trust trust;
    enum tls_fault fault; /* TLS_FAULT_NONE: as the parameters ask */
    char text[256];       /* tls_info.trust_text */
};
/* RC_PERM with *ret: the parameters leave nothing that could be verified. */
MUST_USE enum rc tls_verify_prepare(SSL *ssl, const struct tls_client_params *params,
                                    struct tls_verdict *ret);
/* After the handshake, or after it failed. */
void tls_verify_judge(SSL *ssl, const struct tls_client_params *params, struct tls_verdict *ret);

/* --- certificates of clients (tls_ccert.c) --- */
/* Before the handshake: the client may show one. */
void tls_ccert_ask(SSL *ssl);
/* After it. */
void tls_ccert_judge(SSL *ssl, struct tls_ccert *ret);
MUST_USE enum rc tls_ccert_fingerprint(SSL *ssl, const char *digest, bool of_key, struct buf *out);
/* The CAs of a PEM text, and the revocation lists in it; RC_PERM: there is no CA, or something is malformed.
 */
MUST_USE enum rc tls_ccert_store(str pem, bool needs_crl, X509_STORE **ret, struct err *e);

/* The first error in this thread's OpenSSL queue as text, which is emptied. */
const char *tls_error_text(char text[256]);

#endif
