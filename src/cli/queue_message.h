/* queue_message: what waits, message by message and in Postfix's terms, for mailq and the programs of
 * Postfix that speak of the queue. */
#ifndef CLI_QUEUE_MESSAGE_H
#define CLI_QUEUE_MESSAGE_H

#include "base/arena.h"
#include "queue/admin.h"

/* Postfix's queues. A message lies in hold when something of it is held; in active while a recipient has not
 * been tried yet or is being returned; else in deferred. */
enum queue_place { QUEUE_PLACE_ACTIVE, QUEUE_PLACE_DEFERRED, QUEUE_PLACE_HOLD };
const char *queue_place_name(enum queue_place place); /* "active"... */

struct queue_message_rcpt {
    str address;
    str reason; /* why it is still here, as Postfix says it; empty: it was not tried */
};

struct queue_message {
    str id, sender; /* sender: MAILER-DAEMON for <> */
    enum queue_place place;
    int64_t arrived; /* milliseconds since 1970 */
    uint64_t size;
    struct queue_message_rcpt *rcpts;
    size_t n;
};

/* Whether it can be the id of a message. */
bool queue_message_is_id(str s);

/* Calls fn for each message that has a recipient which matches, the oldest first; of its recipients those
 * that match. What fn is given is valid during the call. RC_LIMIT: a message has too many recipients. */
MUST_USE enum rc queue_message_each(struct queue_admin *a, const struct queue_filter *f,
                                    void (*fn)(void *ctx, const struct queue_message *m), void *ctx,
                                    struct err *e);

/* cmd_mailq.c: prints the queue in the columns of Postfix's mailq, or as the JSON of postqueue -j. */
MUST_USE enum rc mailq_print(struct queue_admin *a, struct err *e);
MUST_USE enum rc mailq_print_json(struct queue_admin *a, struct err *e);

#endif
