/* ipc_bytes: byte strings that may be larger than a message: fields "u32 in descriptor, s bytes" and, with
 * too many of them, an empty string and a sealed memory file. */
#ifndef ROLE_IPC_BYTES_H
#define ROLE_IPC_BYTES_H

#include "base/arena.h"
#include "os/ipc.h"

enum { IPC_INLINE_MAX = 24 << 10 }; /* bytes that travel in a message */

/* The memory file goes to fds[*n]. RC_TEMP: there is none. */
MUST_USE enum rc ipc_put_bytes(struct buf *b, str bytes, int *fds, unsigned *n);
/* The bytes are copied into the arena when they come in a descriptor, which is taken from m; max bounds them.
 * RC_INVALID: malformed; RC_LIMIT: more than max, or the arena is exhausted. */
MUST_USE enum rc ipc_get_bytes(struct ipc_msg *m, size_t max, struct arena *a, str *ret);
/* The same. *ret_fd: the memory file in which they came, the caller's to close, or -1. */
MUST_USE enum rc ipc_get_bytes_fd(struct ipc_msg *m, size_t max, struct arena *a, str *ret, int *ret_fd);

#endif
