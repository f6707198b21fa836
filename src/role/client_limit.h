/* client_limit: how many connections are open, altogether and from each client (an IPv4 address, an IPv6
 * /64), and how often a client has done something lately. Thread-safe; the memory for the latter is fixed:
 * when very many clients are active, those that did least are forgotten. */
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
struct client_rate { /* how often a client may do something: `max` times in `unit`, then once each unit/max */
    const struct socket_client *client;
    str what; /* each is counted for itself */
    unsigned max;
    msec unit;
};
/* Notes that it was done once more. RC_LIMIT: too often. */
MUST_USE enum rc client_limit_rate(struct client_limit *l, const struct client_rate *r, msec now);
/* Whether the next time would be too often. */
bool client_limit_is_reached(struct client_limit *l, const struct client_rate *r, msec now);
void client_limit_leave(struct client_limit *l, const struct socket_client *client);
unsigned client_limit_total(struct client_limit *l);
unsigned client_limit_of(struct client_limit *l, const struct socket_client *client); /* of one client */

#endif
