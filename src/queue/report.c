/* What became of a job: its recipients leave, wait, or fail, and the scheduler learns about the site. */
#include "base/log.h"
#include "fmt/smtp_cmd.h"
#include "queue/departed.h"
#include "queue/fate.h"
#include "queue/outbound.h"
#include "queue/transit.h"

enum { ARENA_MAX = 8 << 20, UNWRITTEN_MAX = 30 /* a second each */ };

struct report {
    struct queue_op op;
    struct sched_job *job;
    struct arena *arena;
    struct queue_report r; /* a copy in the arena, without r.added: */
    struct queue_added added;
    bool added_wait; /* some of them */
    enum { SITE_SAME, SITE_BACK, SITE_DEAD } site;
    int64_t site_n, retry;
    unsigned failures;
    struct queue_touches touches;
    struct queue_gone gone; /* whether the message has left the queue */
    unsigned unwritten;     /* attempts to commit it that failed */
    struct queue_envelope envelope;
};

/* --- one recipient --- */

static enum rc drop_rcpt(struct queue *q, const struct queue_outcome *o, struct err *e)
{
    return db_run(q->writer, e, "DELETE FROM rcpt WHERE n=?1", DB_I(o->rcpt));
}

/* A dead site's mail stays due: the site itself says when it is tried again. */
static enum rc defer_rcpt(struct queue *q, const struct report *p, const struct queue_outcome *o,
                          struct err *e)
{
    const struct conf *c = q->conf;
    int64_t now = queue_wall(), due = queue_now(q);
    if (p->site != SITE_DEAD)
        due += queue_backoff(c, now - p->envelope.arrived, 1, o->rcpt);
    return db_run(q->writer, e,
                  "UPDATE rcpt SET due=CASE held WHEN 0 THEN ?2 ELSE due "
                  "END,asked=0,attempts=attempts+1,tried=?3,code=?4,"
                  "status=?5,reply=?6,remote=?7 WHERE n=?1 AND state=0",
                  DB_I(o->rcpt), DB_I(due), DB_I(now), DB_I(o->code), DB_T(o->status), DB_T(o->reply),
                  DB_T(o->remote));
}

static enum rc apply(struct queue *q, struct report *p, const struct queue_outcome *o, struct err *e)
{
    switch (o->result) {
    case QUEUE_DEFERRED:
        return defer_rcpt(q, p, o, e);
    case QUEUE_FAILED:
        return fate_mark_failed(q, o->rcpt, o, e);
    case QUEUE_NOT_TRIED:
        return RC_OK;
    case QUEUE_DELIVERED:
    case QUEUE_RELAYED:
    case QUEUE_RELAYED_BLIND:
    case QUEUE_RELAYED_TRACED:
    case QUEUE_EXPANDED:
        break;
    }
    return drop_rcpt(q, o, e);
}

/* --- success notifications: only for those who asked, or were told of a delay --- */

/* Nobody hears of what was passed on to a server that sends reports itself. */
static enum rc find_asker(struct queue *q, const struct queue_outcome *o, bool cleared, struct arena *a,
                          struct bounce_rcpt *ret, struct err *e)
{
    AUTO(db_done) struct db_stmt *s = NULL;
    bool traced = o->result == QUEUE_RELAYED_TRACED; /* all hear of it but those who want to hear nothing */
    enum rc rc = db_query(q->writer, &s, e,
                          "SELECT address,orcpt,notify FROM rcpt WHERE n=?1 AND (notify&?2 OR (?3 AND NOT "
                          "notify&?4) OR (?5 AND (notify=0 OR notify&?6)))",
                          DB_I(o->rcpt), DB_I(o->result == QUEUE_RELAYED ? 0 : SMTP_NOTIFY_SUCCESS),
                          DB_I(traced), DB_I(SMTP_NOTIFY_NEVER), DB_I(cleared), DB_I(SMTP_NOTIFY_DELAY));
    if (rc == RC_OK)
        rc = db_step(s, e);
    if (rc == RC_OK)
        *ret = (struct bounce_rcpt){.rcpt = {.address = arena_str(a, db_text(s, 0)),
                                             .orcpt = arena_str(a, db_text(s, 1)),
                                             .notify = (unsigned)db_int(s, 2)},
                                    .result = o->result,
                                    .status = o->status,
                                    .reply = o->reply,
                                    .remote = o->remote,
                                    .tried = queue_wall(),
                                    .cleared = cleared};
    return rc;
}

static enum rc tell_success(struct queue *q, struct report *p, struct err *e)
{
    struct bounce_rcpt *list = calloc(p->r.n, sizeof *list);
    const struct conf *c = q->conf;
    bool cleared = c->confirm_delay_cleared && p->envelope.flags & QUEUE_WARNED;
    size_t n = 0;
    enum rc rc = RC_OK;
    must(list);
    for (size_t i = 0; i < p->r.n && (rc == RC_OK || rc == RC_GONE); i++) {
        enum queue_result result = p->r.outcomes[i].result;
        if (result != QUEUE_DELIVERED && result != QUEUE_RELAYED_BLIND && result != QUEUE_RELAYED_TRACED &&
            !(cleared && result == QUEUE_RELAYED))
            continue;
        rc = find_asker(q, &p->r.outcomes[i], cleared, p->arena, &list[n], e);
        n += rc == RC_OK;
    }
    if (rc == RC_GONE)
        rc = RC_OK;
    if (rc == RC_OK && n > 0)
        rc = bounce_put(q, BOUNCE_SUCCESS, p->job->message, &p->envelope, list, n, &p->touches, e);
    free(list);
    return rc;
}

/* --- the operation --- */

static enum rc note_site(struct queue *q, const struct report *p, struct err *e)
{
    str reply = p->r.n > 0 ? p->r.outcomes[0].reply : STR_NONE;
    if (p->site == SITE_DEAD)
        return db_run(q->writer, e, "UPDATE site SET retry=?2,due=?2,failures=?3,reply=?4 WHERE n=?1",
                      DB_I(p->site_n), DB_I(p->retry), DB_I(p->failures), DB_T(reply));
    if (p->site == SITE_BACK)
        return db_run(q->writer, e, "UPDATE site SET retry=0,due=?2,failures=0,reply='' WHERE n=?1",
                      DB_I(p->site_n), DB_I(queue_now(q)));
    return RC_OK;
}

static enum rc count_failed(struct queue *q, struct report *p, struct err *e)
{
    size_t n = 0;
    for (size_t i = 0; i < p->r.n; i++)
        n += p->r.outcomes[i].result == QUEUE_FAILED;
    bool elsewhere = p->job->site->kind == QUEUE_REMOTE;
    return n > 0 && elsewhere && p->envelope.account.n > 0
               ? outbound_note_failed(q, &p->envelope, n, &p->touches, e)
               : RC_OK;
}

/* Delivered, all of them, and nobody is to be told: nothing of the message needs to be known. */
static bool is_plain(const struct sched_job *job, const struct queue_report *r)
{
    for (size_t i = 0; i < r->n; i++) {
        enum queue_result result = r->outcomes[i].result;
        if (result != QUEUE_DELIVERED && result != QUEUE_RELAYED && result != QUEUE_RELAYED_BLIND)
            return false;
    }
    return !job->asked && r->n_added == 0;
}

static enum rc drop_all(struct queue *q, struct report *p, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < p->r.n && rc == RC_OK; i++)
        rc = drop_rcpt(q, &p->r.outcomes[i], e);
    return rc == RC_OK ? fate_conclude(q, p->job->message, NULL, false, &p->touches, &p->gone, e) : rc;
}

static enum rc report_write(struct queue *q, struct report *p, struct err *e)
{
    p->touches.n = 0;
    p->gone = (struct queue_gone){.is = false};
    enum rc rc = p->job->transit ? transit_write(q, p->job->transit, &p->touches, e) : RC_OK;
    if (rc == RC_OK)
        rc = note_site(q, p, e);
    if (rc == RC_OK && is_plain(p->job, &p->r))
        return drop_all(q, p, e);
    if (rc == RC_OK)
        rc = rows_read_message(q->writer, p->job->message, p->arena, &p->envelope, NULL, e);
    p->added.gone = rc == RC_GONE; /* deleted meanwhile */
    if (rc != RC_OK)
        return rc == RC_GONE ? RC_OK : rc;
    rc = tell_success(q, p, e);
    if (rc == RC_OK)
        rc = count_failed(q, p, e);
    if (rc == RC_OK)
        rc = added_put(q, &p->added, p->job->message, &p->envelope, &p->touches, e);
    for (size_t i = 0; i < p->r.n && rc == RC_OK; i++)
        rc = apply(q, p, &p->r.outcomes[i], e);
    if (rc == RC_OK)
        rc = fate_conclude(q, p->job->message, &p->envelope, false, &p->touches, &p->gone, e);
    return rc;
}

/* Inside the transaction, so that a message that is put again finds it here or in the tables. */
static enum rc report_run(struct queue *q, void *arg, struct err *e)
{
    struct report *p = arg;
    enum rc rc = report_write(q, p, e);
    if (rc == RC_OK && p->gone.is && p->job->message < q->first_row)
        departed_note(q->departed, str_c(p->job->id), clock_mono());
    return rc;
}

static bool any(const struct report *p, enum queue_result result)
{
    for (size_t i = 0; i < p->r.n; i++)
        if (p->r.outcomes[i].result == result)
            return true;
    return false;
}

/* The disk is full or fails. What was delivered must not be delivered again, so the job stays as it is, and
 * no other is given out, until the report is written. Only a full disk may last: whatever else fails so often
 * is this report's own trouble, and must not stop the others. */
static bool keep_unwritten(struct queue *q, struct report *p, enum rc rc)
{
    pthread_mutex_lock(&q->lock);
    bool lasts = rc == RC_LIMIT || (rc == RC_TEMP && p->unwritten < UNWRITTEN_MAX);
    bool keeps = lasts && !q->stopping;
    if (keeps) {
        q->n_unwritten += p->unwritten++ == 0;
        p->op.next = q->unwritten;
        q->unwritten = &p->op;
    }
    pthread_mutex_unlock(&q->lock);
    return keeps;
}

void queue_rewrite(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    struct queue_op *op = q->unwritten;
    if (op) {
        q->unwritten = op->next;
        op->e = (struct err){0};
        queue_commit_later(q, op);
    }
    pthread_mutex_unlock(&q->lock);
}

static void written_at_last(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->n_unwritten--;
    queue_wake_all(q);
    pthread_mutex_unlock(&q->lock);
    queue_rewrite(q); /* the next one at once */
}

static void report_after(struct queue *q, void *arg, enum rc rc)
{
    struct report *p = arg;
    if (rc != RC_OK && keep_unwritten(q, p, rc))
        return;
    if (p->unwritten > 0)
        written_at_last(q);
    if (rc == RC_OK)
        added_log(&p->added, p->r.id);
    if (rc == RC_OK && p->gone.is)
        log_info("%s: removed", p->job->id);
    if (rc == RC_OK && p->gone.file)
        sync_release(q->sync, p->gone.file);
    pthread_mutex_lock(&q->lock);
    if (rc != RC_OK || any(p, QUEUE_NOT_TRIED)) /* its rows are due: read them again */
        sched_reread(p->job);
    if (p->job->transit && rc == RC_OK)
        transit_moved(q, p->job->transit);
    else if (p->job->transit)
        transit_back(q, p->job->transit);
    job_end(q, p->job, p->added_wait || any(p, QUEUE_DEFERRED));
    pthread_mutex_unlock(&q->lock);
    for (size_t i = 0; rc == RC_OK && i < p->touches.n; i++)
        sched_note(q, &p->touches.v[i]);
    arena_free(p->arena);
    free(p);
}

/* --- taking it --- */

static str keep(struct arena *a, str s, size_t max)
{
    return arena_str(a, str_sub(s, 0, max));
}

/* soft_bounce: what would be returned waits. */
static void soften(struct queue_outcome *o, struct arena *a)
{
    if (o->result != QUEUE_FAILED)
        return;
    o->result = QUEUE_DEFERRED;
    o->status = arena_printf(a, "4" STR_FMT, STR_ARG(str_from(o->status, 1)));
}

static void copy_report(const struct queue *q, struct report *p, const struct queue_report *r)
{
    struct queue_outcome *list = arena_array(p->arena, r->n ? r->n : 1, sizeof *list);
    must(list);
    for (size_t i = 0; i < r->n; i++) {
        list[i] = r->outcomes[i];
        list[i].status = keep(p->arena, r->outcomes[i].status, QUEUE_STATUS_MAX);
        list[i].reply = keep(p->arena, r->outcomes[i].reply, QUEUE_REPLY_MAX);
        list[i].remote = keep(p->arena, r->outcomes[i].remote, QUEUE_SITE_MAX);
        if (q->conf->soft_bounce)
            soften(&list[i], p->arena);
    }
    for (size_t i = 0; i < r->n_added; i++)
        p->added_wait |= r->added[i].waits;
    p->r = *r;
    p->r.id = arena_str(p->arena, r->id);
    p->r.outcomes = list;
    p->r.added = NULL;
}

/* A report may only speak of the job's own recipients. */
static bool is_of_job(const struct sched_job *job, const struct queue_report *r)
{
    if (r->n > job->n)
        return false;
    for (size_t i = 0; i < r->n; i++) {
        bool found = false;
        for (unsigned k = 0; k < job->n && !found; k++)
            found = job->rcpts[k] == r->outcomes[i].rcpt;
        if (!found)
            return false;
    }
    return true;
}

static void learn(struct queue *q, struct report *p)
{
    struct sched_site *site = p->job->site;
    p->site_n = site->n;
    if (p->r.site_failed) {
        if (sched_failure(q, site, queue_now(q), &p->retry, &p->failures))
            p->site = SITE_DEAD;
    } else if (sched_success(q, site)) {
        p->site = SITE_BACK;
    }
}

/* --- a job of an earlier process --- */

struct late {
    const struct queue_report *r;
    bool any;
    struct queue_gone gone;
};

/* Only deliveries count: whatever else became of it is found out again. */
static enum rc late_run(struct queue *q, void *arg, struct err *e)
{
    struct late *l = arg;
    enum rc rc = RC_OK;
    int64_t message = 0;
    l->any = false;
    l->gone = (struct queue_gone){.is = false};
    for (size_t i = 0; i < l->r->n && rc == RC_OK; i++) {
        const struct queue_outcome *o = &l->r->outcomes[i];
        if (o->result != QUEUE_RELAYED && o->result != QUEUE_RELAYED_BLIND &&
            o->result != QUEUE_RELAYED_TRACED)
            continue;
        rc = db_run(q->writer, e,
                    "DELETE FROM rcpt WHERE n=?1 AND message=(SELECT n FROM message WHERE id=?2)",
                    DB_I(o->rcpt), DB_T(l->r->id));
        l->any |= db_changes(q->writer) > 0;
    }
    if (rc == RC_OK)
        rc = db_get_int(q->writer, &message, e, "SELECT n FROM message WHERE id=?1", DB_T(l->r->id));
    if (rc == RC_OK)
        rc = rows_drop_message(q, message, &l->gone, e);
    if (rc == RC_OK && l->gone.is)
        departed_note(q->departed, l->r->id, clock_mono());
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc report_late(struct queue *q, const struct queue_report *r)
{
    struct late l = {.r = r};
    struct queue_op op = {.run = late_run, .arg = &l};
    enum rc rc = queue_commit(q, &op);
    if (rc == RC_OK && l.gone.file)
        sync_release(q->sync, l.gone.file);
    return rc != RC_OK ? rc : l.any ? RC_OK : RC_GONE;
}

static struct sched_job *find_job(struct queue *q, const struct queue_report *r)
{
    struct sched_job *job = map_find(q->sched->jobs, str_mem(&r->number, sizeof r->number));
    return job && is_of_job(job, r) ? job : NULL;
}

/* --- mail in transit --- */

/* Delivered, all of it, and nothing of it is in the tables. */
static bool is_at_its_end(const struct sched_job *job, const struct queue_report *r)
{
    return job->transit && transit_is_alone(job->transit) && r->n == job->n && !r->site_failed &&
           job->site->failures == 0 && is_plain(job, r);
}

/* Gives back the lock. */
static void end_transit(struct queue *q, struct sched_job *job)
{
    struct transit_message *m = job->transit;
    char id[QUEUE_ID_MAX + 1];
    memcpy(id, job->id, sizeof id);
    (void)sched_success(q, job->site); /* the tables know of no failure */
    transit_take_out(q, m);
    job_end(q, job, false);
    pthread_mutex_unlock(&q->lock);
    transit_forget(q, m);
    log_info("%s: removed", id);
}

enum rc queue_report(struct queue *q, const struct queue_report *r)
{
    struct arena *a = arena_new(ARENA_MAX);
    struct queue_added added;
    must(r->n_added <= QUEUE_RCPTS_MAX && added_make(q, r, a, &added)); /* so many fit the arena */
    queue_commit_throttle(q);
    pthread_mutex_lock(&q->lock);
    struct sched_job *job = find_job(q, r);
    if (!job || q->stopping) {
        bool late = !q->stopping;
        pthread_mutex_unlock(&q->lock);
        arena_free(a);
        return late ? report_late(q, r) : RC_TEMP;
    }
    (void)job_take_out(q, r->number);
    if (is_at_its_end(job, r)) {
        end_transit(q, job);
        arena_free(a);
        return RC_OK;
    }
    struct report *p = calloc(1, sizeof *p);
    must(p);
    p->job = job;
    p->arena = a;
    copy_report(q, p, r);
    p->added = added;
    learn(q, p);
    p->op = (struct queue_op){.run = report_run, .after = report_after, .arg = p};
    queue_commit_later(q, &p->op); /* before queue_flush of a queue that stops */
    pthread_mutex_unlock(&q->lock);
    return RC_OK;
}

void queue_give_back(struct queue *q, uint64_t number)
{
    pthread_mutex_lock(&q->lock);
    struct sched_job *job = job_take_out(q, number);
    if (job) {
        sched_reread(job);
        if (job->transit)
            transit_back(q, job->transit);
        job_end(q, job, false);
        queue_wake_all(q);
    }
    pthread_mutex_unlock(&q->lock);
}
