/* dial_proxy: asks a SOCKS proxy (RFC 1928) for a connection to an address. */
#ifndef NET_DIAL_PROXY_H
#define NET_DIAL_PROXY_H

#include "net/dial.h"

/* fd: connected to the proxy, non-blocking; afterwards to `to`. *ret_why says what went wrong, at most 100
 * bytes. RC_TEMP: there is no connection. */
MUST_USE enum rc dial_proxy_ask(int fd, const struct dial_way *way, const struct sockaddr_storage *to,
                                msec deadline, char ret_why[100]);

#endif
