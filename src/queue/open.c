/* Opening, reloading, closing, and the thread that looks after what only time changes. */
#include "base/log.h"
#include "os/thread.h"
#include "queue/departed.h"
#include "queue/transit.h"

enum {
    HOUSEKEEPING_MS = 1000,
    VACUUM_PAGES = 2000,
    TRANSIT_ROOM = 256 << 20 /* a smaller disk has nothing in transit */
};

/* --- the thread --- */

static enum rc vacuum_run(struct queue *q, void *arg, struct err *e)
{
    int64_t free_pages = 0;
    enum rc rc = db_get_int_args(q->writer, &free_pages, e, "PRAGMA freelist_count", NULL, 0);
    return rc == RC_OK && free_pages > 2 * VACUUM_PAGES
               ? db_script(q->writer, "PRAGMA incremental_vacuum(2000)", e)
               : rc;
}

static enum rc version_run(struct queue *q, void *arg, struct err *e)
{
    return db_get_int_args(q->writer, arg, e, "PRAGMA data_version", NULL, 0);
}

/* Another process changed the tables (queue/admin.h). The pragma tells of others than the writer, and nobody
 * in this process writes but it. */
static void notice_changes(struct queue *q)
{
    int64_t version = 0;
    struct queue_op op = {.run = version_run, .arg = &version};
    if (queue_commit(q, &op) != RC_OK || version == q->data_version)
        return;
    q->data_version = version;
    queue_nudge(q);
}

/* Until the next round; false: the queue is stopping. */
static bool rest(struct queue *q)
{
    msec end = clock_mono() + HOUSEKEEPING_MS;
    pthread_mutex_lock(&q->lock);
    while (!q->stopping && thread_cond_wait(&q->stops, &q->lock, end))
        ;
    pthread_mutex_unlock(&q->lock);
    return !q->stopping;
}

static void *housekeeping_main(void *arg)
{
    struct queue *q = arg;
    for (unsigned round = 0; rest(q); round++) {
        notice_changes(q);
        queue_clock_keep(q);
        queue_rewrite(q);
        sched_idle(q);
        spool_tidy(q->spool);
        while (queue_run_timers(q))
            ;
        if (round % 10 == 9) {
            struct queue_op op = {.run = vacuum_run};
            (void)!queue_commit(q, &op); /* failures are logged there */
        }
    }
    return NULL;
}

/* --- opening --- */

static bool is_kept(void *ctx, int64_t file)
{
    struct queue *q = ctx;
    struct err e = {0};
    int64_t n;
    return db_get_int(q->reader, &n, &e, "SELECT n FROM message WHERE file=?1 LIMIT 1", DB_I(file)) !=
           RC_GONE;
}

/* A file that a message lacks must not be made anew for another one. */
static int64_t last_file(struct queue *q)
{
    struct err e = {0};
    int64_t n = 0;
    return db_get_int_args(q->reader, &n, &e, "SELECT coalesce(max(file),0) FROM message", NULL, 0) == RC_OK
               ? n
               : INT64_MAX / 2;
}

static enum rc adopt_each(struct queue *q, struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    int64_t file = 0;
    enum rc rc =
        db_query(q->reader, &s, e, "SELECT n,id FROM message WHERE content IS NULL AND file IS NULL AND n>?1",
                 DB_I(0));
    while (rc == RC_OK && (rc = db_step(s, e)) == RC_OK) {
        if (spool_adopt(q->spool, db_text(s, 1), &file) != RC_OK)
            log_error("queue: " STR_FMT ": its spool file is not there", STR_ARG(db_text(s, 1)));
        else
            rc =
                db_run(q->writer, e, "UPDATE message SET file=?2 WHERE n=?1", DB_I(db_int(s, 0)), DB_I(file));
    }
    return rc == RC_GONE ? RC_OK : rc;
}

/* Files that an earlier version called by the ids of their messages get numbers. */
static enum rc adopt_files(struct queue *q, struct err *e)
{
    enum rc rc = db_begin(q->writer, true, e);
    if (rc == RC_OK)
        rc = adopt_each(q, e);
    if (rc == RC_OK && spool_sync(q->spool) != RC_OK)
        rc = err_set(e, RC_TEMP, 0, "", "the folder of the spool cannot be synced");
    return db_end(q->writer, rc, e);
}

static enum rc open_tables(struct queue *q, const char *path, struct err *e)
{
    int64_t row = 0;
    struct db *syncer = NULL;
    enum rc rc = db_open(path, DB_CREATE, &q->writer, e);
    if (rc == RC_OK)
        rc = queue_schema(q->writer, e);
    if (rc == RC_OK)
        rc = db_open(path, 0, &q->reader, e);
    if (rc == RC_OK)
        rc = db_get_int_args(
            q->writer, &row, e,
            "SELECT 1+max(coalesce((SELECT max(n) FROM message),0),coalesce((SELECT max(n) FROM "
            "rcpt),0),coalesce((SELECT max(n) FROM lane),0),coalesce((SELECT max(n) FROM site),0))",
            NULL, 0);
    if (rc == RC_OK)
        rc = queue_clock_open(q, e);
    if (rc == RC_OK)
        rc = transit_open(q, spool_dir(q->spool), spool_room(q->spool) >= TRANSIT_ROOM, &row, e);
    q->next_row = q->first_row = row;
    if (rc == RC_OK)
        rc = db_open(path, 0, &syncer, e);
    if (rc == RC_OK)
        rc = sync_new(syncer, q->spool, row - 1, &q->sync, e);
    if (rc == RC_OK)
        rc = adopt_files(q, e);
    if (rc == RC_OK)
        rc = db_get_int_args(q->writer, &q->data_version, e, "PRAGMA data_version", NULL, 0);
    return rc;
}

static void init_locks(struct queue *q)
{
    must(thread_mutex_init(&q->lock) == RC_OK && thread_cond_init(&q->stops) == RC_OK);
    for (unsigned kind = 0; kind < QUEUE_KINDS; kind++)
        must(thread_cond_init(&q->changed[kind]) == RC_OK);
}

enum rc queue_open(const char *path, struct spool *spool, const struct conf *c,
                   const struct table_settings *tables, struct queue **ret, struct err *e)
{
    struct queue *q = calloc(1, sizeof *q);
    must(q);
    q->conf = c;
    q->tables = tables;
    q->spool = spool;
    q->departed = departed_new(clock_mono());
    init_locks(q);
    enum rc rc = open_tables(q, path, e);
    if (rc != RC_OK) {
        transit_close(q);
        sync_free(q->sync);
        departed_free(q->departed);
        db_close(q->reader);
        db_close(q->writer);
        free(q);
        return rc;
    }
    q->sched = sched_new();
    spool_sweep(spool, last_file(q), is_kept, q);
    must(queue_commit_start(q) == RC_OK);
    transit_start(q);
    must(pthread_create(&q->housekeeper, NULL, housekeeping_main, q) == 0);
    *ret = q;
    return RC_OK;
}

void queue_reload(struct queue *q, const struct conf *c)
{
    q->conf = c;
    queue_nudge(q);
}

void queue_stop(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->stopping = true;
    pthread_cond_signal(&q->stops);
    queue_wake_all(q);
    pthread_mutex_unlock(&q->lock);
}

static enum rc nothing_run(struct queue *q, void *arg, struct err *e)
{
    return RC_OK;
}

enum rc queue_flush(struct queue *q)
{
    transit_flush(q);
    return queue_commit_all(q);
}

enum rc queue_commit_all(struct queue *q)
{
    struct queue_op op = {.run = nothing_run};
    return queue_commit(q, &op); /* after all that came before it */
}

struct queue *queue_close(struct queue *q)
{
    if (!q)
        return NULL;
    queue_stop(q);
    transit_flush(q);
    pthread_join(q->housekeeper, NULL);
    transit_stop(q);
    queue_commit_stop(q);
    sched_free(q->sched);
    departed_free(q->departed);
    transit_close(q);
    db_close(q->reader);
    db_close(q->writer);
    arena_free(q->words_arena);
    free(q);
    return NULL;
}
