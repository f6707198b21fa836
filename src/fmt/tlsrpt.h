/* tlsrpt: the words of reports on TLS sessions (RFC 8460 §4.3, §4.4). */
#ifndef FMT_TLSRPT_H
#define FMT_TLSRPT_H

#include "base/str.h"

enum tlsrpt_policy { TLSRPT_NO_POLICY, TLSRPT_STS, TLSRPT_TLSA };

enum tlsrpt_result {
    TLSRPT_SUCCESS,
    TLSRPT_STARTTLS_NOT_SUPPORTED,
    TLSRPT_CERTIFICATE_HOST_MISMATCH,
    TLSRPT_CERTIFICATE_EXPIRED,
    TLSRPT_CERTIFICATE_NOT_TRUSTED,
    TLSRPT_VALIDATION_FAILURE, /* whatever no other word says */
    TLSRPT_TLSA_INVALID,
    TLSRPT_DNSSEC_INVALID,
    TLSRPT_DANE_REQUIRED,
    TLSRPT_STS_POLICY_FETCH_ERROR,
    TLSRPT_STS_POLICY_INVALID,
    TLSRPT_STS_WEBPKI_INVALID
};
enum { TLSRPT_POLICIES = TLSRPT_TLSA + 1, TLSRPT_RESULTS = TLSRPT_STS_WEBPKI_INVALID + 1 };

const char *tlsrpt_policy_name(enum tlsrpt_policy p); /* "no-policy-found", "sts", "tlsa" */
const char *tlsrpt_result_name(enum tlsrpt_result r); /* "success", "starttls-not-supported"... */

#endif
