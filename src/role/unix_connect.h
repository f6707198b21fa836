/* unix_connect: connections to Unix sockets, which the master makes, for roles that reach no files. */
#ifndef ROLE_UNIX_CONNECT_H
#define ROLE_UNIX_CONNECT_H

#include "role/role.h"

void unix_connect_init(void);
/* A connection to a socket that the role's setting names (CONTROL_CONNECT), for os/stream. RC_TEMP with e:
 * why there is none. Any thread but the role's main one. */
MUST_USE enum rc unix_connect(const struct role *r, str path, int *ret_fd, struct err *e);

/* The master's answer: role_ops.connected. */
void unix_connect_done(struct role *r, uint64_t number, const struct err *e, int fd);

#endif
