/* proxied: listeners with `proxy_protocol`, where proxies say in a header for whom they connect. */
#ifndef ROLE_PROXIED_H
#define ROLE_PROXIED_H

#include "role/accept.h"

/* Reads the header of a connection that was just accepted, in a thread of its own, and hands the connection
 * over as that of the client that it names. Whoever is not in haproxy_trusted_networks, sends anything else
 * or nothing in haproxy_timeout is told in the log and closed. fd is the callee's. */
void proxied_start(const struct acceptor *a, int fd, const struct sockaddr_storage *peer,
                   const struct sockaddr_storage *own);

#endif
