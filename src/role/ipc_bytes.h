/* ipc_bytes: byte strings that may be larger than a message: fields "u32 in descriptor, s bytes" and, with
 * too many of them, an empty string and a sealed memory file. */
#ifndef ROLE_IPC_BYTES_H
#define ROLE_IPC_BYTES_H

#include "base/arena.h"
#include "os/ipc.h"

/* So many bytes travel in a message, and in one of up to IPC_LARGE_MAX what leaves room for IPC_MAX besides.
 */
enum { IPC_INLINE_MAX = 24 << 10 };

/* The memory file goes to fds[*n]. RC_TEMP: there is none. */
MUST_USE enum rc ipc_put_bytes(struct buf *b, str bytes, int *fds, unsigned *n);
/* The bytes are copied into the arena when they come in a descriptor, which is taken from m; max bounds them.
 * RC_INVALID: malformed; RC_LIMIT: more than max, or the arena is exhausted. */
MUST_USE enum rc ipc_get_bytes(struct ipc_msg *m, size_t max, struct arena *a, str *ret);
/* The same into the empty room, whose max bounds them. *ret_fd: the memory file in which they came, the
 * caller's; -1: they are in m. */
MUST_USE enum rc ipc_get_bytes_in_file(struct ipc_msg *m, struct buf *room, str *ret, int *ret_fd);

#endif
