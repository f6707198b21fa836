/* ipc: typed messages between roles over Unix SOCK_SEQPACKET pairs.
 *
 * A *link* is a pair that the master made for two roles. Whoever asks opens a *channel* on it: a fresh pair
 * of which one end travels over the link; a channel carries one request and its reply at a time, so a thread
 * that asks simply waits for its answer, and the side that answers gives each channel a thread. A channel
 * whose deadline passed is closed, never reused: no late reply can meet the wrong question.
 *
 * Message: u16 type, u16 count of descriptors, u32 length of the fields, then the fields, little endian: u32
 * and u64 as they are, byte strings as u32 length and bytes. At most 64 KiB, or 192 KiB on channels that
 * carry mail; anything larger travels as a descriptor. The table of messages is role/ipc.def; doc/ipc.md is
 * made from it. */
#ifndef OS_IPC_H
#define OS_IPC_H

#include "base/buf.h"
#include "base/clock.h"

enum { IPC_MAX = 64 << 10, IPC_LARGE_MAX = 192 << 10, IPC_FDS_MAX = 8 };

struct ipc_msg { /* a received message; fields are read in order */
    uint16_t type;
    str fields;     /* what is not yet read; lies in the receiver's buffer */
    bool malformed; /* sticky: a field was missing or too long */
    int fds[IPC_FDS_MAX];
    unsigned n_fds; /* not yet taken; ipc_msg_deinit closes them */
};

/* --- writing --- */
void ipc_begin(struct buf *b, uint16_t type); /* b: created with IPC_MAX or IPC_LARGE_MAX; reset */
void ipc_put_u32(struct buf *b, uint32_t v);
void ipc_put_u64(struct buf *b, uint64_t v);
void ipc_put_str(struct buf *b, str s);
/* Sends b with descriptors (they stay open here). RC_LIMIT: too large, or the receiver's queue is full (never
 * blocks when flags has IPC_NOWAIT); RC_GONE: the other side is closed. */
enum { IPC_NOWAIT = 1 };
MUST_USE enum rc ipc_send(int fd, struct buf *b, const int *fds, unsigned n_fds, int flags);

/* --- reading --- */
/* Receives one message into b, up to its max. RC_TEMP: nothing before the deadline (0: poll only, -1: no
 * deadline); RC_GONE: closed; RC_INVALID: malformed (close the link); RC_LIMIT: this process has no room for
 * the message's descriptors, and the message is lost. Descriptors are close-on-exec. */
MUST_USE enum rc ipc_recv(int fd, struct buf *b, struct ipc_msg *ret, msec deadline);
uint32_t ipc_get_u32(struct ipc_msg *m);
uint64_t ipc_get_u64(struct ipc_msg *m);
str ipc_get_str(struct ipc_msg *m, size_t max); /* view into the receive buffer */
int ipc_take_fd(struct ipc_msg *m); /* next descriptor, now the caller's; -1 and malformed when none */
/* RC_INVALID when malformed or when fields or descriptors are left over; call it after the last get. */
MUST_USE enum rc ipc_end(struct ipc_msg *m);
void ipc_msg_deinit(struct ipc_msg *m); /* closes descriptors that were not taken */

/* Whoever answers refuses what is malformed or not permitted, and closes: the asker, which is broken or taken
 * over, learns from it that it must end, so that the master starts a sound one. Nobody who answers obeys it.
 */
enum { IPC_REFUSED = 2 };
void ipc_refuse(int fd); /* never blocks */
/* Ends the process when a refusal waits on fd, whose other side is closed. */
void ipc_end_if_refused(int fd);

/* A connected pair, close-on-exec. RC_TEMP when the process is out of descriptors. */
MUST_USE enum rc ipc_pair(int ret_fd[2]);

/* Sends the request in b and waits for its reply into b. Closes nothing. RC_TEMP on deadline, RC_GONE on a
 * closed channel, RC_INVALID on a malformed reply or one of another type than expected. Does not return when
 * the other side refuses the request as malformed: ipc_refused. */
MUST_USE enum rc ipc_call(int fd, struct buf *b, const int *fds, unsigned n_fds, uint16_t reply_type,
                          struct ipc_msg *ret, msec deadline);

/* A sealed memory file of these bytes (F_SEAL_SEAL, SHRINK, GROW, WRITE), -1 on failure; and the check that a
 * received descriptor is one. */
int ipc_memfd(const char *name, str content);
bool ipc_is_sealed(int fd);

#endif
