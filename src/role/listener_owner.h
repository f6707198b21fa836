/* listener_owner: the `user` and `group` of a listener's Unix socket, by name or number. */
#ifndef ROLE_LISTENER_OWNER_H
#define ROLE_LISTENER_OWNER_H

#include "conf/conf.h"

#include <sys/types.h>

/* (uid_t)-1 and (gid_t)-1 where the listener names none. RC_PERM with e: there is no such user or group.
 * Reads passwd and group, so before the sandbox. */
MUST_USE enum rc listener_owner(const struct conf_listener *l, uid_t *ret_uid, gid_t *ret_gid, struct err *e);

#endif
