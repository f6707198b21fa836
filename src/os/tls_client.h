/* tls_client: client-side TLS settings, verification of servers, and session resumption (OpenSSL 3). One
 * tls_client is shared by all threads of a role (reference counted); stream_start_tls_client puts TLS on one
 * connection.
 *
 * The CA store is read whole by tls_client_new, so that nothing opens a file after the sandbox. A server is
 * verified by the public CAs (RFC 5280, names by RFC 6125) or by TLSA records (DANE, RFC 7671, RFC 7672), or
 * not at all (opportunistic, RFC 7435). */
#ifndef OS_TLS_CLIENT_H
#define OS_TLS_CLIENT_H

#include "os/stream.h"
#include "os/tls.h"

struct tls_client;

struct tls_client_settings {
    bool no_ca;      /* load no CA: nothing can be verified but by TLSA records */
    str ca_file;     /* PEM; "": OpenSSL's default file and folder */
    str min_version; /* "TLSv1.2" or "TLSv1.3" */
    str ciphers;     /* "": OpenSSL's default */
    /* What a server sees that asks for a certificate: of several the one whose key it can use. */
    const struct tls_pem *certificates;
    size_t n_certificates;
};

/* RC_PERM: a setting, the CA file or a certificate is unusable, e says why. */
MUST_USE enum rc tls_client_new(const struct tls_client_settings *set, struct tls_client **ret,
                                struct err *e);
struct tls_client *tls_client_ref(struct tls_client *t);
void tls_client_unref(struct tls_client *t); /* accepts NULL */

enum tls_verify {
    TLS_VERIFY_NONE, /* any certificate will do; tls_info.trust still says what the CAs think of it */
    TLS_VERIFY_CA,   /* a chain to a CA, and a certificate for one of `names` */
    TLS_VERIFY_DANE  /* one of the TLSA records matches; `names` count for DANE-TA(2) only */
};

struct tls_tlsa { /* RFC 6698 §2.1 */
    uint8_t usage, selector, matching;
    str data; /* raw bytes */
};

struct tls_client_params {
    str server_name; /* SNI; with DANE the TLSA base domain (RFC 7672 §8.1); "": none is sent */
    enum tls_verify verify;
    /* A server that cannot be verified as `verify` says ends the handshake (RC_PERM). Without it the
     * connection stands, and tls_info says how it is with the certificate: for MTA-STS in testing mode. */
    bool required;
    /* Names that the certificate may be for; ".example.com" stands for all names below it. Only
     * subjectAltName counts, but for DANE-TA (RFC 7672 §3.2.3). */
    const str *names;
    size_t n_names;
    const struct tls_tlsa *tlsa;
    size_t n_tlsa;
    /* Where the connection goes, "192.0.2.1:25": sessions are resumed between connections to the same
     * endpoint with the same parameters otherwise. "": no resumption. */
    str endpoint;
};

/* Client handshake, within the stream's deadline. Input that arrived before it must be refused by the caller
 * when stream_buffered() > 0; this call drops it. On failure the stream is of no more use: RC_TEMP: the
 * deadline passed; RC_GONE: the peer closed; RC_INVALID: the handshake failed; RC_PERM: the server is not who
 * it should be. e says why (for the log), *ret_fault (may be NULL) of what class. */
MUST_USE enum rc stream_start_tls_client(struct stream *s, struct tls_client *tls,
                                         const struct tls_client_params *params, enum tls_fault *ret_fault,
                                         struct err *e);

/* Whether the record can be used for SMTP: DANE-TA(2) or DANE-EE(3), a known selector and matching type, data
 * of the right form (RFC 7672 §3.1.3). Where no record of an RRset is usable, TLS is required but not
 * verified (RFC 7672 §2.2): the caller then asks for TLS_VERIFY_NONE. */
bool tls_tlsa_is_usable(const struct tls_tlsa *record);

#endif
