/* queue_impl: what the files of this folder share, and nobody else sees.
 *
 * Three handles on one database: `writer` belongs to the committing thread (commit.c), which runs every
 * change; `reader` is used under `lock`, together with the scheduler's memory (sched.c); the third one's
 * thread syncs what the first one wrote (sync.c). */
#ifndef QUEUE_IMPL_H
#define QUEUE_IMPL_H

#include "base/map.h"
#include "fmt/bounce_template.h"
#include "os/db.h"
#include "queue/queue.h"
#include "queue/spool.h"
#include "table/settings.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#define QUEUE_NEVER INT64_MAX /* a due time: held, or no work */

enum queue_state { RCPT_WAITS, RCPT_FAILED /* its bounce is not written yet */ };

/* --- committing (commit.c) --- */
/* An operation is first written (committed to the database's log: others see it, and it outlives this
 * process) and lasts a moment later (synced: it outlives the machine, too). */
struct queue_op {
    /* Runs inside a transaction, maybe twice (when a batch has to be split up), so it changes nothing but the
     * database and what `arg` gathers anew at each run. Anything but RC_OK undoes it alone. */
    enum rc (*run)(struct queue *q, void *arg, struct err *e);
    /* When it is written (rc RC_OK) or failed; may be NULL. */
    void (*after)(struct queue *q, void *arg, enum rc rc);
    void *arg;
    struct err e;
    enum rc rc;
    bool written;
    sem_t done; /* when somebody waits */
    bool detached;
    struct queue_op *next;
};
MUST_USE enum rc queue_commit_start(struct queue *q);
void queue_commit_stop(struct queue *q); /* after what waits is committed, and lasts */
/* Waits until everything lasts that came before. */
MUST_USE enum rc queue_commit_all(struct queue *q);
/* Waits until op lasts. When it could not be synced it failed, but op->written says that others see it. */
MUST_USE enum rc queue_commit(struct queue *q, struct queue_op *op);
/* Does not wait, also not for the next commit, which may be some milliseconds away: op and arg live on until
 * `after`, which frees both. */
void queue_commit_later(struct queue *q, struct queue_op *op);
/* Waits while too much is pending; never call it with queue.lock held, which `after` may take. */
void queue_commit_throttle(struct queue *q);

struct departed;
struct transit;

/* --- syncing (sync.c) --- */
struct sync;
/* db: a handle of its own, which it closes. lasting: the last row that an earlier process may have written.
 */
MUST_USE enum rc sync_new(struct db *db, struct spool *spool, int64_t lasting, struct sync **ret,
                          struct err *e);
struct sync *sync_free(struct sync *s); /* when everything lasts; accepts NULL */
/* Something was written, rows up to this one: within a moment it will last. */
void sync_note(struct sync *s, int64_t row);
/* Waits until the row lasts, which it makes sure of; false: not before the deadline. */
bool sync_until(struct sync *s, int64_t row, msec deadline);
/* Lets the owners of these operations, which are written, go on when all that was written so far lasts. */
void sync_wait(struct sync *s, struct queue_op *list);
/* Releases a spool file once it lasts that its message has left: sooner, a power cut could bring back the
 * message without its content. */
void sync_release(struct sync *s, int64_t file);
/* The disk does not take what is written: nothing may be accepted. */
bool sync_fails(const struct sync *s);

/* --- sites and lanes (sched.c) --- */
struct sched;
struct sched *sched_new(void);
struct sched *sched_free(struct sched *s);
struct queue_touched { /* a lane that got work */
    int64_t site, lane;
    int priority;
};
/* There may be work in this lane; called after a commit. */
void sched_note(struct queue *q, const struct queue_touched *t);
/* Something in the tables is due then, and not before; called after a commit. */
void sched_due(struct queue *q, int64_t due);

struct queue {
    const struct conf *_Atomic conf;
    const struct table_settings *tables; /* or NULL */
    struct spool *spool;
    struct bounce_template words[BOUNCE_TEMPLATES]; /* of notifications, where has_words; in the arena */
    bool has_words[BOUNCE_TEMPLATES];
    struct arena *words_arena; /* or NULL */
    struct db *writer, *reader;
    int64_t clock_base; /* of queue_now */
    _Atomic int64_t noted,
        noted_ahead;          /* when the clock was written down, and how far the wall clock was ahead */
    int64_t first_row;        /* next_row when it was opened */
    _Atomic int64_t next_row; /* of all tables: no number is used twice while this process lives */
    pthread_mutex_t lock;     /* reader, sched */
    pthread_cond_t changed[QUEUE_KINDS]; /* by kind: takers wait */
    pthread_cond_t stops;                /* the housekeeper waits */
    struct sched *sched;
    atomic_bool stopping;
    struct queue_op *unwritten; /* reports that could not be committed; under lock */
    unsigned n_unwritten;       /* these, and those that are being tried again */
    pthread_t housekeeper;
    int64_t data_version; /* of the database as other processes changed it */

    pthread_mutex_t commit_lock;
    pthread_cond_t commit_wanted, commit_less; /* less: the backlog has shrunk */
    struct queue_op *pending, **pending_end;
    size_t n_pending, n_awaited, n_throttled;
    msec detached_since; /* the first pending one that nobody waits for; clock_mono() */
    bool commit_ending;
    atomic_bool wants_checkpoint; /* the disk is nearly full: the database's log is to be emptied */
    pthread_t committer;
    struct sync *sync;
    struct departed *departed;
    struct transit *transit; /* NULL: there is no room for it */
};

/* --- time (now.c) --- */
/* The wall clock can be set. What must not happen earlier or later for that goes by the queue's own clock:
 * when something is due or retried, when a message expires and its sender is warned. That one begins as the
 * wall clock, goes on with the kernel's, and keeps going on from where it was when the queue is opened again.
 * What people see (arrived, tried), and what is a time of day (hold_until, deliver_by), is by the wall clock.
 */
static inline int64_t queue_wall(void)
{
    return clock_wall() / 1000;
}
/* Never goes back while this process lives. */
static inline int64_t queue_now(const struct queue *q)
{
    return clock_boot() + q->clock_base;
}
/* An instant of one clock on the other one, a millisecond more or less. */
static inline int64_t queue_time_of_wall(const struct queue *q, int64_t wall)
{
    return wall - queue_wall() + queue_now(q);
}
static inline int64_t queue_wall_of_time(const struct queue *q, int64_t time)
{
    return time - queue_now(q) + queue_wall();
}
MUST_USE enum rc queue_clock_schema(struct db *db, struct err *e);
/* Sets the clock from the tables, for who only looks at them. */
MUST_USE enum rc queue_clock_read(struct queue *q, struct err *e);
/* The same for the role. */
MUST_USE enum rc queue_clock_open(struct queue *q, struct err *e);
/* Writes it down, inside an operation; wanted when it is old and a message comes. */
MUST_USE enum rc queue_clock_write(struct queue *q, struct err *e);
bool queue_clock_is_old(const struct queue *q);
/* Writes it down once a minute, and when the wall clock was set, while messages wait. Called every second. */
void queue_clock_keep(struct queue *q);

/* When a message that comes now is given up. */
int64_t queue_expires(const struct queue *q, const struct queue_envelope *v);

/* --- the tables (schema.c) --- */
MUST_USE enum rc queue_schema(struct db *db, struct err *e);

/* --- rows (rows.c); all inside an operation --- */
static inline int64_t rows_new(struct queue *q)
{
    return atomic_fetch_add(&q->next_row, 1);
}

struct queue_touches {
    struct queue_touched v[64];
    size_t n; /* what does not fit is found by the scheduler's next look at the tables */
};
struct queue_content {
    int64_t file; /* the number of its spool file; 0: it is here */
    str bytes;
};
struct queue_gone { /* whether a message left the tables, and */
    bool is;
    int64_t file; /* the spool file that nobody needs any more; 0: none */
};
struct queue_message_row { /* where a recipient goes */
    int64_t n;
    str id, sender;
    int priority;
    size_t rcpts;  /* of the whole message */
    bool numbered; /* its recipients have their numbers already */
};
/* The recipients of a message that have one sender and head, and the sites where they go. */
struct queue_part {
    struct queue_envelope v;
    str head;
    const str *sites;
};
struct queue_parts {
    struct queue_part *v;
    size_t n;
};
/* *n: its number, 0 for a new one. */
MUST_USE enum rc rows_add_message(struct queue *q, const struct queue_envelope *v,
                                  const struct queue_content *content, int64_t *n, struct err *e);
/* The message once more for a part, with its id, its sender, and its head in front; the recipients are not
 * copied. What has a head was sent on by its recipient, and counts no longer as sent by the account. */
MUST_USE enum rc rows_copy_message(struct queue *q, int64_t message, const struct queue_part *part,
                                   int64_t *ret_n, struct err *e);
/* Adds a recipient that is due at `due` to the site of this name. */
MUST_USE enum rc rows_add_rcpt(struct queue *q, const struct queue_message_row *m, const struct queue_rcpt *r,
                               str site, int64_t due, struct queue_touches *t, struct err *e);
/* Removes the message when it has no recipients left. */
MUST_USE enum rc rows_drop_message(struct queue *q, int64_t message, struct queue_gone *ret, struct err *e);
/* An envelope's message part, from the reader or the writer. RC_GONE: deleted meanwhile. content: NULL when
 * not wanted. */
MUST_USE enum rc rows_read_message(struct db *db, int64_t message, struct arena *a,
                                   struct queue_envelope *ret, struct queue_content *content, struct err *e);

/* --- where mail for an address goes (route.c) --- */
/* Puts the name of a recipient's site (site_name.h) into the empty *ret, of QUEUE_SITE_MAX bytes. t: NULL for
 * no tables. RC_TEMP: a table cannot answer, e says why; the mail waits then and takes no other way. May
 * block no longer than the tables do; never called inside an operation. */
MUST_USE enum rc queue_route(const struct conf *c, const struct table_settings *t, str sender,
                             const struct queue_rcpt *rcpt, struct buf *ret, struct err *e);
/* The same in the arena; "route:" when a table cannot answer. */
str queue_site_of(const struct queue *q, str sender, const struct queue_rcpt *r, struct arena *a);
/* Routes a job's recipients again. True: some do not stay; they were moved or deferred and the job is over.
 */
bool queue_reroute(struct queue *q, const struct queue_job *job, struct arena *a);

/* True: the job is for one of defer_transports; it was deferred and is over (defer.c). */
bool queue_defer(struct queue *q, const struct queue_job *job);

/* Parts a message's recipients by sender and head, and looks up where they go (parts.c). The first part has
 * the message's id, the others get their own. false: the arena is exhausted. */
MUST_USE bool queue_parts_make(struct queue *q, const struct queue_envelope *v, struct arena *a,
                               struct queue_parts *ret);

/* --- reports and bounces --- */
/* Recipients that come with a report (added.c). */
struct queue_added {
    struct queue_parts parts;
    bool gone;     /* the message was deleted meanwhile: they are not added */
    uint64_t size; /* of the message, for the log */
};
/* Copies them into the arena and looks up where they go; called without lock and outside of an operation.
 * false: the arena is exhausted. */
MUST_USE bool added_make(struct queue *q, const struct queue_report *r, struct arena *a,
                         struct queue_added *ret);
/* Inside an operation: puts them in, as recipients of `message`, whose envelope is *v, or of a copy of it. */
MUST_USE enum rc added_put(struct queue *q, struct queue_added *added, int64_t message,
                           const struct queue_envelope *v, struct queue_touches *t, struct err *e);
/* After the operation, when it was written: logs them. */
void added_log(const struct queue_added *added, str id);

/* A delivery status notification for recipients of a message, inside an operation (bounce.c). */
enum bounce_kind { BOUNCE_FAILURE, BOUNCE_DELAY, BOUNCE_SUCCESS };
struct bounce_rcpt {
    struct queue_rcpt rcpt;
    enum queue_result result;
    str status, reply, remote;
    int64_t tried;
    bool cleared; /* with BOUNCE_SUCCESS: its delay was told, and so is its end (confirm_delay_cleared) */
};
MUST_USE enum rc bounce_put(struct queue *q, enum bounce_kind kind, int64_t message,
                            const struct queue_envelope *v, const struct bounce_rcpt *rcpts, size_t n,
                            struct queue_touches *t, struct err *e);

/* Logs that a message came into the queue (put.c). */
void queue_log_active(const struct queue_envelope *v);

/* Wakes the takers of all kinds; with queue.lock held. */
void queue_wake_all(struct queue *q);

/* A message of our own, without a sender, to an address here. */
struct queue_own {
    str to, id, content;
    str via; /* fmt/via.h: filters that it goes through; empty: none */
    unsigned flags;
    int priority;
};
/* Puts it; inside an operation (bounce.c). */
MUST_USE enum rc queue_put_own(struct queue *q, const struct queue_own *own, struct queue_touches *t,
                               struct err *e);

/* Tries the oldest report again that could not be committed (report.c). Called every second. */
void queue_rewrite(struct queue *q);

/* --- time-outs of messages (timer.c) --- */
/* Expires, warns and bounces what is due now; true when there may be more. Called by the housekeeping thread.
 */
bool queue_run_timers(struct queue *q);

#endif
