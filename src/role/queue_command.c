/* Queued mail for programs and files: what users' .forward, mailbox_command, aliases and pipe_transports
 * name. Threads take its jobs as those of queue_local.c do; the role `command` runs and writes, and each
 * recipient has a fate of its own. */
#include "role/queue_command.h"

#include "base/log.h"
#include "os/file.h"
#include "queue/site_name.h"
#include "role/convert.h"
#include "role/ipc.h"
#include "table/settings.h"

#include <unistd.h>

enum { MARGIN_MS = 60000 };

/* --- asking --- */

static enum rc open_content(struct command_work *k)
{
    if (k->content < 0)
        k->content =
            k->job.content_fd >= 0 ? dup(k->job.content_fd) : ipc_memfd("malle-message", k->job.content);
    return k->content >= 0 ? RC_OK : RC_TEMP;
}

/* RC_OK: *ret_e is the answer, *ret_text what is to be reported. */
static enum rc call(struct command_work *k, const struct command_request *q, struct err *ret_e, str *ret_text)
{
    struct ipc_msg m;
    struct err e = {0};
    const struct conf *c = q->pipe ? conf_of_transport(k->conf, q->name) : k->conf;
    msec deadline = clock_mono() + c->command_time_limit_ms + MARGIN_MS;
    if (open_content(k) != RC_OK)
        return RC_TEMP;
    command_request_put(k->ipc, q);
    enum rc rc =
        channel_pool_call(k->server->command, k->ipc, &k->content, 1, MSG_COMMAND_DONE, &m, deadline);
    if (rc != RC_OK)
        return rc;
    ipc_get_err(&m, &e);
    *ret_text = arena_str(k->arena, ipc_get_str(&m, COMMAND_REPLY_MAX));
    rc = ipc_end(&m);
    ipc_msg_deinit(&m);
    *ret_e = e;
    return rc;
}

/* RC_GONE: there is no such target; otherwise *o is set. */
static enum rc run(struct command_work *k, const struct command_request *q, struct queue_outcome *o)
{
    struct err e = {0};
    str text = STR_NONE;
    if (call(k, q, &e, &text) != RC_OK)
        (void)err_set(&e, RC_TEMP, 451, "4.3.0", "the command cannot be run now");
    if (e.rc == RC_GONE)
        return RC_GONE;
    if (e.rc == RC_OK)
        *o = (struct queue_outcome){
            .rcpt = o->rcpt, .result = QUEUE_DELIVERED, .status = S("2.0.0"), .reply = text};
    else
        queue_set_outcome(o, e.rc == RC_PERM ? QUEUE_FAILED : QUEUE_DEFERRED, &e, k->arena);
    if (text.n > 0)
        o->reply = text;
    return RC_OK;
}

static struct command_request request_of(const struct command_work *k)
{
    const struct queue_envelope *v = &k->job.envelope;
    return (struct command_request){.id = v->id,
                                    .sender = v->sender,
                                    .client = v->client,
                                    .trace = v->trace,
                                    .account = v->account,
                                    .envid = v->envid,
                                    .size = v->size,
                                    .arrived = v->arrived};
}

static void add_rcpt(struct command_request *q, const struct queue_rcpt *r)
{
    q->rcpts[q->n++] = (struct command_rcpt){.address = r->address, .orig = r->orig};
}

/* --- a user's own mailbox --- */

static void deliver_maildir(struct command_work *k, size_t i, const struct via *v)
{
    const struct queue_envelope *e = &k->job.envelope;
    const struct smtp_target target = {.account = v->name, .uid = v->uid, .address = e->rcpts[i].address};
    struct smtp_delivery_rcpt to = {.target = &target, .delivered_to = target.address, .sender = e->sender};
    struct smtp_delivery d = {.id = e->id,
                              .trace = e->trace,
                              .sender = e->sender,
                              .content_bytes = e->size,
                              .content_lines = e->lines,
                              .again = k->job.attempts > 0 || k->job.earlier,
                              .each_alone = true,
                              .rcpts = &to,
                              .n = 1};
    const struct local_env env = {
        .pools = k->server->deliver, .mailbox = k->server->mailbox, .conf = k->conf, .ipc = k->ipc};
    struct local_delivery *t = NULL;
    if (local_prepare(&env, &d, k->job.content, k->job.content_fd, DELIVER_COMMIT_EACH, &t) != RC_OK)
        (void)err_set(&to.result, RC_TEMP, 451, "4.3.0", "Insufficient system resources");
    else if (!local_is_committed(t))
        local_commit(t, DELIVER_COMMIT_EACH);
    local_end(t);
    struct queue_outcome *o = &k->outcomes[i];
    if (to.result.rc == RC_OK)
        *o = (struct queue_outcome){.rcpt = o->rcpt,
                                    .result = QUEUE_DELIVERED,
                                    .status = S("2.0.0"),
                                    .reply = S("delivered to maildir")};
    else
        queue_set_outcome(o, to.result.rc == RC_PERM ? QUEUE_FAILED : QUEUE_DEFERRED, &to.result, k->arena);
}

/* --- or elsewhere: mailbox_transport_maps and mailbox_transport --- */

/* The socket is one on which this server itself speaks LMTP: a detour, and a circle. */
static bool is_own_socket(const struct conf *c, str transport)
{
    str path = transport;
    if (!str_eq(str_take(&path, ':'), S("lmtp")) || !str_starts(path, S("unix:")))
        return false;
    for (size_t i = 0; i < c->listener_count; i++)
        if (c->listeners[i].protocol == CONF_LMTP && str_eq(str_from(path, 5), str_c(c->listeners[i].socket)))
            return true;
    return false;
}

/* RC_GONE: the mailbox is here. */
static enum rc find_transport(const struct command_work *k, str user, str *ret, struct err *e)
{
    struct table_list *l = k->server->tables->v[TABLES_MAILBOX_TRANSPORT];
    enum rc rc = l ? table_list_find(l, TABLE_WHOLE_KEY, user, k->arena, ret, e) : RC_GONE;
    if (rc == RC_GONE)
        *ret = str_c(k->conf->mailbox_transport);
    else if (rc != RC_OK)
        return RC_TEMP;
    str rest = *ret, transport = str_trim(str_take(&rest, ':'));
    bool here = transport.n == 0 || str_eq(transport, S("local")) || str_eq(transport, S("virtual")) ||
                is_own_socket(k->conf, *ret);
    return here ? RC_GONE : RC_OK;
}

/* True: *o says what becomes of the recipient, perhaps that another one takes its place. */
static bool sends_on(struct command_work *k, size_t i, str user)
{
    AUTO(buf_deinit) struct buf via = BUF_INIT(VIA_MAX);
    struct queue_outcome *o = &k->outcomes[i];
    struct queue_rcpt r = k->job.envelope.rcpts[i];
    struct err e = {0};
    struct via v = {.kind = VIA_TRANSPORT};
    enum rc rc = find_transport(k, user, &v.name, &e);
    if (rc == RC_GONE)
        return false;
    via_put(&via, &v);
    if (rc != RC_OK || via_parse(buf_str(&via), &v) != RC_OK) {
        log_warn(STR_FMT ": mailbox_transport_maps: %s", STR_ARG(k->job.envelope.id),
                 rc == RC_OK ? "what they say is no transport" : err_text(&e));
        (void)err_set(&e, RC_TEMP, 451, "4.3.0", "the recipient's mailbox cannot be looked up now");
        queue_set_outcome(o, QUEUE_DEFERRED, &e, k->arena);
        return true;
    }
    r.n = 0;
    r.was = (struct queue_history){.attempts = 0};
    r.local = r.resolved = true;
    r.via = arena_str(k->arena, buf_str(&via));
    bool added = queue_command_add(k, &r);
    *o = (struct queue_outcome){.rcpt = o->rcpt,
                                .result = added ? QUEUE_EXPANDED : QUEUE_NOT_TRIED,
                                .status = S("2.0.0"),
                                .reply = S("passed on")};
    return true;
}

static void deliver_mailbox(struct command_work *k, size_t i, const struct via *v)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(VIA_MAX + 64);
    struct command_request q = request_of(k);
    struct via own = *v;
    if (sends_on(k, i, v->name))
        return;
    own.kind = VIA_MAILBOX;
    via_put(&name, &own);
    q.name = buf_str(&name);
    add_rcpt(&q, &k->job.envelope.rcpts[i]);
    bool asks = k->conf->mailbox_command[0] || k->conf->mailbox_command_maps[0];
    if (!asks || run(k, &q, &k->outcomes[i]) == RC_GONE)
        deliver_maildir(k, i, v);
}

/* --- one recipient --- */

/* A target that is no longer there: the user's mail is his, and an alias waits for its administrator. */
static void run_target(struct command_work *k, size_t i, const struct via *v)
{
    const struct queue_rcpt *r = &k->job.envelope.rcpts[i];
    struct command_request q = request_of(k);
    struct err e = {0};
    q.name = r->via;
    add_rcpt(&q, r);
    if (run(k, &q, &k->outcomes[i]) != RC_GONE)
        return;
    if (v->kind == VIA_FORWARD) {
        deliver_mailbox(k, i, v);
        return;
    }
    (void)err_set(&e, RC_TEMP, 451, "4.3.5", "the alias has changed");
    queue_set_outcome(&k->outcomes[i], QUEUE_DEFERRED, &e, k->arena);
}

static void deliver_one(struct command_work *k, size_t i)
{
    struct via v;
    struct err e = {0};
    if (via_parse(k->job.envelope.rcpts[i].via, &v) != RC_OK || v.kind == VIA_FILTER ||
        v.kind == VIA_TRANSPORT) {
        (void)err_set(&e, RC_TEMP, 451, "4.3.0", "the recipient cannot be read");
        queue_set_outcome(&k->outcomes[i], QUEUE_DEFERRED, &e, k->arena);
        return;
    }
    switch (v.kind) {
    case VIA_USER:
        if (queue_forward(k, i, &v))
            return;
        deliver_mailbox(k, i, &v);
        return;
    case VIA_MAILBOX:
        deliver_mailbox(k, i, &v);
        return;
    case VIA_FORWARD:
    case VIA_ALIAS:
        run_target(k, i, &v);
        return;
    case VIA_FILTER: /* these have sites of another kind */
    case VIA_TRANSPORT:
        return;
    }
}

/* --- transports --- */

/* As many recipients as the transport takes at once share a fate. */
static void deliver_pipe(struct command_work *k, str site)
{
    const struct queue_envelope *v = &k->job.envelope;
    struct command_request whole = request_of(k);
    struct pipe_def d = {.recipients = 1};
    whole.pipe = true;
    whole.nexthop = site;
    whole.name = str_take(&whole.nexthop, ':');
    if (pipe_def_find(str_c(k->conf->pipe_transports), whole.name, &d) != RC_OK)
        d.recipients = 1; /* command says what is wrong */
    for (size_t i = 0; i < v->n;) {
        struct command_request q = whole;
        size_t first = i;
        while (i < v->n && q.n < d.recipients)
            add_rcpt(&q, &v->rcpts[i++]);
        struct err e = {0};
        (void)err_set(&e, RC_TEMP, 450, "4.3.5", "there is no such transport now");
        if (run(k, &q, &k->outcomes[first]) == RC_GONE)
            queue_set_outcome(&k->outcomes[first], QUEUE_DEFERRED, &e, k->arena);
        if (k->outcomes[first].result == QUEUE_DELIVERED && !(d.flags & PIPE_FINAL))
            k->outcomes[first].result = QUEUE_RELAYED_BLIND; /* the program may hand it on */
        for (size_t n = first + 1; n < i; n++) {
            int64_t row = k->outcomes[n].rcpt;
            k->outcomes[n] = k->outcomes[first];
            k->outcomes[n].rcpt = row;
        }
    }
}

/* --- jobs --- */

static void deliver(struct command_work *k)
{
    AUTO(buf_deinit) struct buf converted = BUF_INIT(CONVERTED_MAX);
    const struct site_name site = site_name_parse(k->job.site_name);
    struct queue_envelope *v = &k->job.envelope;
    struct err e = {0};
    enum rc rc = v->flags & QUEUE_BINARY ? queue_make_lines(&k->job, &converted, &e) : RC_OK;
    for (size_t i = 0; i < v->n; i++) {
        k->outcomes[i] = (struct queue_outcome){.rcpt = v->rcpts[i].n};
        if (rc != RC_OK)
            queue_set_outcome(&k->outcomes[i], rc == RC_PERM ? QUEUE_FAILED : QUEUE_DEFERRED, &e, k->arena);
        else if (site.transport == SITE_COMMAND)
            deliver_one(k, i);
    }
    if (rc == RC_OK && site.transport == SITE_PIPE)
        deliver_pipe(k, site.next);
    if (site.transport == SITE_PIPE)
        queue_log_outcomes(k->server, k->arena, &k->job, k->outcomes, "pipe", LOG_AS_PIPE);
    else
        queue_log_outcomes(k->server, k->arena, &k->job, k->outcomes, "local", LOG_AS_LOCAL);
    fd_closep(&k->content);
}

static void run_job(struct queue_worker *w, const struct queue_job *job)
{
    if (queue_verify_take(w->server, job))
        return;
    struct command_work k = {.server = w->server,
                             .conf = w->server->role->conf,
                             .arena = w->arena,
                             .ipc = &w->ipc,
                             .job = *job,
                             .content = -1};
    deliver(&k);
    struct queue_report r = {.number = job->number,
                             .id = job->envelope.id,
                             .outcomes = k.outcomes,
                             .n = job->envelope.n,
                             .sender = job->envelope.sender,
                             .added = k.added,
                             .n_added = k.n_added};
    if (queue_report(w->server->queue, &r) != RC_OK)
        log_error(STR_FMT ": its report was not taken", STR_ARG(job->envelope.id));
    fd_closep(&k.job.content_fd);
}

void queue_command_start(struct queue_role *s)
{
    int n = ((const struct conf *)s->role->conf)->command_processes;
    queue_workers_start(s, QUEUE_COMMAND, n, "command", run_job);
}
