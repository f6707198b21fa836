/* local_delivery: one message into mailboxes of this server, through the `deliver` processes of their owners'
 * uids. Used by smtpd and submission while the sender waits, and by queue afterwards.
 *
 * In the usual case, one uid and few recipients, prepare and commit are one message and one answer. */
#ifndef ROLE_LOCAL_DELIVERY_H
#define ROLE_LOCAL_DELIVERY_H

#include "conf/conf.h"
#include "os/channel.h"
#include "role/deliver_msg.h"
#include "smtp/smtp_env.h"

/* Channels to the deliver processes, a pool per uid. Thread-safe; lives as long as the process. */
struct deliver_pools;
struct deliver_pools *deliver_pools_new(void);
void deliver_pools_expire(struct deliver_pools *d,
                          msec idle_ms);            /* lets go of what is unused: the process may end */
void deliver_pools_forget(struct deliver_pools *d); /* the same now, busy channels when they are released */

struct local_env {
    struct deliver_pools *pools;
    struct channel_pool *mailbox; /* where links to deliver processes come from */
    const struct conf *conf;
    struct buf *ipc; /* created with IPC_MAX; the calling thread's */
};

enum { LOCAL_IPC_TIMEOUT_MS = 30000 };

/* Whether the mailbox of a target of this server has room for so many bytes. RC_LIMIT, RC_PERM: it is full;
 * RC_TEMP: nobody says. */
MUST_USE enum rc local_room(const struct local_env *env, const struct smtp_target *target, uint64_t bytes,
                            struct err *e);

struct local_delivery;

/* Prepares all recipients of *d, whose content is `content` or, with content_fd >= 0, that descriptor (the
 * caller's); fills every d->rcpts[].result. how: DELIVER_HOLD, or what to do at once where that is possible;
 * see local_is_committed. RC_TEMP: no descriptors; nothing was done. env, d and content must live until
 * local_end. */
MUST_USE enum rc local_prepare(const struct local_env *env, struct smtp_delivery *d, str content,
                               int content_fd, enum deliver_commit how, struct local_delivery **ret);
/* Whether prepare has done all there is to do. */
bool local_is_committed(const struct local_delivery *t);
bool local_all_fine(const struct smtp_delivery *d);
/* Commits all or nothing, or each that was prepared; the results say what became of them. */
void local_commit(struct local_delivery *t, enum deliver_commit how);
/* Aborts what was not committed. Accepts NULL, returns NULL. */
struct local_delivery *local_end(struct local_delivery *t);

#endif
