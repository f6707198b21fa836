/* admin: the queue as an administrator sees and changes it, from a process of its own, while the queue role
 * runs or not. Changes are one transaction; the role notices them within a second (queue/open.c) and looks at
 * its tables again.
 *
 * A command speaks of recipients: those that every given part of a filter matches. A message is gone when its
 * last recipient is. Times are milliseconds since 1970. */
#ifndef QUEUE_ADMIN_H
#define QUEUE_ADMIN_H

#include "queue/queue.h"

struct queue_admin;

/* Opens the database called path, made when missing. spool_dir: the folder of the spool files, stays the
 * caller's. Errors as queue_open. */
MUST_USE enum rc queue_admin_open(const char *path, int spool_dir, const struct conf *c,
                                  struct queue_admin **ret, struct err *e);
struct queue_admin *queue_admin_close(struct queue_admin *a); /* accepts NULL, returns NULL */
void queue_admin_closep(struct queue_admin **a);

/* What is not set does not matter; nothing set matches all. Texts compare without case. */
struct queue_filter {
    char *const *ids; /* messages; n_ids 0: all */
    size_t n_ids;
    str sender, recipient; /* whole addresses; "<>" is the empty sender */
    bool has_sender;
    str domain;             /* of the recipient */
    str reason;             /* a part of what queue_reason_put writes */
    int64_t arrived_before; /* 0: not set */
    uint64_t larger_than;   /* bytes, 0: not set */
    size_t most;            /* messages, the oldest; 0: not set */
};

enum queue_status { QUEUE_IS_QUEUED, QUEUE_IS_DEFERRED, QUEUE_IS_HELD, QUEUE_IS_FAILED };
const char *queue_status_name(enum queue_status s); /* "queued"... */

/* One recipient with its message. Texts are valid during the call that hands it over. */
struct queue_item {
    int64_t message, rcpt; /* rows */
    str id, sender, message_id, client, account;
    int64_t arrived, expires, hold_until, deliver_by; /* the last two: 0 for none */
    int priority;
    uint64_t size; /* with the header lines in front */
    str address, orig, site;
    enum queue_status status;
    bool frozen; /* held because its account is */
    unsigned attempts;
    int64_t tried; /* the last one, 0: none */
    int64_t next;  /* the next one; 0: none (held, failed) */
    int64_t dead;  /* the site is not tried before; 0: it is alive */
    int code;
    str dsn, reply, remote; /* of the last attempt */
    str site_reply;         /* why the site is dead */
};

/* "mx.example.net[192.0.2.9]:25 said 450 4.2.1 mailbox busy; next try in 12 minutes": why it is still here.
 */
void queue_reason_put(struct buf *out, const struct queue_item *item, int64_t now);
/* The remote's own words in a stored reply. */
str queue_reply_words(str reply);
/* "12 minutes", "1 day" */
void queue_duration_put(struct buf *out, msec t);

/* Calls fn for each recipient that matches, message by message, the oldest first. */
MUST_USE enum rc queue_admin_each(struct queue_admin *a, const struct queue_filter *f,
                                  void (*fn)(void *ctx, const struct queue_item *item), void *ctx,
                                  struct err *e);

enum queue_change {
    QUEUE_CHANGE_RETRY,   /* due now, and its site is alive; not what is held; never before hold_until */
    QUEUE_CHANGE_HOLD,    /* until released */
    QUEUE_CHANGE_RELEASE, /* due now, if it was held */
    QUEUE_CHANGE_DELETE,  /* without a word to the sender */
    QUEUE_CHANGE_REQUEUE, /* its way is looked up anew; due now, even if it was held */
    QUEUE_CHANGE_BOUNCE   /* returned to the sender */
};

/* Changes what matches in one transaction. *ret_messages: how many messages were changed. */
MUST_USE enum rc queue_admin_change(struct queue_admin *a, const struct queue_filter *f,
                                    enum queue_change change, size_t *ret_messages, struct err *e);

/* A message's envelope, with address, orig, orcpt and notify of its recipients, and its content, in the
 * arena, or its spool file in *ret_fd (else -1), which the caller closes. RC_GONE: there is none of this id.
 */
MUST_USE enum rc queue_admin_message(struct queue_admin *a, const char *id, struct arena *arena,
                                     struct queue_envelope *ret, str *ret_content, int *ret_fd,
                                     struct err *e);

/* What waits for one site, and the whole when name is empty. */
struct queue_stats {
    str name;
    uint64_t messages, recipients, held, failed;
    uint64_t size; /* of the messages */
    int64_t oldest;
    int64_t dead;
    str reply; /* the last one */
};

/* Sites with most recipients first, behind the total, which is the first; in the arena. RC_LIMIT: more sites
 * than it holds. */
MUST_USE enum rc queue_admin_stats(struct queue_admin *a, const struct queue_filter *f, struct arena *arena,
                                   struct queue_stats **ret, size_t *ret_n, struct err *e);

/* --- accounts whose mail to other servers is stopped (outbound.h) --- */
/* Does nothing when it is frozen already. */
MUST_USE enum rc queue_admin_freeze(struct queue_admin *a, str account, const char *reason, struct err *e);
/* What was held is due, and counting begins anew. RC_GONE: it is not frozen. */
MUST_USE enum rc queue_admin_unfreeze(struct queue_admin *a, str account, struct err *e);
/* Calls fn for each, the longest frozen first. since: milliseconds since 1970. */
MUST_USE enum rc queue_admin_each_frozen(struct queue_admin *a,
                                         void (*fn)(void *ctx, str account, int64_t since, str reason),
                                         void *ctx, struct err *e);

#endif
