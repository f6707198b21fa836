/* transit: mail that is likely to leave at once, and does so without a row in the tables. It is written to a
 * log of its own (transit_log.h), handed out from memory, and forgotten when it was delivered. What does not
 * leave within half a second, or not entirely, goes to the tables, and so does what a process before this one
 * left: all else is as if it had been there from the beginning. doc/queue.md has the conditions.
 *
 * A message here is owned by the list of all; a job points to it, and so does its site's queue while nobody
 * has taken it. All is under queue.lock but where it says otherwise. */
#ifndef QUEUE_TRANSIT_H
#define QUEUE_TRANSIT_H

#include "queue/sched_impl.h"

struct transit_message {
    struct arena *arena;          /* everything of it */
    str envelope;                 /* v as bytes */
    struct queue_envelope v;      /* its recipients have their numbers */
    struct queue_content content; /* without bytes where there is */
    int memory;                   /* a sealed memory file that has them; -1: none */
    str site_name;
    int64_t n; /* the message's number */
    size_t bytes;
    msec since; /* when it came; 0: it goes to the tables at once */
    unsigned segment;
    bool there;                   /* its sender may be told so */
    bool logged;                  /* the log has it */
    bool running;                 /* a job has it */
    bool waiting;                 /* in its site's queue */
    bool moving;                  /* to the tables: an operation is under way */
    atomic_bool moved;            /* it is in the tables, of which the log does not know yet */
    struct queue_touched touched; /* where it is there */
    struct sched_site *site;      /* while it is waiting */
    struct transit_message *next_waiting, *next, *prev;
};

/* Puts what an earlier process left into the tables, where it lasts then; the queue is not in use yet. *row:
 * no number that was given out lies at or above it. */
MUST_USE enum rc transit_open(struct queue *q, int dir_fd, bool may_make, int64_t *row, struct err *e);
void transit_start(struct queue *q);
/* Ends the thread; what is there stays in the log. */
void transit_stop(struct queue *q);
void transit_close(struct queue *q);
/* Makes last what was forgotten; when the queue stops, what is left goes to the tables first. Without the
 * lock. */
void transit_flush(struct queue *q);

/* Without the lock. RC_OK: the message lasts, and was offered; RC_GONE: it has to go to the tables.
 * memory: as in queue_put.
 * *ret_logged: that it came was logged. */
MUST_USE enum rc transit_put(struct queue *q, const struct queue_part *part,
                             const struct queue_content *content, int memory, bool *ret_logged);
/* Whether a message of this id is here, and lasts: its sender asks again. Without the lock; waits. */
bool transit_has(struct queue *q, str id);

/* The next one that waits at a site; a job's, from here on. NULL: none. */
struct transit_message *transit_next(struct sched_site *site);
/* Its job is over without a word of it, or with one that could not be written. */
void transit_back(struct queue *q, struct transit_message *m);
/* Its job is over, and what is left of it is in the tables. */
void transit_moved(struct queue *q, struct transit_message *m);
/* Whether it can be forgotten when all its recipients are delivered. */
static inline bool transit_is_alone(const struct transit_message *m)
{
    return !m->moving && !m->moved;
}
/* It was delivered, entirely: takes it out of the lists, */
void transit_take_out(struct queue *q, struct transit_message *m);
/* and forgets and frees it; without the lock. */
void transit_forget(struct queue *q, struct transit_message *m);
/* The site leaves: what waits there goes to the tables. */
void transit_leave(struct queue *q, struct sched_site *site);
/* Inside an operation: puts its rows into the tables, unless that was done before, and marks it as moved. */
MUST_USE enum rc transit_write(struct queue *q, const struct transit_message *m, struct queue_touches *t,
                               struct err *e);

#endif
