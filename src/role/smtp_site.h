/* smtp_site: the hosts of one destination, and connections to them in their order. */
#ifndef ROLE_SMTP_SITE_H
#define ROLE_SMTP_SITE_H

#include "net/mx.h"
#include "role/smtp_impl.h"
#include "role/smtp_policy.h"

enum { SMTP_SESSIONS_MAX = 2 };

/* Where the next attempt goes: hosts in their order, and the addresses of the present one. */
struct smtp_site {
    struct site_name name;
    str socket;  /* of LMTP over a Unix socket: its path, and no hosts; else empty */
    str nexthop; /* its domain or host */
    str sender;
    struct dial_way way;
    enum smtp_tls_demand demand;
    struct smtp_policy policy;
    struct mta_sts_policy sts; /* of the next hop's domain, in force when has_sts */
    bool has_sts;
    struct mx_list hosts;
    size_t host; /* the next one to look up */
    struct mx_addresses addresses;
    struct dane dane; /* of the present host */
    bool named;       /* the configuration names the host itself */
    bool own_domain;  /* the next hop is the recipient's domain */
    bool temporary;   /* a host that was looked at may take the mail later */
    size_t address;   /* the next one to try, of hosts.hosts[host - 1] */
    int port;
    unsigned tries; /* addresses that were tried */
};

/* Finds the hosts of a site, and how to talk to them; v: whose mail it is; demand: what it says of TLS.
 * RC_PERM: there are none and never will be, or none that REQUIRETLS lets us trust; RC_TEMP: not now;
 * *ret_why then. */
MUST_USE enum rc smtp_site_find(struct smtp_worker *w, str name, const struct queue_envelope *v,
                                enum smtp_tls_demand demand, struct smtp_site *ret,
                                struct smtp_outcome *ret_why);
/* Opens a connection to the next host that takes one: w->conn then is it. Otherwise, with no host left, what
 * the last one said; RC_PERM only when every host said so, or cannot do what REQUIRETLS asks for. */
MUST_USE enum rc smtp_site_connect(struct smtp_worker *w, struct smtp_site *s, struct smtp_outcome *ret_why);

#endif
