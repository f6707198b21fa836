/* Shared by the files of the smtpd and submission roles: one process that accepts, and what a session asks of
 * it. */
#ifndef ROLE_SMTPD_IMPL_H
#define ROLE_SMTPD_IMPL_H

#include "os/channel.h"
#include "role/accept.h"
#include "role/client_limit.h"
#include "role/rcpt_cache.h"
#include "role/role.h"
#include "smtp/session.h"

#include <pthread.h>
#include <stdatomic.h>

struct deliver_pools;
struct resolver;

struct smtpd {
    struct role *role;
    struct channel_pool *auth, *sasl, *mailbox,
        *queue; /* sasl: an exchange holds its channel while the client thinks */
    struct deliver_pools *deliver;
    struct rcpt_cache *rcpts;
    struct resolver *resolver;
    struct client_limit *clients;
    struct tls_slot tls;
    atomic_bool stopping;
};

struct content { /* what smtp_env's content functions keep */
    struct buf memory;
    int file; /* borrowed spool file, -1: all is in memory */
    uint64_t bytes;
    size_t memory_max;
};

struct smtpd_session { /* the context of smtp_env */
    struct smtpd *server;
    const struct conf *conf;
    struct content content;
    struct buf ipc;            /* requests and replies */
    struct channel *sasl;      /* an exchange under way */
    struct ipc_msg sasl_reply; /* views of it are handed out */
    char client_address[64];
};

enum { SMTPD_IPC_TIMEOUT_MS = 30000 };

extern const struct smtp_env smtpd_env;      /* smtpd_env.c */
extern const struct smtp_env smtpd_lmtp_env; /* the same without AUTH */

/* smtpd_content.c */
enum rc content_new(void *ctx, uint64_t announced_bytes);
enum rc content_append(void *ctx, str bytes);
void content_discard(void *ctx);
/* A descriptor of the whole content for sending: a sealed memory file of its own (*ret_own) or the spool
 * file. */
MUST_USE enum rc content_fd(struct content *c, int *ret_fd, bool *ret_own);

/* smtpd_deliver.c */
struct deliver_pools *deliver_pools_new(void);
void deliver_pools_expire(struct deliver_pools *d,
                          msec idle_ms);            /* lets go of what is unused: the process may end */
void deliver_pools_forget(struct deliver_pools *d); /* the same now, busy channels when they are released */
enum rc smtpd_deliver(void *ctx, struct smtp_delivery *d);

#endif
