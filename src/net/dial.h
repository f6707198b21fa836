/* dial: a connection to another server. */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "base/clock.h"
#include "base/str.h"

#include <sys/socket.h>

struct dial_way {                   /* how a connection leaves this machine */
    struct sockaddr_storage v4, v6; /* where it comes from; ss_family 0: as the routes say */
    struct sockaddr_storage proxy;  /* a SOCKS5 proxy that makes it for us; ss_family 0: none */
    str proxy_user, proxy_password; /* empty: without */
};

/* Connects within the deadline; close-on-exec, TCP_NODELAY, for os/stream. RC_TEMP with e: "connect to
 * NAME[ADDRESS]:PORT: why"; name is for that text. */
MUST_USE enum rc dial(const struct sockaddr_storage *to, const struct dial_way *way, const char *name,
                      msec deadline, int *ret_fd, struct err *e);

#endif
