/* Group commit: one thread takes all operations that wait and runs them in one transaction; another one syncs
 * (sync.c) while the next ones are run. When one operation of a batch fails, the batch is rolled back and
 * each runs alone. Operations that nobody waits for go with those of others, or after a moment. */
#include "base/log.h"
#include "os/thread.h"
#include "queue/queue_impl.h"

#include <errno.h>

enum { BATCH_MAX = 256, BACKLOG_MAX = 32, DETACHED_MAX = 32, DETACHED_MS = 5 };

static void enqueue(struct queue *q, struct queue_op *op)
{
    op->next = NULL;
    *q->pending_end = op;
    q->pending_end = &op->next;
    q->n_pending++;
    q->n_awaited += !op->detached;
    if (op->detached && q->n_pending - q->n_awaited == 1)
        q->detached_since = clock_mono();
    if (!op->detached || q->n_pending == 1 || q->n_pending == DETACHED_MAX)
        pthread_cond_signal(&q->commit_wanted);
}

static bool is_due(const struct queue *q)
{
    return q->commit_ending || q->n_awaited > 0 || q->n_pending >= DETACHED_MAX ||
           (q->n_pending > 0 && clock_mono() - q->detached_since >= DETACHED_MS);
}

static void wait_until_due(struct queue *q)
{
    while (!is_due(q)) {
        if (q->n_pending > 0)
            (void)thread_cond_wait(&q->commit_wanted, &q->commit_lock, clock_mono() + DETACHED_MS);
        else
            pthread_cond_wait(&q->commit_wanted, &q->commit_lock);
    }
}

static struct queue_op *take_batch(struct queue *q)
{
    struct queue_op *batch = q->pending, **end = &batch;
    for (size_t i = 0; i < BATCH_MAX && *end; i++, q->n_pending--) {
        q->n_awaited -= !(*end)->detached;
        end = &(*end)->next;
    }
    q->pending = *end;
    if (!q->pending)
        q->pending_end = &q->pending;
    *end = NULL;
    return batch;
}

static enum rc run_all(struct queue *q, struct queue_op *first, struct queue_op *stop)
{
    struct err e = {0};
    enum rc rc = db_begin(q->writer, false, &e);
    if (rc != RC_OK)
        first->e = e;
    for (struct queue_op *op = first; rc == RC_OK && op != stop; op = op->next)
        rc = op->run(q, op->arg, &op->e);
    if (rc == RC_OK)
        return db_commit(q->writer, &first->e);
    db_rollback(q->writer);
    q->noted = 0; /* maybe that was undone */
    return rc;
}

static void run_batch(struct queue *q, struct queue_op *batch)
{
    enum rc rc = run_all(q, batch, NULL);
    for (struct queue_op *op = batch; op; op = op->next) {
        op->rc = rc;
        if (rc != RC_OK && batch->next) {
            op->e = (struct err){0};
            op->rc = run_all(q, op, op->next);
        }
        if (op->rc != RC_OK)
            log_error("queue: %s", err_text(&op->e));
    }
}

/* Calls every after(), which ends the detached ones, and lets those go on who waited in vain; returns the
 * others, whose owners wait until they last. */
static struct queue_op *finish_batch(struct queue *q, struct queue_op *batch)
{
    struct queue_op *written = NULL;
    for (struct queue_op *op = batch, *next; op; op = next) {
        bool waited = !op->detached;
        next = op->next;
        if (op->after)
            op->after(q, op->arg, op->rc);
        if (!waited)
            continue; /* it may be gone */
        if (op->rc != RC_OK) {
            sem_post(&op->done);
            continue;
        }
        op->written = true;
        op->next = written;
        written = op;
    }
    return written;
}

static void checkpoint(struct queue *q)
{
    struct err e = {0};
    if (db_script(q->writer, "PRAGMA wal_checkpoint(TRUNCATE)", &e) != RC_OK)
        log_error("queue: the log of the database cannot be emptied: %s", err_text(&e));
}

static void *committer_main(void *arg)
{
    struct queue *q = arg;
    pthread_mutex_lock(&q->commit_lock);
    for (;;) {
        wait_until_due(q);
        if (!q->pending)
            break;
        struct queue_op *batch = take_batch(q);
        pthread_mutex_unlock(&q->commit_lock);
        int64_t before = db_total_changes(q->writer);
        run_batch(q, batch);
        if (db_total_changes(q->writer) != before)
            sync_note(q->sync, q->next_row - 1);
        if (atomic_exchange(&q->wants_checkpoint, false))
            checkpoint(q);
        sync_wait(q->sync, finish_batch(q, batch));
        pthread_mutex_lock(&q->commit_lock);
        if (q->n_throttled > 0)
            pthread_cond_broadcast(&q->commit_less);
    }
    pthread_mutex_unlock(&q->commit_lock);
    return NULL;
}

enum rc queue_commit_start(struct queue *q)
{
    q->pending_end = &q->pending;
    must(thread_mutex_init(&q->commit_lock) == RC_OK && thread_cond_init(&q->commit_wanted) == RC_OK &&
         pthread_cond_init(&q->commit_less, NULL) == 0);
    return pthread_create(&q->committer, NULL, committer_main, q) == 0 ? RC_OK : RC_TEMP;
}

void queue_commit_stop(struct queue *q)
{
    pthread_mutex_lock(&q->commit_lock);
    q->commit_ending = true;
    pthread_cond_signal(&q->commit_wanted);
    pthread_mutex_unlock(&q->commit_lock);
    pthread_join(q->committer, NULL);
    q->sync = sync_free(q->sync);
}

enum rc queue_commit(struct queue *q, struct queue_op *op)
{
    must(sem_init(&op->done, 0, 0) == 0);
    pthread_mutex_lock(&q->commit_lock);
    op->detached = false;
    enqueue(q, op);
    pthread_mutex_unlock(&q->commit_lock);
    while (sem_wait(&op->done) != 0)
        must(errno == EINTR);
    sem_destroy(&op->done);
    return op->rc;
}

void queue_commit_later(struct queue *q, struct queue_op *op)
{
    pthread_mutex_lock(&q->commit_lock);
    op->detached = true;
    enqueue(q, op);
    pthread_mutex_unlock(&q->commit_lock);
}

void queue_commit_throttle(struct queue *q)
{
    pthread_mutex_lock(&q->commit_lock);
    q->n_throttled++;
    while (q->n_pending > BACKLOG_MAX)
        pthread_cond_wait(&q->commit_less, &q->commit_lock);
    q->n_throttled--;
    pthread_mutex_unlock(&q->commit_lock);
}
