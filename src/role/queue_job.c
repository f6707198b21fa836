/* What the threads of queue that deliver by themselves (queue_local.c, queue_command.c) share: questions to
 * auth, and what became of a recipient. */
#include "account/identity.h"
#include "base/log.h"
#include "fmt/crlf.h"
#include "fmt/delay.h"
#include "os/file.h"
#include "os/thread.h"
#include "role/convert.h"
#include "role/ipc.h"
#include "role/queue_impl.h"
#include "role/rcpt_targets.h"
#include "role/status_filter.h"
#include "table/settings.h"

enum { ARENA_MAX = 8 << 20, TAKE_WAIT_MS = 60000, STACK = 512 << 10 };

static void *worker_main(void *arg)
{
    struct queue_worker *w = arg;
    struct queue_job job;
    for (;;) {
        arena_reset(w->arena);
        if (queue_take(w->server->queue, w->kind, 0, clock_mono() + TAKE_WAIT_MS, w->arena, &job) == RC_OK)
            w->run(w, &job);
    }
    return NULL;
}

void queue_workers_start(struct queue_role *s, enum queue_kind kind, int n, const char *name,
                         void (*run)(struct queue_worker *w, const struct queue_job *job))
{
    for (int i = 0; i < n; i++) {
        struct queue_worker *w = calloc(1, sizeof *w); /* lives as long as its thread: for ever */
        must(w);
        *w = (struct queue_worker){
            .server = s, .kind = kind, .run = run, .arena = arena_new(ARENA_MAX), .ipc = BUF_INIT(IPC_MAX)};
        must(thread_start(worker_main, w, STACK, name) == RC_OK);
    }
}

enum rc queue_resolve(const struct queue_role *s, struct buf *ipc, str address, struct arena *a,
                      struct smtp_target **ret, size_t *ret_n, struct err *e)
{
    struct ipc_msg m;
    ipc_begin(ipc, MSG_RCPT_LOOKUP);
    ipc_put_str(ipc, address);
    if (channel_pool_ask(s->auth, ipc, MSG_RCPT_REPLY, &m, clock_mono() + LOCAL_IPC_TIMEOUT_MS) != RC_OK)
        return err_set(e, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
    ipc_get_err(&m, e);
    enum rc rc = e->rc;
    if (rc == RC_OK && rcpt_targets_get(&m, a, ret, ret_n) != RC_OK)
        rc = err_set(e, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
    ipc_msg_deinit(&m);
    return rc;
}

enum rc queue_find_forwarded(const struct queue_role *s, struct buf *ipc, str sender, struct arena *a,
                             str *ret, struct err *e)
{
    struct ipc_msg m;
    if (ret->n > 0 || sender.n == 0)
        return RC_OK;
    ipc_begin(ipc, MSG_SENDER_REWRITE);
    ipc_put_str(ipc, sender);
    if (channel_pool_ask(s->auth, ipc, MSG_SENDER_REWRITE_REPLY, &m, clock_mono() + LOCAL_IPC_TIMEOUT_MS) !=
        RC_OK)
        return err_set(e, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
    ipc_get_err(&m, e);
    (void)ipc_get_str(&m, IDENTITY_ACCOUNT_MAX); /* it has its canonical form already */
    *ret = arena_str(a, ipc_get_str(&m, IDENTITY_ACCOUNT_MAX));
    if (e->rc == RC_OK && (ipc_end(&m) != RC_OK || ret->n == 0))
        (void)err_set(e, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
    ipc_msg_deinit(&m);
    return e->rc;
}

enum rc queue_make_lines(struct queue_job *job, struct buf *converted, struct err *e)
{
    const struct convert_source from = {
        .content = job->content, .fd = job->content_fd, .size = job->envelope.size, .binary = true};
    enum rc rc = convert_to_7bit(&from, true, converted);
    if (rc != RC_OK)
        return rc == RC_PERM ? err_set(e, rc, 554, "5.6.3", "the binary content cannot be converted")
                             : err_set(e, rc, 451, "4.3.0", "the content cannot be read");
    fd_closep(&job->content_fd);
    job->content = buf_str(converted);
    job->envelope.size = converted->n;
    job->envelope.lines = crlf_lines(buf_str(converted));
    return RC_OK;
}

void queue_set_outcome(struct queue_outcome *o, enum queue_result result, const struct err *e,
                       struct arena *a)
{
    o->result = result;
    o->code = e->code;
    o->status = arena_str(a, str_c(e->enhanced[0]           ? e->enhanced
                                   : result == QUEUE_FAILED ? "5.0.0"
                                                            : "4.3.0"));
    o->reply = arena_str(a, str_c(e->peer[0] ? e->peer : "Temporary failure"));
}

static void filter_outcome(const struct queue_role *s, struct arena *a, struct queue_outcome *o,
                           enum log_program program)
{
    static const struct {
        enum log_program program;
        enum table_setting tables;
        const char *name;
    } filters[] = {{LOG_AS_LOCAL, TABLES_LOCAL_STATUS_FILTER, "local_delivery_status_filter"},
                   {LOG_AS_PIPE, TABLES_PIPE_STATUS_FILTER, "pipe_delivery_status_filter"},
                   {LOG_AS_VIRTUAL, TABLES_VIRTUAL_STATUS_FILTER, "virtual_delivery_status_filter"}};
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        if (filters[i].program == program)
            status_filter_apply(s->tables->v[filters[i].tables], filters[i].name, a, o, &o->reply);
}

void queue_log_outcomes(const struct queue_role *s, struct arena *a, const struct queue_job *job,
                        struct queue_outcome *outcomes, const char *relay, enum log_program program)
{
    const struct conf *c = s->role->conf;
    char delay[DELAY_SIZE];
    delay_format(clock_wall() / 1000 - job->envelope.arrived, delay);
    for (size_t i = 0; i < job->envelope.n; i++) {
        const struct queue_rcpt *r = &job->envelope.rcpts[i];
        struct queue_outcome *o = &outcomes[i];
        if (o->result == QUEUE_NOT_TRIED)
            continue;
        filter_outcome(s, a, o, program);
        bool sent = o->result == QUEUE_DELIVERED || o->result == QUEUE_RELAYED_BLIND;
        const char *status = sent                          ? "sent"
                             : o->result == QUEUE_EXPANDED ? "expanded"
                             : o->result == QUEUE_DEFERRED ? "deferred"
                             : c->soft_bounce              ? "SOFTBOUNCE"
                                                           : "bounced";
        str open = r->orig.n ? S(", orig_to=<") : S(""), close = r->orig.n ? S(">") : S("");
        char dsn[QUEUE_STATUS_MAX + 1];
        snprintf(dsn, sizeof dsn, STR_FMT, STR_ARG(o->status));
        if (o->result == QUEUE_FAILED && c->soft_bounce)
            dsn[0] = '4';
        log_info_of(program,
                    STR_FMT ": to=<" STR_FMT ">" STR_FMT STR_FMT STR_FMT
                            ", relay=%s, delay=%s, dsn=%s, status=%s (" STR_FMT ")",
                    STR_ARG(job->envelope.id), STR_ARG(r->address), STR_ARG(open), STR_ARG(r->orig),
                    STR_ARG(close), relay, delay, dsn, status, STR_ARG(o->reply));
    }
}
