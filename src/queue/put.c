/* Putting a message into the queue. */
#include "base/log.h"
#include "fmt/transit_record.h"
#include "os/file.h"
#include "queue/departed.h"
#include "queue/outbound.h"
#include "queue/transit.h"

enum {
    PARTS_ARENA = 2 << 20,          /* QUEUE_RCPTS_MAX names of QUEUE_SITE_MAX, twice, and the parts */
    DATABASE_CONTENT_MAX = 32 << 10 /* larger ones would be written twice there: to its log, and from that */
};

struct put {
    const struct queue_envelope *v; /* the whole */
    struct queue_parts parts;
    struct queue_content content;
    int fd;      /* as in queue_put */
    str country; /* from where its account sends it, when that is known */
    int64_t due; /* of its recipients */
    struct queue_touches touches;
    struct err refused; /* RC_OK: it is not */
    bool logged;        /* that it came */
    bool known;         /* it was put before: it is there, or has left already */
};

static bool is_there(struct db *db, str id)
{
    struct err e = {0};
    int64_t n;
    return db_get_int(db, &n, &e, "SELECT n FROM message WHERE id=?1", DB_T(id)) == RC_OK;
}

/* What an account sends to other servers is counted and may be too much. */
static enum rc admit(struct queue *q, struct put *p, struct err *e)
{
    size_t elsewhere = 0;
    p->refused = (struct err){0};
    for (size_t i = 0; i < p->v->n; i++)
        elsewhere += !p->v->rcpts[i].local;
    if (elsewhere == 0 || p->v->account.n == 0 || is_there(q->writer, p->v->id))
        return RC_OK;
    return outbound_admit(q, p->v, p->country, elsewhere, &p->refused, &p->touches, e);
}

static enum rc put_part(struct queue *q, struct put *p, const struct queue_part *part, struct err *e)
{
    struct queue_envelope kept = part->v;
    const struct queue_envelope *v = &kept;
    const bool is_held = kept.flags & QUEUE_HELD;
    kept.flags &= ~(unsigned)QUEUE_HELD;
    struct queue_message_row m = {.id = v->id, .sender = v->sender, .priority = v->priority, .rcpts = v->n};
    enum rc rc = rows_add_message(q, v, &p->content, &m.n, e);
    int64_t now = queue_now(q), held = queue_time_of_wall(q, v->hold_until) + 1,
            due = is_held      ? QUEUE_NEVER
                  : held > now ? held
                               : now;
    p->due = due;
    for (size_t i = 0; i < v->n && rc == RC_OK; i++)
        rc = rows_add_rcpt(q, &m, &v->rcpts[i], part->sites[i], due, &p->touches, e);
    if (rc == RC_OK && is_held)
        rc = db_run(q->writer, e, "UPDATE rcpt SET held=1 WHERE message=?1", DB_I(m.n));
    return rc;
}

static enum rc put_run(struct queue *q, void *arg, struct err *e)
{
    struct put *p = arg;
    p->touches.n = 0;
    p->known = departed_has(q->departed, p->v->id);
    if (p->known)
        return RC_OK;
    enum rc rc = admit(q, p, e);
    if (rc != RC_OK || p->refused.rc != RC_OK)
        return rc;
    size_t added = p->touches.n;
    for (size_t i = 0; i < p->parts.n && rc == RC_OK; i++)
        rc = put_part(q, p, &p->parts.v[i], e);
    /* the sender did not hear that it is there */
    p->known = rc == RC_PERM && is_there(q->writer, p->parts.v[0].v.id) && p->touches.n == added;
    return p->known ? RC_OK : rc;
}

void queue_log_active(const struct queue_envelope *v)
{
    log_info(STR_FMT ": from=<" STR_FMT ">, size=%llu, nrcpt=%zu (queue active)", STR_ARG(v->id),
             STR_ARG(v->sender), (unsigned long long)(v->size + v->trace.n), v->n);
}

static void log_parts(const struct put *p)
{
    for (size_t i = 0; i < p->parts.n; i++) {
        const struct queue_envelope *v = &p->parts.v[i].v;
        if (i > 0)
            log_info(STR_FMT ": again as " STR_FMT " for another sender", STR_ARG(p->parts.v[0].v.id),
                     STR_ARG(v->id));
        queue_log_active(v);
    }
}

static void put_after(struct queue *q, void *arg, enum rc rc)
{
    struct put *p = arg;
    if (rc == RC_OK && p->refused.rc == RC_OK && !p->known && !p->logged)
        log_parts(p);
}

/* Not before it lasts: what was delivered, and then is put once more because its sender did not hear of it,
 * would be delivered twice. */
static void tell_sched(struct queue *q, const struct put *p)
{
    if (p->v->hold_until && p->due > queue_now(q)) {
        sched_due(q, p->due);
        return;
    }
    for (size_t i = 0; i < p->touches.n; i++)
        sched_note(q, &p->touches.v[i]);
}

/* A content that is too large for the database goes to a file of our own, where it lasts. */
static enum rc keep_content(struct queue *q, str content, int64_t *ret_file)
{
    AUTO(fd_closep) int fd = spool_lend(q->spool, content.n);
    return fd < 0 || fd_write_all(fd, content) != RC_OK ? RC_TEMP
                                                        : spool_keep(q->spool, fd, content.n, ret_file);
}

/* What is left lets those out who are in: leaving is written down, too. */
static bool has_room(struct queue *q, uint64_t size)
{
    const struct conf *c = q->conf;
    if (spool_room(q->spool) >= size + c->queue_minfree)
        return true;
    spool_trim(q->spool); /* for the next one */
    atomic_store(&q->wants_checkpoint, true);
    return false;
}

/* Whether a message of this id is in the queue, and lasts. */
static bool was_put(struct queue *q, str id)
{
    pthread_mutex_lock(&q->lock);
    bool is = is_there(q->reader, id);
    pthread_mutex_unlock(&q->lock);
    return is && queue_flush(q) == RC_OK;
}

static enum rc put_in_tables(struct queue *q, struct put *p, struct err *e)
{
    struct queue_op op = {.run = put_run, .after = put_after, .arg = p};
    enum rc rc = queue_commit(q, &op);
    bool kept = rc == RC_OK && p->refused.rc == RC_OK && !p->known;
    if (op.written)
        tell_sched(q, p);
    if (p->content.file && !kept && (rc == RC_OK || !op.written))
        spool_release(q->spool, p->content.file);
    if (rc == RC_OK) {
        *e = p->refused;
        return e->rc;
    }
    (void)err_set(e, RC_TEMP, 451, "4.3.0", "Error: queue file write error");
    err_note(e, "%s", err_text(&op.e));
    return RC_TEMP;
}

/* What was lent, or is larger than max, is in a file from here on. */
static enum rc keep_file(struct queue *q, struct put *p, bool lent, size_t max)
{
    if (p->content.file || (!lent && p->content.bytes.n <= max))
        return RC_OK;
    return lent ? spool_keep(q->spool, p->fd, p->v->size, &p->content.file)
                : keep_content(q, p->content.bytes, &p->content.file);
}

static enum rc put_in_transit(struct queue *q, struct put *p)
{
    if (p->parts.n != 1)
        return RC_GONE;
    return transit_put(q, &p->parts.v[0], &p->content, p->content.file ? -1 : p->fd, &p->logged);
}

enum rc queue_put(struct queue *q, const struct queue_envelope *v, str content, int fd, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(PARTS_ARENA);
    struct put p = {.v = v, .content.bytes = content, .fd = fd};
    bool lent = content.n == 0 && fd >= 0;
    if (!queue_parts_make(q, v, a, &p.parts) || p.parts.n == 0)
        return err_set(e, RC_TEMP, 451, "4.3.0", "Insufficient system resources");
    if (sync_fails(q->sync))
        return err_set(e, RC_TEMP, 451, "4.3.0", "Error: queue file write error");
    if (!has_room(q, lent ? 0 : v->size))
        return err_set(e, RC_LIMIT, 452, "4.3.1", "Insufficient system storage");
    if (transit_has(q, v->id))
        return RC_OK; /* its sender did not hear of it */
    if (keep_file(q, &p, lent, TRANSIT_CONTENT_MAX) == RC_OK) {
        if (put_in_transit(q, &p) == RC_OK)
            return RC_OK;
        p.country = outbound_country(q, v, a);
        if (keep_file(q, &p, lent, DATABASE_CONTENT_MAX) == RC_OK)
            return put_in_tables(q, &p, e);
    }
    if (departed_has(q->departed, v->id) || was_put(q, v->id))
        return RC_OK; /* its sender did not hear that it was kept */
    return err_set(e, RC_TEMP, 451, "4.3.0", "Error: queue file write error");
}
