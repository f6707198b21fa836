/* tree: removing folders with what lies in them, never following a symbolic link. */
#ifndef OS_TREE_H
#define OS_TREE_H

#include "base/err.h"

enum { TREE_DEPTH_MAX = 32 };

/* Removes parent_fd/name, a folder of any content or a file. RC_OK also when it is not there; RC_LIMIT:
 * nested too deep; RC_TEMP: the system refused (errno says why); what was removed by then is gone. */
MUST_USE enum rc tree_remove(int parent_fd, const char *name);

/* Calls fn for each entry of the folder but "." and "..", until one gives other than RC_OK, which is the
 * result. RC_GONE: no such folder; RC_TEMP: cannot be read. dir_fd is the folder; fn may unlink the entry. */
MUST_USE enum rc tree_each(int parent_fd, const char *name,
                           enum rc (*fn)(void *ctx, int dir_fd, const char *entry), void *ctx);

#endif
