/* srs: the Sender Rewriting Scheme, which lets a forwarder send with an envelope sender of its own domain
 * that leads bounces back to the original sender (Mengwong Wong's and Shevek's scheme; there is no RFC).
 *
 *   SRS0=HASH=TT=domain=local@forwarder                the first forwarder
 *   SRS1=HASH=first-forwarder==HASH=TT=domain=local@forwarder     any later one
 *
 * HASH is the start of HMAC-SHA1 in base64 over the lower-cased address parts, so that others cannot make us
 * send bounces to addresses of their choice; TT the day in base32, modulo 1024. Compatible with the addresses
 * of libsrs2 and postsrsd. Hashes are compared regardless of case, because some servers fold addresses. */
#ifndef FMT_SRS_H
#define FMT_SRS_H

#include "base/buf.h"

enum {
    SRS_HASH_MIN = 4, /* characters of a hash: 24 bits less what folding takes */
    SRS_HASH_MAX = 20,
    SRS_SECRETS_MAX = 8
};

struct srs {
    str domain; /* ours, of the rewritten addresses */
    const str
        *secrets; /* the first one signs, all of them verify; 1 to SRS_SECRETS_MAX, none of them empty */
    size_t secret_count;
    char separator; /* behind SRS0 and SRS1 in what we make: '=', '+' or '-' */
    unsigned
        hash_length; /* SRS_HASH_MIN to SRS_HASH_MAX, of what we make; at least SRS_HASH_MIN are wanted */
    unsigned max_age_days; /* 1 to 1000: older addresses are refused */
    int64_t now;           /* seconds since 1970 */
};

/* Whether the local part begins with SRS0 or SRS1 and a separator. */
bool srs_is_rewritten(str local);
/* Appends the address to send with for the sender "local@domain". One that is in our domain is put as it is.
 * RC_INVALID: not local@domain, a quoted local part, or an SRS address that is broken. RC_LIMIT: the local
 * part would have more than 64 bytes (RFC 5321 §4.5.3.1.1), the caller sends unchanged; nothing is added. */
MUST_USE enum rc srs_forward(const struct srs *s, str sender, struct buf *out);
/* Appends the address that a bounce to the local part of an address in our domain goes to: the original
 * sender, or for SRS1 the SRS0 address at the first forwarder. RC_INVALID: no SRS address; RC_PERM: its hash
 * is not ours; RC_GONE: it is too old. Nothing is added then. */
MUST_USE enum rc srs_reverse(const struct srs *s, str local, struct buf *out);

#endif
