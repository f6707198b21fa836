/* Jobs: taking the next one. Whose turn it is: an open connection's site first, then the sites in their ring,
 * the lanes of a site in theirs, and in a lane what has been due longest. */
#include "base/log.h"
#include "fmt/smtp_cmd.h"
#include "os/file.h"
#include "os/thread.h"
#include "queue/transit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { READY_MAX = 64 };

/* --- forming a job from rows --- */

static void job_add(struct queue *q, struct sched_job *job, int64_t n)
{
    job->rcpts[job->n++] = n;
    map_put(q->sched->running, sched_key(&n), job);
    if (job->lane)
        job->lane->busy++;
}

static struct sched_job *new_job(struct queue *q, struct sched_site *site, int64_t message)
{
    struct sched_job *job = calloc(1, sizeof *job);
    must(job);
    job->number = q->sched->next_number++;
    job->site = site;
    job->message = message;
    sched_begin(site);
    site->jobs++;
    map_put(q->sched->jobs, str_mem(&job->number, sizeof job->number), job);
    return job;
}

/* The first row of the lane and those behind it that are of the same message. */
static struct sched_job *form_job(struct queue *q, struct sched_site *site, struct sched_lane *lane)
{
    unsigned most = (unsigned)sched_conf_of(q, site)->smtp_destination_recipient_limit;
    struct sched_job *job = new_job(q, site, lane->rows[lane->at].message);
    job->lane = lane;
    if (most > QUEUE_JOB_RCPTS_MAX)
        most = QUEUE_JOB_RCPTS_MAX;
    while (lane->at < lane->n_rows && lane->rows[lane->at].message == job->message && job->n < most)
        job_add(q, job, lane->rows[lane->at++].n);
    sched_row_taken(site);
    return job;
}

static struct sched_job *form_transit_job(struct queue *q, struct sched_site *site, struct transit_message *m)
{
    struct sched_job *job = new_job(q, site, m->n);
    job->transit = m;
    for (size_t i = 0; i < m->v.n; i++)
        job_add(q, job, m->v.rcpts[i].n);
    sched_row_taken(site);
    return job;
}

void job_end(struct queue *q, struct sched_job *job, bool deferred)
{
    for (unsigned i = 0; i < job->n; i++)
        map_del(q->sched->running, sched_key(&job->rcpts[i]));
    job->site->jobs--;
    sched_rows_done(q, job, deferred);
    sched_rest(q, job->site);
    free(job);
}

struct sched_job *job_take_out(struct queue *q, uint64_t number)
{
    struct sched_job *job = map_del(q->sched->jobs, str_mem(&number, sizeof number));
    if (job)
        sched_end(q, job->site);
    return job;
}

/* --- its content --- */

static struct queue_rcpt read_rcpt(struct db_stmt *s, int64_t n, struct arena *a)
{
    return (struct queue_rcpt){.n = n,
                               .address = arena_str(a, db_text(s, 0)),
                               .orig = arena_str(a, db_text(s, 1)),
                               .orcpt = arena_str(a, db_text(s, 2)),
                               .notify = (unsigned)db_int(s, 3),
                               .local = db_int(s, 4) != 0,
                               .resolved = db_int(s, 4) == 2,
                               .via = arena_str(a, db_text(s, 11)),
                               .was = {.attempts = (unsigned)db_int(s, 5),
                                       .tried = db_int(s, 6),
                                       .code = (int)db_int(s, 7),
                                       .status = arena_str(a, db_text(s, 8)),
                                       .reply = arena_str(a, db_text(s, 9)),
                                       .remote = arena_str(a, db_text(s, 10))}};
}

static enum rc read_rcpts(struct queue *q, struct sched_job *job, struct arena *a, struct queue_job *ret,
                          struct err *e)
{
    ret->envelope.rcpts = arena_array(a, job->n, sizeof *ret->envelope.rcpts);
    ret->envelope.n = 0;
    for (unsigned i = 0; i < job->n && ret->envelope.rcpts; i++) {
        AUTO(db_done) struct db_stmt *s = NULL;
        enum rc rc = db_query(
            q->reader, &s, e,
            "SELECT address,orig,orcpt,notify,local,attempts,tried,code,status,reply,remote,via,asked FROM "
            "rcpt"
            " WHERE n=?1 AND lane=?2 AND state=0 AND held=0",
            DB_I(job->rcpts[i]), DB_I(job->lane->n));
        if (rc == RC_OK)
            rc = db_step(s, e);
        if (rc == RC_GONE)
            continue; /* deleted, held, returned or routed anew meanwhile */
        if (rc != RC_OK)
            return rc;
        struct queue_rcpt *r = &ret->envelope.rcpts[ret->envelope.n++];
        *r = read_rcpt(s, job->rcpts[i], a);
        job->asked |= (r->notify & SMTP_NOTIFY_SUCCESS) != 0;
        ret->asked_for |= db_int(s, 12) != 0;
    }
    if (ret->envelope.n > 0)
        ret->attempts = ret->envelope.rcpts[0].was.attempts;
    return ret->envelope.n > 0 ? RC_OK : RC_GONE;
}

static enum rc read_rows(struct queue *q, struct sched_job *job, struct arena *a, struct queue_job *ret,
                         struct queue_content *content, struct err *e)
{
    const struct conf *c = q->conf;
    enum rc rc = rows_read_message(q->reader, job->message, a, &ret->envelope, content, e);
    if (rc != RC_OK)
        return rc;
    job->asked |= c->confirm_delay_cleared && ret->envelope.flags & QUEUE_WARNED;
    return read_rcpts(q, job, a, ret, e);
}

static enum rc read_transit(struct sched_job *job, struct arena *a, struct queue_job *ret,
                            struct queue_content *content, struct err *e)
{
    const struct transit_message *m = job->transit;
    ret->is_fresh = true;
    *content = (struct queue_content){.file = m->content.file};
    if (!content->file && m->memory < 0)
        content->bytes = m->content.bytes; /* it stays until the job is reported */
    if (m->memory >= 0 && (ret->content_fd = fcntl(m->memory, F_DUPFD_CLOEXEC, 0)) < 0)
        return err_set(e, RC_TEMP, 451, "4.3.0", "no descriptor for a message: %s", strerror(errno));
    if (queue_envelope_get(m->envelope, a, &ret->envelope) != RC_OK || arena_exhausted(a))
        return err_set(e, RC_TEMP, 451, "4.3.0", "not enough memory for a message");
    for (size_t i = 0; i < ret->envelope.n; i++)
        job->asked |= (ret->envelope.rcpts[i].notify & SMTP_NOTIFY_SUCCESS) != 0;
    return RC_OK;
}

static enum rc read_job(struct queue *q, struct sched_job *job, struct arena *a, struct queue_job *ret,
                        struct err *e)
{
    *ret = (struct queue_job){.number = job->number,
                              .message = job->message,
                              .earlier = job->message < q->first_row,
                              .site = job->site->n,
                              .site_name = arena_str(a, str_c(job->site->name)),
                              .content_fd = -1};
    struct queue_content content = {.file = 0};
    enum rc rc =
        job->transit ? read_transit(job, a, ret, &content, e) : read_rows(q, job, a, ret, &content, e);
    if (rc == RC_OK)
        must(str_copy(job->id, sizeof job->id, ret->envelope.id) == RC_OK);
    ret->content = content.bytes;
    if (rc == RC_OK && content.file) {
        ret->content_fd = spool_read(q->spool, content.file);
        if (ret->content_fd < 0)
            rc = err_set(e, RC_TEMP, 451, "4.3.0", STR_FMT ": its spool file content.%lld cannot be read: %s",
                         STR_ARG(ret->envelope.id), (long long)content.file, strerror(errno));
    }
    return rc;
}

/* --- whose turn it is --- */

static struct sched_job *next_of_site(struct queue *q, struct sched_site *site, int64_t now)
{
    if (!sched_site_ready(q, site, now))
        return NULL;
    struct transit_message *m = transit_next(site);
    if (m)
        return form_transit_job(q, site, m);
    struct sched_lane *lane = sched_next_lane(q, site, now);
    return lane ? form_job(q, site, lane) : NULL;
}

static struct sched_job *next_job(struct queue *q, enum queue_kind kind, int64_t keep, int64_t now)
{
    struct sched_site *kept = keep ? map_find(q->sched->sites, sched_key(&keep)) : NULL;
    struct sched_job *job = kept && kept->kind == kind ? next_of_site(q, kept, now) : NULL;
    struct sched_site **ring = &q->sched->ring[kind], *first = *ring, *site = first;
    while (!job && site) {
        struct sched_site *following = site->next == first ? NULL : site->next;
        job = next_of_site(q, site, now);
        if (job && *ring)
            *ring = site->next; /* the others are asked first next time */
        site = following;
    }
    return job;
}

/* Jobs of a site that are known of: a lane whose rows are in the tables alone may have one. */
static unsigned known_jobs(const struct sched_site *site)
{
    unsigned n = site->more_lanes + site->n_transit, free = (unsigned)site->window - site->inflight;
    for (unsigned i = 0; i < site->n_lanes; i++)
        n += site->lanes[i]->n_rows - site->lanes[i]->at + !site->lanes[i]->drained;
    return n < free ? n : free;
}

/* Jobs that could be taken at once. */
static unsigned ready_jobs(const struct queue *q, enum queue_kind kind, int64_t now)
{
    const struct sched_site *first = q->sched->ring[kind], *site = first;
    unsigned n = 0;
    while (site && n < READY_MAX) {
        if (sched_site_ready(q, site, now))
            n += known_jobs(site);
        site = site->next == first ? NULL : site->next;
    }
    return n;
}

static void wait_for_change(struct queue *q, enum queue_kind kind, msec deadline)
{
    int64_t until_look = q->sched->look_at - queue_now(q);
    msec now = clock_mono(),
         end = until_look < deadline - now ? now + (until_look < 1 ? 1 : until_look) : deadline;
    (void)thread_cond_wait(&q->changed[kind], &q->lock, end);
}

/* A message that cannot be read must not keep those behind it waiting. */
static void defer_unreadable(struct queue *q, const struct sched_job *job, const struct err *why)
{
    struct queue_outcome list[QUEUE_JOB_RCPTS_MAX];
    struct queue_report r = {.number = job->number, .outcomes = list, .n = job->n};
    for (unsigned i = 0; i < job->n; i++)
        list[i] = (struct queue_outcome){.rcpt = job->rcpts[i],
                                         .result = QUEUE_DEFERRED,
                                         .status = S("4.3.0"),
                                         .reply = str_c(err_text(why))};
    log_error("queue: %s", err_text(why));
    pthread_mutex_unlock(&q->lock);
    if (queue_report(q, &r) != RC_OK)
        log_error("queue: a job is gone");
    pthread_mutex_lock(&q->lock);
}

/* The next job of the kind, ready to go; RC_GONE: none now. ret_wake: one of those who wait may have another
 * one. */
static enum rc try_take(struct queue *q, enum queue_kind kind, int64_t keep, struct arena *a,
                        struct queue_job *ret, bool *ret_wake)
{
    if (q->n_unwritten > 0) /* more would be delivered without being written down */
        return RC_GONE;
    for (;;) {
        struct err e = {0};
        int64_t now = queue_now(q);
        if (now >= q->sched->look_at)
            sched_look(q, now);
        struct sched_job *job = next_job(q, kind, keep, now);
        if (!job)
            return RC_GONE;
        enum rc rc = read_job(q, job, a, ret, &e);
        if (rc == RC_OK) {
            unsigned ready = ready_jobs(q, kind, now), idle = q->sched->idle[kind];
            ret->wanted = ready > idle ? ready - idle : 0;
            *ret_wake = ready > q->sched->awake[kind] && sched_wakes(q, kind);
            return RC_OK;
        }
        arena_reset(a);
        if (rc != RC_GONE) {
            defer_unreadable(q, job, &e);
            continue;
        }
        must(job_take_out(q, job->number) == job); /* deleted meanwhile */
        job_end(q, job, false);
    }
}

static enum rc take_once(struct queue *q, enum queue_kind kind, int64_t keep, msec deadline, struct arena *a,
                         struct queue_job *ret)
{
    enum rc rc = RC_GONE;
    bool wake = false;
    pthread_mutex_lock(&q->lock);
    while (!q->stopping && (rc = try_take(q, kind, keep, a, ret, &wake)) == RC_GONE &&
           clock_mono() < deadline) {
        q->sched->idle[kind]++;
        wait_for_change(q, kind, deadline);
        q->sched->idle[kind]--;
        q->sched->awake[kind] -= q->sched->awake[kind] > 0;
    }
    pthread_mutex_unlock(&q->lock);
    if (wake) /* without the lock, which that one needs */
        pthread_cond_signal(&q->changed[kind]);
    return rc;
}

enum rc queue_take(struct queue *q, enum queue_kind kind, int64_t keep, msec deadline, struct arena *a,
                   struct queue_job *ret)
{
    enum rc rc;
    while ((rc = take_once(q, kind, keep, deadline, a, ret)) == RC_OK) {
        bool deferred = queue_defer(q, ret);
        if (!deferred && ret->is_fresh)
            return rc;
        bool lasts =
            deferred || sync_until(q->sync, ret->message, deadline); /* what does not may be put once more */
        if (lasts && !deferred && !queue_reroute(q, ret, a))
            return rc;
        fd_closep(&ret->content_fd);
        if (!lasts) {
            queue_give_back(q, ret->number);
            return RC_GONE;
        }
        arena_reset(a);
    }
    return rc;
}
