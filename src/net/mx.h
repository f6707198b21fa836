/* mx: the hosts that take mail for a domain, and their addresses (RFC 5321 §5.1). */
#ifndef NET_MX_H
#define NET_MX_H

#include "fmt/dns_name.h"
#include "net/dns_asker.h"

enum { MX_HOSTS_MAX = 20, MX_ADDRESSES_MAX = 16 };

struct mx_host {
    char name[DNS_NAME_MAX + 1];
    unsigned preference;
    uint32_t order; /* random */
};

struct mx_list {
    struct mx_host hosts[MX_HOSTS_MAX]; /* in the order in which they are to be tried */
    size_t n;
    bool secure; /* the answer was validated: DANE may count on the names (RFC 7672 §2.2.1) */
};

/* Hosts by preference, equal ones in random order; a domain without MX records is its own host (implicit MX).
 * Hosts from `own` (this server's name) on are left out, and those behind it (RFC 5321 §5.1). RC_PERM with e:
 * no such domain (5.1.2), null MX (RFC 7505: 556 5.1.10), or only ourselves (5.4.6); RC_TEMP: the DNS does
 * not say, or says what it cannot prove (4.4.3), or nothing that counts (4.7.0). */
MUST_USE enum rc mx_find(const struct dns_asker *asker, str domain, str own, msec deadline,
                         struct mx_list *ret, struct err *e);

enum mx_families { MX_ANY, MX_IPV4, MX_IPV6 };

struct mx_addresses {
    struct sockaddr_storage v[MX_ADDRESSES_MAX]; /* the families take turns; ports are 0 */
    size_t n;
    bool secure;
};

/* RC_GONE: the host has no address of these families; RC_TEMP as above. */
MUST_USE enum rc mx_addresses(const struct dns_asker *asker, str host, enum mx_families families,
                              msec deadline, struct mx_addresses *ret, struct err *e);

/* The same from the hosts file alone. RC_GONE: it has none. */
MUST_USE enum rc mx_addresses_in_hosts(struct resolver *r, str host, enum mx_families families,
                                       struct mx_addresses *ret);

/* An address as a socket address with a port. */
void mx_sockaddr(const struct ip_net *address, int port, struct sockaddr_storage *ret);

#endif
