/* resolver: questions to the DNS, validated with DNSSEC. The wrapper of libunbound.
 *
 * A role makes its resolver before the sandbox, when the files that it needs (resolv.conf, hosts, the trust
 * anchor) can still be read, and starts it after the sandbox, so that the library's own thread is confined
 * too. From then on any thread asks and waits with a deadline. In front of the library lies a cache of
 * answers, in which threads that ask the same at the same time wait for one answer. A resolver lives as long
 * as its process. */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include "base/buf.h"
#include "base/clock.h"
#include "fmt/dns_record.h"

#include <sys/socket.h>

struct resolver;

struct resolver_conf {
    const str
        *servers; /* "192.0.2.53" or "192.0.2.53@5353", each NUL-terminated; none: those of resolv_conf */
    size_t n_servers;
    const char
        *trust_anchor; /* a file with DS or DNSKEY records, one a line; "": the root's keys as built in */
    const char *hosts; /* usually "/etc/hosts"; may be missing */
    const char
        *resolv_conf; /* usually "/etc/resolv.conf"; without servers there too, the root servers are asked */
};

/* RC_PERM: a setting is wrong or the trust anchor cannot be read; e says which. */
MUST_USE enum rc resolver_new(const struct resolver_conf *conf, struct resolver **ret, struct err *e);
/* Starts its threads. Questions asked before fail with RC_TEMP. RC_TEMP: a thread or the library did not
 * start. */
MUST_USE enum rc resolver_start(struct resolver *r, struct err *e);

enum dns_security {
    DNS_INSECURE, /* provably unsigned: no more than what any resolver says */
    DNS_SECURE,   /* validated, also that there are no such records */
    DNS_BOGUS     /* signed and wrong: has no records, so that nobody uses them */
};

struct dns_answer {
    enum dns_security security;
    bool nxdomain; /* the name does not exist; otherwise it may still have no records of this type */
    size_t n;
    const str
        *rdata;      /* n records, the data of each as on the wire without compression (dns_name_from_wire) */
    const char *why; /* what was wrong with a bogus answer, for the log; otherwise "" */
    int ttl_s;       /* how long it counted when it came, in seconds */
};

/* Asks for the records of one name. RC_OK: *ret is an answer, maybe one without records; release it with
 * dns_answer_free. RC_TEMP: none came before the deadline (clock_mono), or the servers failed. RC_INVALID:
 * not a name that can be asked. */
MUST_USE enum rc resolver_query(struct resolver *r, str name, enum dns_type type, msec deadline,
                                const struct dns_answer **ret);
/* The same for somebody who does not wait: a question, to be looked at from time to time. RC_TEMP: it cannot
 * be asked now; RC_INVALID as above. */
struct question;
MUST_USE enum rc resolver_ask(struct resolver *r, str name, enum dns_type type, struct question **ret);
/* RC_OK: *ret is the answer, as above; RC_TEMP: the servers failed; then *q is let go of, and NULL. RC_GONE:
 * nothing has come yet. */
MUST_USE enum rc resolver_look(struct resolver *r, struct question **q, const struct dns_answer **ret);
void resolver_forget(struct resolver *r, struct question **q); /* nobody looks any more; *q may be NULL */
const struct dns_answer *dns_answer_free(const struct dns_answer *a); /* accepts NULL, returns NULL */
void dns_answer_freep(const struct dns_answer **a);

/* Finds the name of a client's address and confirms it: one of the name's own addresses must be the client's,
 * or anybody could call himself anything. Adds the name as its PTR record has it, without the last dot.
 * Addresses in the hosts file are answered from there, and the other loopback addresses have no name.
 * RC_GONE: no name, or none is confirmed; RC_TEMP: the DNS does not say in time. ret_any (may be NULL) gets
 * the first name of a host that the PTR records have, confirmed or not. */
MUST_USE enum rc resolver_ptr_name(struct resolver *r, const struct sockaddr_storage *client, msec deadline,
                                   struct buf *ret_name, struct buf *ret_any);

#endif
