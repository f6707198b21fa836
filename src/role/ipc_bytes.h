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

/* The same bytes where they are: in m, or in the memory file. */
struct ipc_mapping {
    str bytes;
    int fd; /* the memory file; -1: they are in m */
};
/* *ret is to be unmapped, also after an error. */
MUST_USE enum rc ipc_map_bytes(struct ipc_msg *m, size_t max, struct ipc_mapping *ret);
void ipc_unmap(struct ipc_mapping *p);

#endif
