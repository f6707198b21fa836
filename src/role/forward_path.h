/* forward_path: which file says where the mail of a user of the system goes. Asked by auth-worker, which only
 * wants to know whether there is one, and by `command`, which reads it; both as the user. */
#ifndef ROLE_FORWARD_PATH_H
#define ROLE_FORWARD_PATH_H

#include "conf/conf.h"

#include <sys/stat.h>

enum { FORWARD_PATH_MAX = 4096 };

struct forward_user {
    const char *home;
    str user, tag; /* of user+tag; may be empty */
};

/* The first path of the setting that is there and whose names all have a value: RC_OK with its lstat;
 * RC_GONE: none; RC_TEMP with errno: it cannot be said. *path is left as the last one that was looked at. */
MUST_USE enum rc forward_path_find(const struct conf *c, const struct forward_user *u, struct buf *path,
                                   struct stat *ret);

#endif
