/* Jobs from queue, and reports to it. A worker keeps one channel; a job belongs to the channel over which it
 * came, so it is given to others when this process ends. */
#include "base/log.h"
#include "os/file.h"
#include "role/ipc.h"
#include "role/ipc_bytes.h"
#include "role/queue_client.h"
#include "role/smtp_impl.h"

#include <unistd.h>

enum { ANSWER_MS = 30000, REPORT_ATTEMPTS = 100, REPORT_PAUSE_MS = 100, CONTENT_MAX = 66 << 20 };

static enum rc call(struct smtp_worker *w, uint16_t reply, struct ipc_msg *m, msec deadline)
{
    if (!w->channel && channel_take(w->server->queue, &w->channel, clock_mono() + ANSWER_MS) != RC_OK)
        return RC_TEMP;
    enum rc rc = channel_call(w->channel, &w->ipc, NULL, 0, reply, m, deadline);
    if (rc != RC_OK)
        channel_release(&w->channel, true);
    return rc == RC_OK ? RC_OK : RC_TEMP;
}

static enum rc read_job(struct smtp_worker *w, struct ipc_msg *m, struct smtp_job *ret)
{
    str envelope;
    ret->site = (int64_t)ipc_get_u64(m);
    ret->site_name = arena_str(w->arena, ipc_get_str(m, QUEUE_SITE_MAX));
    ret->attempts = ipc_get_u32(m);
    ret->wanted = ipc_get_u32(m);
    if (ipc_get_bytes(m, QUEUE_ENVELOPE_MAX, w->arena, &envelope) != RC_OK)
        return RC_INVALID;
    bool in_file = ipc_get_u32(m) == 1;
    if (ipc_get_bytes(m, CONTENT_MAX, w->arena, &ret->content) != RC_OK)
        return RC_INVALID;
    if (in_file)
        ret->content_fd = ipc_take_fd(m);
    if (ipc_end(m) != RC_OK || queue_envelope_get(envelope, w->arena, &ret->envelope) != RC_OK ||
        ret->envelope.n > QUEUE_JOB_RCPTS_MAX)
        return RC_INVALID;
    return in_file || ret->content.n == ret->envelope.size ? RC_OK : RC_INVALID;
}

void smtp_queue_link(struct smtp_role *s, int fd)
{
    pthread_mutex_lock(&s->held.lock);
    s->held.generation++;
    s->held.owed = s->held.n;
    pthread_mutex_unlock(&s->held.lock);
    channel_pool_set_link(s->queue, fd);
}

static void hold(struct smtp_held *h, const struct smtp_job *job)
{
    pthread_mutex_lock(&h->lock);
    h->n++;
    h->owed += job->generation != h->generation;
    pthread_mutex_unlock(&h->lock);
}

void smtp_job_end(struct smtp_role *s, const struct smtp_job *job)
{
    struct smtp_held *h = &s->held;
    pthread_mutex_lock(&h->lock);
    h->n--;
    h->owed -= job->generation != h->generation;
    pthread_mutex_unlock(&h->lock);
}

static unsigned generation_of(struct smtp_held *h, unsigned *ret_owed)
{
    pthread_mutex_lock(&h->lock);
    unsigned generation = h->generation;
    *ret_owed = h->owed;
    pthread_mutex_unlock(&h->lock);
    return generation;
}

/* A job of this generation in an answer, which it ends. */
static enum rc get_job(struct smtp_worker *w, struct ipc_msg *m, unsigned generation, struct smtp_job *ret)
{
    arena_reset(w->arena);
    *ret = (struct smtp_job){.number = ipc_get_u64(m), .generation = generation, .content_fd = -1};
    enum rc rc = ret->number == 0 ? RC_GONE : read_job(w, m, ret);
    ipc_msg_deinit(m);
    if (rc == RC_OK) { /* its content lies there, while the other one is used for the report */
        struct buf other = w->job;
        w->job = w->ipc;
        w->ipc = other;
    }
    if (rc == RC_OK)
        hold(&w->server->held, ret);
    if (rc == RC_OK || rc == RC_GONE)
        return rc;
    log_error("queue sent a job that cannot be read");
    fd_closep(&ret->content_fd);
    channel_release(&w->channel, true);
    return RC_TEMP;
}

enum rc smtp_take(struct smtp_worker *w, int64_t keep, uint32_t wait_ms, struct smtp_job *ret)
{
    struct ipc_msg m;
    unsigned owed, generation = generation_of(&w->server->held, &owed);
    ipc_begin(&w->ipc, MSG_QUEUE_TAKE);
    ipc_put_u64(&w->ipc, (uint64_t)keep);
    ipc_put_u32(&w->ipc, wait_ms);
    ipc_put_u32(&w->ipc, owed);
    return call(w, MSG_QUEUE_JOB, &m, clock_mono() + wait_ms + ANSWER_MS) == RC_OK
               ? get_job(w, &m, generation, ret)
               : RC_TEMP;
}

static void put_report(struct smtp_worker *w, const struct smtp_job *job, bool wants_next)
{
    ipc_begin(&w->ipc, MSG_QUEUE_REPORT);
    ipc_put_u64(&w->ipc, job->number);
    ipc_put_str(&w->ipc, job->envelope.id);
    ipc_put_u32(&w->ipc, job->site_failed ? 1 : 0);
    ipc_put_u32(&w->ipc, (uint32_t)job->envelope.n);
    for (size_t i = 0; i < job->envelope.n; i++) {
        const struct queue_outcome *o = &job->outcomes[i];
        ipc_put_u64(&w->ipc, (uint64_t)o->rcpt);
        ipc_put_u32(&w->ipc, o->result);
        ipc_put_u32(&w->ipc, (uint32_t)o->code);
        ipc_put_str(&w->ipc, str_sub(o->status, 0, 11));
        ipc_put_str(&w->ipc, str_sub(o->reply, 0, QUEUE_REPLY_MAX));
        ipc_put_str(&w->ipc, str_sub(o->remote, 0, QUEUE_SITE_MAX));
    }
    ipc_put_u32(&w->ipc, wants_next ? 1 : 0);
    ipc_put_u64(&w->ipc, (uint64_t)w->site);
}

enum rc smtp_report(struct smtp_worker *w, const struct smtp_job *job, struct smtp_job *ret_next)
{
    for (int attempt = 0; attempt < REPORT_ATTEMPTS; attempt++) {
        struct ipc_msg m;
        struct err answer = {0};
        unsigned owed, generation = generation_of(&w->server->held, &owed);
        put_report(w, job, ret_next != NULL);
        if (call(w, MSG_QUEUE_REPORT_REPLY, &m, clock_mono() + ANSWER_MS) == RC_OK) {
            ipc_get_err(&m, &answer);
            bool taken = answer.rc == RC_OK || answer.rc == RC_GONE;
            if (taken && ret_next)
                return get_job(w, &m, generation, ret_next);
            ipc_msg_deinit(&m);
            if (taken)
                return RC_GONE;
        }
        usleep(REPORT_PAUSE_MS * 1000);
    }
    log_error(STR_FMT ": queue does not take the report; what was delivered may be delivered again",
              STR_ARG(job->envelope.id));
    return RC_GONE;
}

static bool tell_owed(struct smtp_role *s, unsigned owed)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    ipc_begin(&b, MSG_QUEUE_OWED);
    ipc_put_u32(&b, owed);
    if (channel_pool_call(s->queue, &b, NULL, 0, MSG_QUEUE_REPORT_REPLY, &m, clock_mono() + ANSWER_MS) !=
        RC_OK)
        return false;
    ipc_msg_deinit(&m);
    return true;
}

void smtp_wait_reported(struct smtp_role *s)
{
    unsigned told = 0; /* the generation that was told */
    for (unsigned n = 1; n > 0; usleep(REPORT_PAUSE_MS * 1000)) {
        pthread_mutex_lock(&s->held.lock);
        unsigned generation = s->held.generation, owed = s->held.owed;
        n = s->held.n;
        pthread_mutex_unlock(&s->held.lock);
        if (n > 0 && generation != told && tell_owed(s, owed))
            told = generation;
    }
}
