/* Whether a TLS server is who it should be (tls_client.h): by CA and name, or by TLSA records.
 *
 * OpenSSL verifies while it shakes hands; here it is told what to ask for, and its answer is put into words.
 */
#include "base/clock.h"
#include "os/tls_impl.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

enum { CHAIN_DEPTH_MAX = 10, NAME_MAX_BYTES = 255 };

enum { /* RFC 6698 §2.1, with the acronyms of RFC 7218 */
       DANE_TA = 2,
       DANE_EE = 3,
       SELECTOR_CERT = 0,
       SELECTOR_SPKI = 1,
       MATCHING_FULL = 0,
       MATCHING_SHA2_256 = 1,
       MATCHING_SHA2_512 = 2
};

/* RFC 6698 §2.1.3: the whole certificate or key, in DER with nothing behind it. */
static bool is_whole_object(uint8_t selector, str data)
{
    const unsigned char *p = (const unsigned char *)data.p;
    if (data.n == 0 || data.n > UINT16_MAX)
        return false;
    if (selector == SELECTOR_CERT) {
        X509 *cert = d2i_X509(NULL, &p, (long)data.n);
        X509_free(cert);
        return cert && p == (const unsigned char *)data.p + data.n;
    }
    EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)data.n);
    EVP_PKEY_free(key);
    return key && p == (const unsigned char *)data.p + data.n;
}

bool tls_tlsa_is_usable(const struct tls_tlsa *record)
{
    if ((record->usage != DANE_TA && record->usage != DANE_EE) || record->selector > SELECTOR_SPKI)
        return false;
    switch (record->matching) {
    case MATCHING_FULL:
        return is_whole_object(record->selector, record->data);
    case MATCHING_SHA2_256:
        return record->data.n == 32;
    case MATCHING_SHA2_512:
        return record->data.n == 64;
    default:
        return false;
    }
}

static enum rc refuse(struct tls_verdict *ret, enum tls_fault fault, const char *why)
{
    ret->fault = fault;
    snprintf(ret->text, sizeof ret->text, "%s", why);
    return RC_PERM;
}

/* A NUL inside would make OpenSSL compare another name. */
static bool is_name(str name)
{
    return name.n > 0 && name.n <= NAME_MAX_BYTES && str_chr(name, '\0') < 0;
}

static size_t add_names(SSL *ssl, const struct tls_client_params *params)
{
    size_t added = 0;
    for (size_t i = 0; i < params->n_names; i++) {
        char name[NAME_MAX_BYTES + 1];
        if (is_name(params->names[i]) && str_copy(name, sizeof name, params->names[i]) == RC_OK)
            added += SSL_add1_host(ssl, name) == 1;
    }
    return added;
}

static size_t add_records(SSL *ssl, const struct tls_client_params *params)
{
    size_t added = 0;
    for (size_t i = 0; i < params->n_tlsa; i++) {
        const struct tls_tlsa *r = &params->tlsa[i];
        if (tls_tlsa_is_usable(r))
            added += SSL_dane_tlsa_add(ssl, r->usage, r->selector, r->matching,
                                       (const unsigned char *)r->data.p, r->data.n) > 0;
    }
    return added;
}

static enum rc prepare_dane(SSL *ssl, const struct tls_client_params *params, struct tls_verdict *ret)
{
    char base[NAME_MAX_BYTES + 1];
    if (!is_name(params->server_name) || str_copy(base, sizeof base, params->server_name) != RC_OK)
        return refuse(ret, TLS_FAULT_NO_USABLE_TLSA, "DANE needs the server's name");
    must(SSL_dane_enable(ssl, base) == 1);
    SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS); /* RFC 7672 §3.1.1 */
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    add_names(ssl, params);
    if (add_records(ssl, params) == 0) /* OpenSSL would fall back to the CAs */
        return refuse(ret, TLS_FAULT_NO_USABLE_TLSA, "no usable TLSA record");
    return RC_OK;
}

/* Weak encryption is better than none, which is what a failed handshake leads to (RFC 7435 §3). */
static void allow_weak(SSL *ssl)
{
    SSL_set_security_level(ssl, 0);
}

static enum rc prepare_ca(SSL *ssl, const struct tls_client_params *params, struct tls_verdict *ret)
{
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (!params->required)
        allow_weak(ssl);
    if (add_names(ssl, params) == 0) /* then any certificate of any CA would do */
        return refuse(ret, TLS_FAULT_HOST_MISMATCH, "no name that the certificate could be for");
    return RC_OK;
}

enum rc tls_verify_prepare(SSL *ssl, const struct tls_client_params *params, struct tls_verdict *ret)
{
    char name[NAME_MAX_BYTES + 1];
    if (params->server_name.n) {
        if (!is_name(params->server_name) || str_copy(name, sizeof name, params->server_name) != RC_OK)
            return refuse(ret, TLS_FAULT_HANDSHAKE, "the server's name is malformed");
        must(SSL_set_tlsext_host_name(ssl, name) == 1);
    }
    X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), (time_t)clock_seconds());
    SSL_set_verify_depth(ssl, CHAIN_DEPTH_MAX);
    SSL_set_verify(
        ssl, params->required && params->verify != TLS_VERIFY_NONE ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    switch (params->verify) {
    case TLS_VERIFY_CA:
        return prepare_ca(ssl, params, ret);
    case TLS_VERIFY_DANE:
        return prepare_dane(ssl, params, ret);
    default:
        allow_weak(ssl);
        return RC_OK;
    }
}

static enum tls_fault fault_of(long result)
{
    switch (result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
        return TLS_FAULT_HOST_MISMATCH;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return TLS_FAULT_EXPIRED;
    case X509_V_ERR_DANE_NO_MATCH:
        return TLS_FAULT_NO_TLSA_MATCH;
    default:
        return TLS_FAULT_NOT_TRUSTED;
    }
}

static void describe_good(SSL *ssl, const struct tls_client_params *params, struct tls_verdict *ret)
{
    uint8_t usage, selector, matching;
    const char *name = SSL_get0_peername(ssl);
    if (SSL_session_reused(ssl))
        snprintf(ret->text, sizeof ret->text, "session resumed");
    else if (params->verify == TLS_VERIFY_DANE &&
             SSL_get0_dane_tlsa(ssl, &usage, &selector, &matching, NULL, NULL) >= 0)
        snprintf(ret->text, sizeof ret->text, "TLSA %u %u %u", usage, selector, matching);
    else if (params->verify == TLS_VERIFY_CA && name)
        snprintf(ret->text, sizeof ret->text, "certificate of %s", name);
    else
        ret->text[0] = '\0';
}

void tls_verify_judge(SSL *ssl, const struct tls_client_params *params, struct tls_verdict *ret)
{
    long result = SSL_get_verify_result(ssl);
    bool wanted = params->verify != TLS_VERIFY_NONE;
    *ret = (struct tls_verdict){.trust = TLS_UNTRUSTED};
    if (result == X509_V_OK) {
        if (SSL_is_init_finished(ssl))
            ret->trust = wanted ? TLS_VERIFIED : TLS_TRUSTED;
        describe_good(ssl, params, ret);
        return;
    }
    if (result == X509_V_ERR_HOSTNAME_MISMATCH && params->verify == TLS_VERIFY_CA)
        ret->trust = TLS_TRUSTED;
    ret->fault = wanted ? fault_of(result) : TLS_FAULT_NONE;
    if (result == X509_V_ERR_HOSTNAME_MISMATCH && params->n_names)
        snprintf(ret->text, sizeof ret->text, "the certificate is not for " STR_FMT,
                 STR_ARG(params->names[0]));
    else
        snprintf(ret->text, sizeof ret->text, "%s", X509_verify_cert_error_string(result));
}
