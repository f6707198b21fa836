/* queue_client: handing a message to the role `queue` over a channel. */
#ifndef ROLE_QUEUE_CLIENT_H
#define ROLE_QUEUE_CLIENT_H

#include "os/channel.h"
#include "queue/queue.h"

/* Asks `queue` to keep the message; durable on RC_OK. content, or with spool_fd >= 0 a file that `queue`
 * lent. RC_TEMP with e: not kept, or not known whether. */
MUST_USE enum rc queue_client_put(struct channel_pool *queue, const struct queue_envelope *v, str content,
                                  int spool_fd, msec deadline, struct err *e);

#endif
