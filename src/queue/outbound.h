/* outbound: how much mail an account sends to other servers, and the breaker that stops an account that
 * behaves as stolen ones do. All but outbound_country inside operations of the committing thread.
 *
 * Counted by account and clock hour, kept for 30 days. A frozen account's new mail for other servers is
 * refused, its queued mail is held until `malle user unfreeze`, and the user and the postmaster are told.
 * Reading mail and mail for this server are not touched. */
#ifndef QUEUE_OUTBOUND_H
#define QUEUE_OUTBOUND_H

#include "queue/queue_impl.h"

enum { HELD_BY_ADMIN = 1, HELD_BY_BREAKER = 2 }; /* rcpt.held */

MUST_USE enum rc outbound_schema(struct db *db, struct err *e);
/* The country from which the account sends, by outbound_country_maps, in the arena; empty when that is not
 * known. May ask a server. */
str outbound_country(const struct queue *q, const struct queue_envelope *v, struct arena *a);
/* Counts a message for rcpts recipients elsewhere; country as of outbound_country. *ret_why: not set when it
 * may go; else RC_TEMP with the reply for the client, and nothing of the message may be kept (what the
 * breaker wrote stays). */
MUST_USE enum rc outbound_admit(struct queue *q, const struct queue_envelope *v, str country, size_t rcpts,
                                struct err *ret_why, struct queue_touches *t, struct err *e);
/* Recipients elsewhere whom the message could never reach. */
MUST_USE enum rc outbound_note_failed(struct queue *q, const struct queue_envelope *v, size_t rcpts,
                                      struct queue_touches *t, struct err *e);
/* Stops the account; does nothing when it is stopped already. */
MUST_USE enum rc outbound_freeze(struct queue *q, str account, const char *reason, struct queue_touches *t,
                                 struct err *e);

#endif
