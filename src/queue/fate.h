/* fate: recipients that are through, and what their sender is told. Inside operations of the committing
 * thread.
 */
#ifndef QUEUE_FATE_H
#define QUEUE_FATE_H

#include "queue/queue_impl.h"

/* Recipients that could never be delivered are marked, and told of together: at once when no other recipient
 * of the message is still before its first attempt, else FATE_WAIT_MS later. */
enum { FATE_WAIT_MS = 60000 };

MUST_USE enum rc fate_mark_failed(struct queue *q, int64_t rcpt, const struct queue_outcome *o,
                                  struct err *e);
/* Tells of the marked recipients if it is time (or force), and drops the message when nothing is left of it.
 * v: NULL to have it read when needed. */
MUST_USE enum rc fate_conclude(struct queue *q, int64_t message, const struct queue_envelope *v, bool force,
                               struct queue_touches *t, struct queue_gone *ret, struct err *e);
/* Tells of recipients that still wait: with this status (RFC 3463), or the one that was heard when empty. */
MUST_USE enum rc fate_warn(struct queue *q, int64_t message, const struct queue_envelope *v, str status,
                           struct queue_touches *t, struct err *e);

#endif
