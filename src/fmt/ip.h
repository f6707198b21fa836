/* ip: IPv4 and IPv6 addresses and networks as text and as bytes (RFC 4291 §2.2, RFC 4632 §3.1).
 * An IPv4 address is kept in its mapped IPv6 form ::ffff:a.b.c.d, so that one comparison serves both
 * families. */
#ifndef FMT_IP_H
#define FMT_IP_H

#include "base/str.h"

struct ip_net {
    uint8_t addr[16];
    unsigned bits; /* 0 to 128, counted in the mapped form */
};

/* "192.0.2.1" or "2001:db8::1"; bits becomes 128. */
MUST_USE enum rc ip_parse(str text, struct ip_net *ret);
bool ip_is_v6(str text); /* an IPv6 address, not a mapped one */
bool ip_is_mapped_v4(const struct ip_net *address);
/* An address, "192.0.2.0/24", "2001:db8::/32" or, as Postfix writes it, "[2001:db8::]/32". Bits behind the
 * prefix are ignored. */
MUST_USE enum rc ip_net_parse(str text, struct ip_net *ret);
bool ip_net_has(const struct ip_net *net, const struct ip_net *address);
bool ip_is_loopback(const struct ip_net *address);

#endif
