/* keys: certificate and key pairs on their way from the master to the roles that speak TLS: u32 count, for
 * each s name, s chain, s key (PEM), and then the CAs that certificates of clients must lead to (PEM), s of
 * SMTP and s of log-ins, in a sealed memory file.
 *
 * smtp gets what it shows other servers: u32 count of transports, for each s name ("": all that have none of
 * their own) and s of such pairs without CAs. */
#ifndef ROLE_KEYS_H
#define ROLE_KEYS_H

#include "os/tls.h"

enum { KEYS_MAX = 1000, KEYS_BYTES_MAX = 32 << 20 };

struct keys_ca {
    str smtp, login;
};

void keys_put(struct buf *b, const struct tls_pem *pairs, size_t n, const struct keys_ca *ca);
/* Views into content. RC_INVALID when malformed. */
MUST_USE enum rc keys_get(str content, struct tls_pem *ret_pairs, size_t max, size_t *ret_n,
                          struct keys_ca *ret_ca);

#endif
