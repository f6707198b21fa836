/* login_limit: how many connections are open, altogether and from each client (an IPv4 address, an IPv6 /64).
 * Thread-safe. */
#ifndef ROLE_LOGIN_LIMIT_H
#define ROLE_LOGIN_LIMIT_H

#include "os/socket.h"

struct login_limit;

struct login_limit *login_limit_new(void);
struct login_limit *login_limit_free(struct login_limit *l); /* accepts NULL */
/* Counts one connection more. RC_LIMIT: one of the limits is reached, nothing was counted. */
MUST_USE enum rc login_limit_enter(struct login_limit *l, const struct socket_client *client, unsigned client_max,
                                   unsigned total_max);
void login_limit_leave(struct login_limit *l, const struct socket_client *client);
unsigned login_limit_total(struct login_limit *l);

#endif
