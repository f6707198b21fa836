/* The thread that makes last what the committing one has written (commit.c). While it syncs, the next
 * transactions are written, and the next sync is for all of them. What nobody waits for is synced a moment
 * later, so of mail that leaves at once only the coming in costs a sync. */
#include "base/log.h"
#include "os/thread.h"
#include "queue/queue_impl.h"

enum { LATER_MS = 200 };

struct leaving { /* a spool file */
    struct leaving *next;
    int64_t file;
};

struct sync {
    struct db *db;
    struct spool *spool;
    pthread_mutex_t lock;
    pthread_cond_t wanted, lasts;
    struct queue_op *waiting;
    struct leaving *leaving;
    int64_t written, lasting; /* rows up to these */
    int64_t asked;            /* somebody waits until this row lasts */
    msec since;               /* something is not synced since then; clock_mono(), 0: nothing */
    bool ending;
    atomic_bool fails;
    pthread_t thread;
};

static bool is_asked(const struct sync *s)
{
    return s->asked > s->lasting && s->written > s->lasting && !s->fails;
}

static bool is_due(const struct sync *s)
{
    return s->waiting || s->ending || is_asked(s) || (s->since && clock_mono() - s->since >= LATER_MS);
}

static void wait_until_due(struct sync *s)
{
    while (!is_due(s)) {
        if (s->since)
            (void)thread_cond_wait(&s->wanted, &s->lock, clock_mono() + LATER_MS);
        else
            pthread_cond_wait(&s->wanted, &s->lock);
    }
}

static void let_go_on(struct queue_op *list, enum rc rc, const struct err *e)
{
    for (struct queue_op *op = list, *next; op; op = next) {
        next = op->next;
        op->rc = rc;
        op->e = *e;
        sem_post(&op->done); /* its owner may be gone after this */
    }
}

static void release(struct sync *s, struct leaving *list)
{
    for (struct leaving *l = list, *next; l; l = next) {
        next = l->next;
        spool_release(s->spool, l->file);
        free(l);
    }
}

static void put_back(struct sync *s, struct leaving *list)
{
    while (list) {
        struct leaving *next = list->next;
        list->next = s->leaving;
        s->leaving = list;
        list = next;
    }
}

/* With the lock, which is open while the disk works. */
static void sync_once(struct sync *s)
{
    struct err e = {0};
    struct queue_op *waiting = s->waiting;
    struct leaving *leaving = s->leaving;
    bool anything = s->since || s->fails;
    int64_t written = s->written;
    s->waiting = NULL;
    s->leaving = NULL;
    s->since = 0;
    pthread_mutex_unlock(&s->lock);
    enum rc rc = anything ? db_sync(s->db, &e) : RC_OK;
    if (rc != RC_OK && !s->fails)
        log_error("queue: the database cannot be synced: %s", err_text(&e));
    s->fails = rc != RC_OK;
    let_go_on(waiting, rc, &e);
    if (rc == RC_OK)
        release(s, leaving);
    pthread_mutex_lock(&s->lock);
    if (rc == RC_OK) {
        s->lasting = written;
        pthread_cond_broadcast(&s->lasts);
        return;
    }
    put_back(s, leaving);
    s->since = clock_mono(); /* try again */
}

static void *sync_main(void *arg)
{
    struct sync *s = arg;
    pthread_mutex_lock(&s->lock);
    do {
        wait_until_due(s);
        sync_once(s);
    } while (!s->ending);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

enum rc sync_new(struct db *db, struct spool *spool, int64_t lasting, struct sync **ret, struct err *e)
{
    struct sync *s = calloc(1, sizeof *s);
    must(s);
    s->db = db;
    s->spool = spool;
    s->written = s->lasting = lasting;
    enum rc rc = db_sync(db, e); /* what a process before this one wrote */
    if (rc != RC_OK) {
        db_close(db);
        free(s);
        return rc;
    }
    must(thread_mutex_init(&s->lock) == RC_OK && thread_cond_init(&s->wanted) == RC_OK &&
         thread_cond_init(&s->lasts) == RC_OK);
    must(pthread_create(&s->thread, NULL, sync_main, s) == 0);
    *ret = s;
    return RC_OK;
}

struct sync *sync_free(struct sync *s)
{
    if (!s)
        return NULL;
    pthread_mutex_lock(&s->lock);
    s->ending = true;
    pthread_cond_signal(&s->wanted);
    pthread_cond_broadcast(&s->lasts);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    while (s->leaving) { /* their messages may come back, so these stay */
        struct leaving *next = s->leaving->next;
        free(s->leaving);
        s->leaving = next;
    }
    db_close(s->db);
    free(s);
    return NULL;
}

static void note(struct sync *s)
{
    if (!s->since) {
        s->since = clock_mono();
        pthread_cond_signal(&s->wanted);
    }
}

void sync_note(struct sync *s, int64_t row)
{
    pthread_mutex_lock(&s->lock);
    s->written = row;
    note(s);
    if (is_asked(s))
        pthread_cond_signal(&s->wanted);
    pthread_mutex_unlock(&s->lock);
}

bool sync_until(struct sync *s, int64_t row, msec deadline)
{
    pthread_mutex_lock(&s->lock);
    while (row > s->lasting && !s->ending && clock_mono() < deadline) {
        if (row > s->asked)
            s->asked = row;
        if (is_asked(s))
            pthread_cond_signal(&s->wanted);
        (void)thread_cond_wait(&s->lasts, &s->lock, deadline);
    }
    bool lasts = row <= s->lasting;
    pthread_mutex_unlock(&s->lock);
    return lasts;
}

void sync_wait(struct sync *s, struct queue_op *list)
{
    if (!list)
        return;
    struct queue_op *last = list;
    while (last->next)
        last = last->next;
    pthread_mutex_lock(&s->lock);
    last->next = s->waiting;
    s->waiting = list;
    pthread_cond_signal(&s->wanted);
    pthread_mutex_unlock(&s->lock);
}

void sync_release(struct sync *s, int64_t file)
{
    struct leaving *l = calloc(1, sizeof *l);
    must(l);
    l->file = file;
    pthread_mutex_lock(&s->lock);
    l->next = s->leaving;
    s->leaving = l;
    note(s);
    pthread_mutex_unlock(&s->lock);
}

bool sync_fails(const struct sync *s)
{
    return atomic_load(&s->fails);
}
