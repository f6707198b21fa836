/* What does not leave goes to the tables; the thread that sees to it, and to the log. */
#include "os/file.h"
#include "os/thread.h"
#include "queue/transit_impl.h"

#include <limits.h>
#include <unistd.h>

enum {
    AGE_MS = 500,
    TICK_MS = 5,
    STOP_MS = 500,
    UNSYNCED_MS = 200,
    UNWRITTEN_MAX = 32, /* deliveries that a killed process repeats */
    MOVE_MAX = 64       /* in one operation */
};

/* The message's row, which gets the content even where that is larger than one that was put there at once. */
static enum rc write_message(struct queue *q, const struct transit_message *m, int64_t *n, struct err *e)
{
    AUTO(buf_deinit) struct buf bytes = BUF_INIT(TRANSIT_CONTENT_MAX);
    struct queue_content content = m->content;
    if (m->memory >= 0) {
        size_t got = 0, size = (size_t)m->v.size;
        char *room = buf_room(&bytes, size);
        if (!room || fd_read_at(m->memory, room, size, 0, &got) != RC_OK || got != size)
            return err_set(e, RC_TEMP, 0, "", "a message in transit cannot be read");
        content.bytes = str_mem(room, size);
    }
    return rows_add_message(q, &m->v, &content, n, e);
}

enum rc transit_write(struct queue *q, const struct transit_message *m, struct queue_touches *t,
                      struct err *e)
{
    int64_t there;
    struct queue_message_row row = {
        .n = m->n, .id = m->v.id, .sender = m->v.sender, .rcpts = m->v.n, .numbered = true};
    if (atomic_load(&m->moved)) /* the mark may be gone */
        return RC_OK;
    enum rc rc = db_get_int(q->writer, &there, e, "SELECT message FROM moved WHERE message=?1", DB_I(m->n));
    if (rc != RC_GONE)
        return rc;
    rc = db_run(q->writer, e, "INSERT INTO moved(message) VALUES(?1)", DB_I(m->n));
    if (rc == RC_OK)
        rc = write_message(q, m, &row.n, e);
    for (size_t i = 0; i < m->v.n && rc == RC_OK; i++)
        rc = rows_add_rcpt(q, &row, &m->v.rcpts[i], m->site_name, queue_now(q), t, e);
    return rc;
}

struct move {
    struct transit_message *v[MOVE_MAX];
    struct queue_touched touched[MOVE_MAX];
    size_t n;
};

static enum rc move_run(struct queue *q, void *arg, struct err *e)
{
    struct move *move = arg;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < move->n && rc == RC_OK; i++) {
        struct queue_touches t = {.n = 0};
        rc = transit_write(q, move->v[i], &t, e);
        move->touched[i] = t.n > 0 ? t.v[0] : (struct queue_touched){0};
    }
    return rc;
}

static bool is_to_move(const struct queue *q, const struct transit_message *m, int full, msec now)
{
    return m->there && !m->moving && !m->moved &&
           (q->stopping || m->since == 0 || now - m->since >= AGE_MS || (int)m->segment == full);
}

static void choose(struct queue *q, int full, struct move *ret)
{
    msec now = clock_mono();
    for (struct transit_message *m = q->transit->first; m && ret->n < MOVE_MAX; m = m->next) {
        if (!is_to_move(q, m, full, now))
            continue;
        if (m->waiting)
            transit_leave_site(m);
        m->moving = true;
        ret->v[ret->n++] = m;
    }
}

/* What is in the tables: nobody but this thread frees it. */
static size_t collect_moved(const struct queue *q, struct transit_message *ret[MOVE_MAX])
{
    size_t n = 0;
    for (struct transit_message *m = q->transit->first; m && n < MOVE_MAX; m = m->next)
        if (m->moved && (m->logged || !m->running))
            ret[n++] = m;
    return n;
}

/* It lasts there: the log need not have it. */
static void strike_out(struct transit *t, struct transit_message *m)
{
    if (m->logged)
        (void)transit_log_gone(t->log, m->n, m->segment);
    m->logged = false;
}

static void move_some(struct queue *q, int full)
{
    struct move move = {.n = 0};
    pthread_mutex_lock(&q->lock);
    choose(q, full, &move);
    pthread_mutex_unlock(&q->lock);
    if (move.n == 0)
        return;
    struct queue_op op = {.run = move_run, .arg = &move};
    enum rc rc = queue_commit(q, &op);
    pthread_mutex_lock(&q->lock);
    for (size_t i = 0; i < move.n; i++) {
        struct transit_message *m = move.v[i];
        m->moving = false;
        m->moved = rc == RC_OK || op.written;
        m->touched = move.touched[i];
        m->since = clock_mono(); /* if it failed, once more in a while */
    }
    pthread_mutex_unlock(&q->lock);
}

/* That they were moved must be known only while the log has them. */
struct unmark {
    struct transit_message **list;
    size_t n;
};

static enum rc unmark_run(struct queue *q, void *arg, struct err *e)
{
    const struct unmark *u = arg;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < u->n && rc == RC_OK; i++)
        rc = db_run(q->writer, e, "DELETE FROM moved WHERE message=?1", DB_I(u->list[i]->n));
    return rc;
}

/* Unless a job has it still. */
static void leave_it(struct queue *q, struct transit_message *m)
{
    pthread_mutex_lock(&q->lock);
    bool leaves = !m->running;
    if (leaves)
        transit_take_out(q, m);
    pthread_mutex_unlock(&q->lock);
    if (leaves && m->touched.lane)
        sched_note(q, &m->touched);
    if (leaves)
        transit_free(m);
}

static void forget_moved(struct queue *q)
{
    struct transit_message *list[MOVE_MAX];
    pthread_mutex_lock(&q->lock);
    size_t n = collect_moved(q, list);
    pthread_mutex_unlock(&q->lock);
    if (n == 0)
        return;
    if (queue_commit_all(q) != RC_OK)
        return; /* the disk fails, which was logged */
    for (size_t i = 0; i < n; i++)
        strike_out(q->transit, list[i]);
    transit_log_flush(q->transit->log, true);
    struct unmark u = {.list = list, .n = n};
    struct queue_op op = {.run = unmark_run, .arg = &u};
    (void)!queue_commit(q, &op); /* what stays marked does no harm; it was logged */
    for (size_t i = 0; i < n; i++)
        leave_it(q, list[i]);
}

/* --- the thread --- */

static void tick(struct queue *q)
{
    struct transit *t = q->transit;
    struct transit_log_state s = transit_log_state(t->log);
    bool lasting = s.unsynced_since && clock_mono() - s.unsynced_since >= UNSYNCED_MS;
    if (lasting || s.unwritten >= UNWRITTEN_MAX ||
        (s.unwritten > 0 && clock_mono() - s.unwritten_since >= TICK_MS))
        transit_log_flush(t->log, lasting);
    transit_release_files(q, UNWRITTEN_MAX);
    move_some(q, s.full);
    forget_moved(q);
}

static bool is_idle(const struct transit *t)
{
    struct transit_log_state s = transit_log_state(t->log);
    return t->n == 0 && s.unwritten == 0 && !s.unsynced_since && atomic_load(&t->n_leaving) == 0;
}

static void *transit_main(void *arg)
{
    struct queue *q = arg;
    struct transit *t = q->transit;
    pthread_mutex_lock(&q->lock);
    while (!t->ending) {
        atomic_store(&t->asleep, true); /* before looking: who comes later sees that */
        if (is_idle(t))
            pthread_cond_wait(&t->wanted, &q->lock);
        atomic_store(&t->asleep, false);
        if (!t->ending)
            (void)thread_cond_wait(&t->wanted, &q->lock, clock_mono() + TICK_MS);
        pthread_mutex_unlock(&q->lock);
        tick(q);
        pthread_mutex_lock(&q->lock);
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

static bool are_moved(struct queue *q)
{
    bool all = true;
    pthread_mutex_lock(&q->lock);
    for (const struct transit_message *m = q->transit->first; m && all; m = m->next)
        all = !m->there || atomic_load(&m->moved);
    pthread_mutex_unlock(&q->lock);
    return all;
}

void transit_flush(struct queue *q)
{
    if (!q->transit)
        return;
    /* at the end everything goes to the tables, where an administrator finds it */
    for (msec end = clock_mono() + STOP_MS; q->stopping && !are_moved(q) && clock_mono() < end;)
        usleep(TICK_MS * 1000);
    transit_log_flush(q->transit->log, true);
}

void transit_start(struct queue *q)
{
    if (q->transit)
        must(pthread_create(&q->transit->thread, NULL, transit_main, q) == 0);
}

void transit_stop(struct queue *q)
{
    struct transit *t = q->transit;
    if (!t)
        return;
    pthread_mutex_lock(&q->lock);
    t->ending = true;
    transit_wake(t);
    pthread_mutex_unlock(&q->lock);
    pthread_join(t->thread, NULL);
    transit_log_flush(t->log, true);
    transit_release_files(q, UINT_MAX);
}
