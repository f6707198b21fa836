/* tls: server-side TLS settings: certificates by SNI, versions, tickets (OpenSSL 3). One tls_server is shared
 * by all threads of a role and replaced as a whole on reload; connections keep the one they started with
 * (reference counted). */
#ifndef OS_TLS_H
#define OS_TLS_H

#include "base/buf.h"

struct tls_server;

struct tls_pem { /* one certificate chain and its private key, PEM */
    str chain, key;
    str name; /* for messages: the file it came from */
};

/* The first pair is the default; others are chosen by SNI against the names in the certificate (RFC 6125
 * wildcards). min_version "TLSv1.2" or "TLSv1.3"; ciphers "" for modern defaults. RC_PERM: a pair is
 * unusable, e says which. */
MUST_USE enum rc tls_server_new(const struct tls_pem *pairs, size_t n, str min_version, str ciphers,
                                struct tls_server **ret, struct err *e);
/* Certificates of clients that lead to one of these CAs (PEM, one behind the other, with revocation lists
 * among them) are trusted; without, none is. needs_crl: none is, either, without a list of its CA. Before any
 * thread uses t. RC_PERM: unusable, e says why. */
MUST_USE enum rc tls_server_trust(struct tls_server *t, str client_ca, bool needs_crl, struct err *e);
struct tls_server *tls_server_ref(struct tls_server *t);
void tls_server_unref(struct tls_server *t); /* accepts NULL */

/* Adds the CA certificates of a PEM file and of the hashed names in a folder; either may be empty. RC_PERM
 * with e: the file, or one of the folder's, cannot be read. */
MUST_USE enum rc tls_ca_collect(const char *file, const char *folder, struct buf *out, struct err *e);

/* A self-signed certificate (ECDSA P-256, ten years) for host, as PEM. */
MUST_USE enum rc tls_self_signed(str host, struct buf *ret_chain, struct buf *ret_key);
/* Whether chain and key belong together, and seconds until the leaf expires. */
MUST_USE enum rc tls_pem_check(const struct tls_pem *pair, int64_t *ret_expires_in, struct err *e);

/* "OpenSSL 3.0.11 19 Sep 2023": what malle was built with, or runs with. */
const char *tls_library_version(bool built);

#endif
