/* One function per question that queue answers. */
#include "base/log.h"
#include "os/file.h"
#include "role/ipc.h"
#include "role/ipc_bytes.h"
#include "role/queue_client.h"
#include "role/queue_impl.h"

#include <errno.h>
#include <unistd.h>

enum {
    PUT_ARENA = 4 << 20,
    JOB_ARENA = 8 << 20,
    REPORT_ARENA = 1 << 20,
    TAKE_WAIT_MAX_MS = 60000,
    NEXT_JOB_MS = 20, /* whoever reports waits so long for another one in the same question */
    OWED_MAX = 100000
};

struct queue_conn { /* a channel's state: the job that whoever asks has */
    uint64_t job;
    char *probe; /* the address that it verifies; NULL: it is no probe */
};

void queue_closed(void *ctx, void *conn)
{
    struct queue_peer *p = ctx;
    struct queue_conn *c = conn;
    if (c->job)
        queue_give_back(p->server->queue, c->job);
    free(c->probe);
    free(c);
}

/* --- spool files --- */

static enum rc lend(const struct queue_peer *p, struct ipc_msg *m, struct buf *reply, int *reply_fds,
                    unsigned *ret_n_fds)
{
    struct err e = {0};
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    int fd = spool_lend(p->server->spool, 0);
    if (fd < 0) {
        bool full = errno == ENOSPC || errno == EDQUOT;
        (void)err_set(&e, full ? RC_LIMIT : RC_TEMP, full ? 452 : 451, full ? "4.3.1" : "4.3.0", "%s",
                      full ? "Insufficient system storage" : "Local error in processing");
        err_note(&e, "spool: %s", strerror(errno));
        log_error("%s", err_text(&e));
    }
    ipc_begin(reply, MSG_SPOOL_LENT);
    ipc_put_err(reply, &e);
    if (fd >= 0)
        reply_fds[(*ret_n_fds)++] = fd;
    return RC_OK;
}

/* --- putting in --- */

static enum rc put(const struct queue_peer *p, struct ipc_msg *m, struct buf *reply)
{
    AUTO(arena_freep) struct arena *a = arena_new(PUT_ARENA);
    AUTO(buf_deinit) struct buf room = BUF_INIT(p->server->role->conf->spool_memory_limit);
    AUTO(fd_closep) int memory = -1, file = -1; /* where the content is, or was; a lent one */
    struct queue_envelope v;
    struct err e = {0};
    str bytes, content;
    enum rc rc = ipc_get_bytes(m, QUEUE_ENVELOPE_MAX, a, &bytes);
    bool lent = ipc_get_u32(m) == 1;
    if (rc == RC_OK)
        rc = ipc_get_bytes_in_file(m, &room, &content, &memory);
    if (rc == RC_OK && lent)
        file = ipc_take_fd(m);
    if (rc == RC_OK && (ipc_end(m) != RC_OK || queue_envelope_get(bytes, a, &v) != RC_OK))
        rc = RC_INVALID;
    if (rc == RC_OK && (lent ? content.n > 0 : v.size != content.n))
        rc = RC_INVALID;
    if (rc == RC_OK && v.flags & QUEUE_PROBE) /* only this role sends them */
        rc = RC_INVALID;
    if (rc == RC_INVALID)
        return RC_INVALID;
    if (rc == RC_OK)
        rc = queue_put(p->server->queue, &v, content, lent ? file : memory, &e);
    else
        (void)err_set(&e, rc, 451, "4.3.0", "Insufficient system resources");
    ipc_begin(reply, MSG_QUEUE_PUT_REPLY);
    ipc_put_err(reply, &e);
    return RC_OK;
}

/* --- taking out --- */

static void put_job(const struct queue_job *job, struct buf *reply, int *fds, unsigned *n)
{
    AUTO(buf_deinit) struct buf envelope = BUF_INIT(QUEUE_ENVELOPE_MAX);
    queue_envelope_put(&envelope, &job->envelope);
    must(!envelope.overflow); /* it has fewer recipients than the one that was put in */
    ipc_put_u64(reply, job->number);
    ipc_put_u64(reply, (uint64_t)job->site);
    ipc_put_str(reply, job->site_name);
    ipc_put_u32(reply, job->attempts);
    ipc_put_u32(reply, job->wanted);
    bool fine = ipc_put_bytes(reply, buf_str(&envelope), fds, n) == RC_OK;
    ipc_put_u32(reply, job->content_fd >= 0 ? 1 : 0);
    fine = fine && ipc_put_bytes(reply, job->content, fds, n) == RC_OK;
    must(fine); /* out of descriptors: the limit is far above what all channels need */
    if (job->content_fd >= 0)
        fds[(*n)++] = job->content_fd;
}

/* What smtp still has from the queue before this one lies here as if nobody had tried it. */
static void note_owed(struct queue_peer *p, int owed)
{
    if (atomic_exchange(&p->told, true))
        return;
    atomic_fetch_add(&p->server->owed, owed);
    atomic_fetch_sub(&p->server->silent, 1);
}

void queue_peer_gone(void *ctx)
{
    note_owed(ctx, 0);
}

static bool lacks_reports(const struct queue_role *s)
{
    return (atomic_load(&s->silent) > 0 || atomic_load(&s->owed) > 0) && clock_mono() < s->serves_from;
}

static void wait_for_reports(const struct queue_role *s)
{
    while (lacks_reports(s))
        usleep(10000);
}

static enum rc owed(struct queue_peer *p, struct ipc_msg *m, struct buf *reply)
{
    struct err none = {0};
    uint32_t n = ipc_get_u32(m);
    if (ipc_end(m) != RC_OK || n > OWED_MAX)
        return RC_INVALID;
    note_owed(p, (int)n);
    ipc_begin(reply, MSG_QUEUE_REPORT_REPLY);
    ipc_put_err(reply, &none);
    return RC_OK;
}

/* The next job, or that there is none. */
static void give_job(struct queue_peer *p, struct queue_conn *c, int64_t keep, msec deadline,
                     struct buf *reply, int *reply_fds, unsigned *ret_n_fds)
{
    AUTO(arena_freep) struct arena *a = arena_new(JOB_ARENA);
    struct queue_job job;
    if (queue_take(p->server->queue, QUEUE_REMOTE, keep, deadline, a, &job) != RC_OK) {
        ipc_put_u64(reply, 0);
        return;
    }
    c->job = job.number;
    str_freep(&c->probe);
    c->probe = job.envelope.flags & QUEUE_PROBE ? str_dup(job.envelope.rcpts[0].address) : NULL;
    put_job(&job, reply, reply_fds, ret_n_fds);
}

static enum rc take(struct queue_peer *p, struct queue_conn *c, struct ipc_msg *m, struct buf *reply,
                    int *reply_fds, unsigned *ret_n_fds)
{
    int64_t keep = (int64_t)ipc_get_u64(m);
    uint32_t wait = ipc_get_u32(m), owes = ipc_get_u32(m);
    if (ipc_end(m) != RC_OK || c->job || owes > OWED_MAX)
        return RC_INVALID;
    note_owed(p, (int)owes);
    wait_for_reports(p->server);
    msec deadline = clock_mono() + (wait < TAKE_WAIT_MAX_MS ? wait : TAKE_WAIT_MAX_MS);
    ipc_begin(reply, MSG_QUEUE_JOB);
    give_job(p, c, keep, deadline, reply, reply_fds, ret_n_fds);
    return RC_OK;
}

/* --- reports --- */

static void get_outcome(struct ipc_msg *m, struct queue_outcome *o)
{
    o->rcpt = (int64_t)ipc_get_u64(m);
    uint32_t result = ipc_get_u32(m);
    o->code = (int)(ipc_get_u32(m) % 1000);
    o->status = ipc_get_str(m, 11);
    o->reply = ipc_get_str(m, QUEUE_REPLY_MAX);
    o->remote = ipc_get_str(m, QUEUE_SITE_MAX);
    if (result > QUEUE_NOT_TRIED || result == QUEUE_EXPANDED || result == QUEUE_DELIVERED)
        m->malformed = true; /* not what can become of remote mail */
    else
        o->result = (enum queue_result)result;
}

static enum rc report(struct queue_peer *p, struct queue_conn *c, struct ipc_msg *m, struct buf *reply,
                      int *reply_fds, unsigned *ret_n_fds)
{
    struct queue_outcome list[QUEUE_JOB_RCPTS_MAX];
    struct err e = {0};
    struct queue_report r = {.number = ipc_get_u64(m), .id = ipc_get_str(m, QUEUE_ID_MAX), .outcomes = list};
    r.site_failed = ipc_get_u32(m) == 1;
    uint32_t n = ipc_get_u32(m);
    if (m->malformed || n > QUEUE_JOB_RCPTS_MAX)
        return RC_INVALID;
    for (; r.n < n; r.n++)
        get_outcome(m, &list[r.n]);
    bool wants_job = ipc_get_u32(m) == 1;
    int64_t keep = (int64_t)ipc_get_u64(m);
    if (ipc_end(m) != RC_OK || (c->job && c->job != r.number))
        return RC_INVALID;
    for (size_t i = 0; c->job && c->probe && i < n; i++)
        queue_verify_note(p->server, str_c(c->probe), &list[i]);
    e.rc = queue_report(p->server->queue, &r);
    if (!c->job)
        atomic_fetch_sub(&p->server->owed, 1);
    c->job = 0;
    ipc_begin(reply, MSG_QUEUE_REPORT_REPLY);
    ipc_put_err(reply, &e);
    if (wants_job && !lacks_reports(p->server))
        give_job(p, c, keep, clock_mono() + NEXT_JOB_MS, reply, reply_fds, ret_n_fds);
    else
        ipc_put_u64(reply, 0);
    return RC_OK;
}

/* --- who may ask what --- */

static bool permitted(const struct queue_peer *p, uint16_t type)
{
    bool smtp = str_eq(str_c(p->name), S("smtp"));
    switch ((enum ipc_type)type) {
    case MSG_SPOOL_BORROW:
    case MSG_QUEUE_PUT:
    case MSG_VERIFY_ASK:
        return !smtp;
    case MSG_QUEUE_TAKE:
    case MSG_QUEUE_REPORT:
    case MSG_QUEUE_OWED:
    case MSG_STS_FIND:
    case MSG_STS_KEEP:
    case MSG_TLS_SESSION:
        return smtp;
    default:
        return false;
    }
}

enum rc queue_handle(void *ctx, void **conn, struct ipc_msg *m, struct buf *reply, int *reply_fds,
                     unsigned *ret_n_fds)
{
    struct queue_peer *p = ctx;
    struct queue_conn *c = *conn;
    if (!permitted(p, m->type)) {
        log_error("%s may not ask %s", p->name, ipc_type_name(m->type));
        return RC_INVALID;
    }
    if (!c) {
        *conn = c = calloc(1, sizeof *c);
        must(c);
    }
    switch ((enum ipc_type)m->type) {
    case MSG_SPOOL_BORROW:
        return lend(p, m, reply, reply_fds, ret_n_fds);
    case MSG_QUEUE_PUT:
        return put(p, m, reply);
    case MSG_QUEUE_TAKE:
        return take(p, c, m, reply, reply_fds, ret_n_fds);
    case MSG_QUEUE_OWED:
        return owed(p, m, reply);
    case MSG_STS_FIND:
        return queue_tls_find(p->server, m, reply);
    case MSG_STS_KEEP:
        return queue_tls_keep(p->server, m, reply);
    case MSG_TLS_SESSION:
        return queue_tls_count(p->server, m, reply);
    case MSG_VERIFY_ASK:
        return queue_verify_ask(p->server, m, reply);
    default:
        return report(p, c, m, reply, reply_fds, ret_n_fds);
    }
}
