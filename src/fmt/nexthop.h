/* nexthop: where mail goes next, as an administrator writes it (relayhost, transport(5)) or as the domain of
 * an address: "example.com" (its MX hosts), "[mx.example.com]" (that host), "[192.0.2.1]",
 * "[IPv6:2001:db8::1]" and
 * "[2001:db8::1]", each with ":port" or without. Pure; the result views the text. */
#ifndef FMT_NEXTHOP_H
#define FMT_NEXTHOP_H

#include "fmt/ip.h"

struct nexthop {
    str host; /* without brackets */
    bool mx;  /* ask for its MX records: it had no brackets */
    bool is_address;
    struct ip_net address; /* when it is one */
    int port;              /* 0: not given */
};

/* RC_INVALID: not of these forms, or a port that is none of 1 to 65535. */
MUST_USE enum rc nexthop_parse(str text, struct nexthop *ret);

#endif
