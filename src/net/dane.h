/* dane: the TLSA records of a mail server (RFC 7672). Only for a host whose address, and whose name as MX,
 * are DNSSEC- validated: asking elsewhere would let an attacker have mail held up (RFC 7672 §2.2). */
#ifndef NET_DANE_H
#define NET_DANE_H

#include "base/arena.h"
#include "net/dns_asker.h"
#include "os/tls_client.h"

enum { DANE_RECORDS_MAX = 32 };

struct dane {
    struct tls_tlsa *usable; /* in the arena */
    size_t n_usable;
    bool any; /* there are records; with none of them usable TLS is required, and nothing is verified */
};

/* The records at _port._tcp.host. RC_OK, also when it is proven that there are none; RC_TEMP with e: the
 * answer is missing, or fails validation: who sends without it may be talking to an attacker. */
MUST_USE enum rc dane_find(const struct dns_asker *asker, str host, int port, msec deadline, struct arena *a,
                           struct dane *ret, struct err *e);

#endif
