/* client_limit: how many connections are open, altogether and from each client (an IPv4 address, an IPv6
 * /64), and how many a client has made lately. Thread-safe. */
#ifndef ROLE_CLIENT_LIMIT_H
#define ROLE_CLIENT_LIMIT_H

#include "base/clock.h"
#include "os/socket.h"

struct client_limit;

struct client_limit *client_limit_new(void);
struct client_limit *client_limit_free(struct client_limit *l); /* accepts NULL */
/* Counts one connection more. RC_LIMIT: one of the limits is reached, nothing was counted. */
MUST_USE enum rc client_limit_enter(struct client_limit *l, const struct socket_client *client,
                                    unsigned client_max, unsigned total_max);
/* Notes one connection more, as many as `max` in `unit` and then one each unit/max. RC_LIMIT: too many. */
MUST_USE enum rc client_limit_rate(struct client_limit *l, const struct socket_client *client, unsigned max,
                                   msec unit, msec now);
void client_limit_leave(struct client_limit *l, const struct socket_client *client);
unsigned client_limit_total(struct client_limit *l);

#endif
