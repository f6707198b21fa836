/* smtp_unix: connections to Unix sockets, which the master makes, since smtp reaches no files. */
#ifndef ROLE_SMTP_UNIX_H
#define ROLE_SMTP_UNIX_H

#include "role/role.h"

void smtp_unix_init(void);
/* A connection to a socket of lmtp_sockets, for os/stream. RC_TEMP with e: why there is none. Any thread but
 * the role's main one. */
MUST_USE enum rc smtp_unix_connect(const struct role *r, str path, int *ret_fd, struct err *e);

/* The master's answer: role_ops.connected. */
void smtp_unix_connected(struct role *r, uint64_t number, const struct err *e, int fd);

#endif
