/* channel: the asking side of a link, for threaded roles: a pool of channels to one other role.
 *
 * channel_pool_call takes an idle channel or opens one over the link (IPC message CHANNEL_OPEN), asks, and
 * puts it back. When the other role has died, calls fail with RC_TEMP until the master hands over a new link
 * (channel_pool_set_link). Thread-safe. The answering side is channel_serve. */
#ifndef OS_CHANNEL_H
#define OS_CHANNEL_H

#include "os/ipc.h"

struct channel_pool;

/* Type of the one message that a link itself carries. */
enum { IPC_CHANNEL_OPEN = 1 };

/* link_wait_ms: how long a call waits for a link that is down (0 in a role whose one thread also takes new
 * links). */
struct channel_pool *channel_pool_new(unsigned max_channels, msec link_wait_ms);
/* Closes the link and all channels, none of which may be busy; accepts NULL, returns NULL. */
struct channel_pool *channel_pool_free(struct channel_pool *p);
/* The link's new descriptor, owned by the pool from here on; -1: the other role is gone. */
void channel_pool_set_link(struct channel_pool *p, int link_fd);
/* False when there is no link, or the last attempt to open a channel found the other side gone. */
bool channel_pool_has_link(struct channel_pool *p);
/* As ipc_call; with all channels busy it waits its turn. */
MUST_USE enum rc channel_pool_call(struct channel_pool *p, struct buf *b, const int *fds, unsigned n_fds,
                                   uint16_t reply_type, struct ipc_msg *ret, msec deadline);
/* The same for a question that may be asked twice and carries no descriptor: when whoever answers ends
 * meanwhile, as at a reload, its successor is asked. */
MUST_USE enum rc channel_pool_ask(struct channel_pool *p, struct buf *b, uint16_t reply_type,
                                  struct ipc_msg *ret, msec deadline);

/* A fresh channel outside the pool's count, for handing on to another process; the caller's. -1: no link. */
int channel_pool_lend(struct channel_pool *p);

/* A channel kept over several calls (prepare and commit of one delivery must reach the same peer, which
 * aborts when the channel closes). Release it with broken=true after any failure. */
struct channel;
MUST_USE enum rc channel_take(struct channel_pool *p, struct channel **ret, msec deadline);
MUST_USE enum rc channel_call(struct channel *c, struct buf *b, const int *fds, unsigned n_fds,
                              uint16_t reply_type, struct ipc_msg *ret, msec deadline);
void channel_release(struct channel **c, bool broken);

/* --- the answering side --- */
/* Handles one request: fills reply (already reset) with ipc_begin...; may set up to
 * IPC_FDS_MAX descriptors in reply_fds, which are closed after sending. RC_OK: send it; RC_INVALID: the
 * request was malformed or not permitted: refused, and the asker ends; anything else closes the channel.
 * *conn is NULL at a channel's first call and the handler's own state afterwards; it is freed by `closed`. */
struct channel_service {
    enum rc (*handle)(void *ctx, void **conn, struct ipc_msg *request, struct buf *reply, int *reply_fds,
                      unsigned *ret_n_fds);
    void (*closed)(void *ctx, void *conn);
    void (*link_closed)(void *ctx); /* the link and all its channels are closed; may be NULL */
    void *ctx;
    unsigned max_channels;
    size_t stack_size;
    bool large; /* messages of up to IPC_LARGE_MAX */
};
/* Serves a link in threads of its own: one waits for CHANNEL_OPEN, one for each channel. Returns at once. The
 * thread ends when the link closes; channels live until they close. */
MUST_USE enum rc channel_serve(int link_fd, const struct channel_service *svc);

#endif
