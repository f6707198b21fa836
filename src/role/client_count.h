/* client_count: how many connections a process has in all and from each client network address, against its limits.
 * Thread-safe. */
#ifndef ROLE_CLIENT_COUNT_H
#define ROLE_CLIENT_COUNT_H

#include "base/str.h"

struct client_count;

struct client_count *client_count_new(void);
/* Counts one more connection of `address`. RC_LIMIT: it would be one too many in all (*ret_total set) or from there. */
MUST_USE enum rc client_count_add(struct client_count *c, str address, unsigned max_total, unsigned max_address,
                                  bool *ret_total);
void client_count_del(struct client_count *c, str address);
unsigned client_count_total(struct client_count *c);

#endif
