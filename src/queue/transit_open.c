/* What an earlier process left in transit goes to the tables, before anything else happens. */
#include "base/log.h"
#include "os/thread.h"
#include "queue/departed.h"
#include "queue/transit_impl.h"

enum { ARENA_MAX = 64 << 20 };

static enum rc put_left(struct queue *q, const struct transit_record *r, struct arena *a, struct err *e)
{
    struct queue_touches none = {.n = 0};
    struct transit_message m = {.n = r->number,
                                .site_name = r->site,
                                .content = {.file = r->file, .bytes = r->content},
                                .memory = -1};
    if (queue_envelope_get(r->envelope, a, &m.v) != RC_OK)
        return err_set(e, RC_TEMP, 0, "", "a record in transit.log cannot be read");
    return transit_write(q, &m, &none, e);
}

static void raise_row(const struct transit_left *left, int64_t *row)
{
    for (size_t i = 0; i < left->n; i++) /* a message's recipients have the numbers behind its own */
        if (left->v[i].number + QUEUE_RCPTS_MAX >= *row)
            *row = left->v[i].number + QUEUE_RCPTS_MAX + 1;
}

static enum rc put_all(struct queue *q, const struct transit_left *left, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    enum rc rc = db_begin(q->writer, true, e);
    for (size_t i = 0; i < left->n && rc == RC_OK; i++) {
        rc = put_left(q, &left->v[i], a, e);
        arena_reset(a);
    }
    return db_end(q->writer, rc, e);
}

/* Who put one of these may not have been answered, and asks again. */
static void note_departed(struct queue *q, const struct transit_left *left)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    struct queue_envelope v;
    for (size_t i = 0; i < left->n + left->n_gone; i++) {
        if (queue_envelope_get(left->v[i].envelope, a, &v) == RC_OK)
            departed_note(q->departed, v.id, clock_mono());
        arena_reset(a);
    }
}

/* Lasting, before a number of those is given to another message. */
static enum rc forget_moved(struct queue *q, struct err *e)
{
    enum rc rc = db_begin(q->writer, true, e);
    if (rc == RC_OK)
        rc = db_script(q->writer, "DELETE FROM moved", e);
    return db_end(q->writer, rc, e);
}

static struct transit *transit_new(struct transit_log *log)
{
    struct transit *t = calloc(1, sizeof *t);
    must(t && thread_cond_init(&t->wanted) == RC_OK && pthread_mutex_init(&t->leaving_lock, NULL) == 0);
    t->log = log;
    t->ids = map_new();
    t->leaving_end = &t->leaving;
    return t;
}

enum rc transit_open(struct queue *q, int dir_fd, bool may_make, int64_t *row, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    struct transit_log *log = NULL;
    struct transit_left left;
    enum rc rc = transit_log_open(dir_fd, may_make, a, &log, &left, e);
    if (rc != RC_OK || !log)
        return rc;
    raise_row(&left, row);
    q->next_row = *row;
    if (left.n > 0)
        rc = put_all(q, &left, e);
    note_departed(q, &left);
    *row = q->next_row;
    if (rc == RC_OK)
        rc = transit_log_begin(log, e);
    if (rc == RC_OK)
        rc = forget_moved(q, e);
    if (rc == RC_OK)
        q->transit = transit_new(log);
    else
        transit_log_close(log);
    return rc;
}
