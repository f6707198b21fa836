/* What happens to messages by time alone: the warning that one is delayed, the bounce that waited for others,
 * and the end of a message that could not be delivered in its lifetime. */
#include "base/log.h"
#include "queue/fate.h"
#include "queue/sched_impl.h"

enum { TIMERS_AT_ONCE = 50, ARENA_MAX = 1 << 20, BUSY_WAIT_MS = 1000, HELD_WAIT_MS = 3600000 };

struct timer {
    int64_t message;
    int64_t now;
    struct queue_touches touches;
    struct queue_gone gone;
    char id[QUEUE_ID_MAX + 1];
};

/* --- the end of a lifetime --- */

static bool is_running(struct queue *q, int64_t rcpt)
{
    pthread_mutex_lock(&q->lock);
    bool running = map_find(q->sched->running, sched_key(&rcpt)) != NULL;
    pthread_mutex_unlock(&q->lock);
    return running;
}

/* RFC 2852 §4.1.3 */
static bool is_too_late(const struct queue_envelope *v)
{
    return v->flags & QUEUE_BY_RETURN && v->deliver_by <= queue_wall();
}

static enum rc expire_rcpt(struct queue *q, int64_t rcpt, bool too_late, struct err *e)
{
    return db_run(q->writer, e,
                  "UPDATE rcpt SET state=1,due=?2,tried=iif(tried,tried,?3),status=?4,reply=coalesce("
                  "nullif(reply,''),nullif((SELECT s.reply FROM site s JOIN lane l ON l.site=s.n WHERE "
                  "l.n=rcpt.lane),''),"
                  "'it could not be tried') || ?5 WHERE n=?1",
                  DB_I(rcpt), DB_I(QUEUE_NEVER), DB_I(queue_wall()), DB_T(too_late ? S("5.4.7") : S("4.4.7")),
                  DB_T(too_late ? S(" (delivery time expired)") : S(" (message expired)")));
}

/* *ret_busy: some are being delivered right now; their fate is not known yet. */
static enum rc expire_all(struct queue *q, int64_t message, bool too_late, bool *ret_busy, struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    enum rc rc = db_query(q->writer, &s, e, "SELECT n FROM rcpt WHERE message=?1 AND state=0 AND held=0",
                          DB_I(message));
    *ret_busy = false;
    while (rc == RC_OK && (rc = db_step(s, e)) == RC_OK) {
        if (is_running(q, db_int(s, 0)))
            *ret_busy = true;
        else
            rc = expire_rcpt(q, db_int(s, 0), too_late, e);
    }
    return rc == RC_GONE ? RC_OK : rc;
}

/* --- one message --- */

static enum rc set_timer(struct queue *q, int64_t message, int64_t at, struct err *e)
{
    return db_run(q->writer, e, "UPDATE message SET timer=?2 WHERE n=?1", DB_I(message), DB_I(at));
}

static enum rc run_expired(struct queue *q, struct timer *t, const struct queue_envelope *v, struct err *e)
{
    bool busy = false;
    enum rc rc = expire_all(q, t->message, is_too_late(v), &busy, e);
    if (rc == RC_OK)
        log_info(STR_FMT ": from=<" STR_FMT ">, status=expired, returned to sender", STR_ARG(v->id),
                 STR_ARG(v->sender));
    if (rc == RC_OK)
        rc = fate_conclude(q, t->message, v, true, &t->touches, &t->gone, e);
    /* what is left is held or under way */
    return rc == RC_OK && !t->gone.is
               ? set_timer(q, t->message, t->now + (busy ? BUSY_WAIT_MS : HELD_WAIT_MS), e)
               : rc;
}

/* An administrator returns a message that is being delivered at this moment: how that ends counts. */
static enum rc find_returned(struct queue *q, int64_t message, bool *ret_busy, struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    enum rc rc = db_query(q->writer, &s, e, "SELECT n FROM rcpt WHERE message=?1 AND state=1", DB_I(message));
    *ret_busy = false;
    while (rc == RC_OK && !*ret_busy && (rc = db_step(s, e)) == RC_OK)
        *ret_busy = is_running(q, db_int(s, 0));
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc warn(struct queue *q, struct timer *t, const struct queue_envelope *v, struct err *e)
{
    enum rc rc = fate_warn(q, t->message, v, STR_NONE, &t->touches, e);
    return rc == RC_OK ? db_run(q->writer, e, "UPDATE message SET warn=NULL,flags=flags|?2 WHERE n=?1",
                                DB_I(t->message), DB_I(QUEUE_WARNED))
                       : rc;
}

/* RFC 2852 §4.1.3: with mode N its sender hears that the time is over, and delivery goes on. */
static enum rc tell_too_late(struct queue *q, struct timer *t, const struct queue_envelope *v, struct err *e)
{
    enum rc rc = fate_warn(q, t->message, v, S("4.4.7"), &t->touches, e);
    return rc == RC_OK ? db_run(q->writer, e, "UPDATE message SET flags=flags|?2 WHERE n=?1",
                                DB_I(t->message), DB_I(QUEUE_BY_TOLD))
                       : rc;
}

/* What its sender must hear of a delay. *ret_next: when something happens next. */
static enum rc tell_delays(struct queue *q, struct timer *t, const struct queue_envelope *v,
                           int64_t *ret_next, struct err *e)
{
    int64_t warn_at = 0, by = v->flags & QUEUE_BY_TOLD ? 0 : v->deliver_by;
    enum rc rc = db_get_int(q->writer, &warn_at, e, "SELECT coalesce(warn,0) FROM message WHERE n=?1",
                            DB_I(t->message));
    if (rc == RC_OK && by && by <= queue_wall()) {
        rc = tell_too_late(q, t, v, e);
        by = 0;
    }
    if (rc == RC_OK && warn_at && warn_at <= t->now) {
        rc = warn(q, t, v, e);
        warn_at = 0;
    }
    *ret_next = warn_at ? warn_at : v->expires;
    by = by ? queue_time_of_wall(q, by) : 0;
    if (by && by < *ret_next)
        *ret_next = by;
    return rc;
}

static enum rc run_waiting(struct queue *q, struct timer *t, const struct queue_envelope *v, struct err *e)
{
    int64_t next = 0;
    bool busy = false;
    enum rc rc = find_returned(q, t->message, &busy, e);
    if (rc == RC_OK && busy)
        return set_timer(q, t->message, t->now + BUSY_WAIT_MS, e);
    if (rc == RC_OK)
        rc = tell_delays(q, t, v, &next, e);
    if (rc == RC_OK)
        rc = fate_conclude(q, t->message, v, true, &t->touches, &t->gone, e);
    return rc == RC_OK && !t->gone.is ? set_timer(q, t->message, next, e) : rc;
}

static enum rc timer_run(struct queue *q, void *arg, struct err *e)
{
    struct timer *t = arg;
    struct queue_envelope v;
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    t->touches.n = 0;
    t->gone = (struct queue_gone){.is = false};
    enum rc rc = rows_read_message(q->writer, t->message, a, &v, NULL, e);
    if (rc != RC_OK)
        return rc == RC_GONE ? RC_OK : rc;
    must(str_copy(t->id, sizeof t->id, v.id) == RC_OK);
    return v.expires <= t->now || is_too_late(&v) ? run_expired(q, t, &v, e) : run_waiting(q, t, &v, e);
}

static void timer_after(struct queue *q, void *arg, enum rc rc)
{
    struct timer *t = arg;
    if (rc == RC_OK && t->gone.is)
        log_info("%s: removed", t->id);
    if (rc == RC_OK && t->gone.file)
        sync_release(q->sync, t->gone.file);
    for (size_t i = 0; rc == RC_OK && i < t->touches.n; i++)
        sched_note(q, &t->touches.v[i]);
}

/* --- those that are due --- */

static size_t find_due(struct queue *q, int64_t now, int64_t ret[TIMERS_AT_ONCE])
{
    AUTO(db_done) struct db_stmt *s = NULL;
    struct err e = {0};
    size_t n = 0;
    pthread_mutex_lock(&q->lock);
    enum rc rc = db_query(q->reader, &s, &e, "SELECT n FROM message WHERE timer<=?1 ORDER BY timer LIMIT ?2",
                          DB_I(now), DB_I(TIMERS_AT_ONCE));
    while (rc == RC_OK && n < TIMERS_AT_ONCE && (rc = db_step(s, &e)) == RC_OK)
        ret[n++] = db_int(s, 0);
    db_done(&s);
    pthread_mutex_unlock(&q->lock);
    return n;
}

bool queue_run_timers(struct queue *q)
{
    int64_t due[TIMERS_AT_ONCE], now = queue_now(q);
    size_t n = find_due(q, now, due);
    for (size_t i = 0; i < n; i++) {
        struct timer t = {.message = due[i], .now = now};
        struct queue_op op = {.run = timer_run, .after = timer_after, .arg = &t};
        if (queue_commit(q, &op) != RC_OK)
            return false; /* the committing thread logged why; the next round tries again */
    }
    return n == TIMERS_AT_ONCE;
}
