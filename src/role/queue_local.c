/* Queued mail for mailboxes of this server: a mailbox that could not be written while the sender waited,
 * bounces, and whatever else names an address that nobody has looked at yet. auth says where the address
 * leads; what leads to another server, or to a program, goes back into the queue as a recipient of its own.
 */
#include "base/log.h"
#include "fmt/smtp_reply.h"
#include "os/file.h"
#include "queue/site_name.h"
#include "role/convert.h"
#include "role/queue_impl.h"

/* What became of a recipient's mailboxes. */
struct members {
    size_t here, elsewhere;  /* how many it leads to */
    size_t failed, deferred; /* of those here */
};

/* Everything that one job leads to. */
struct work {
    struct queue_worker *w;
    const struct conf *conf;
    struct queue_job job;
    struct queue_outcome outcomes[QUEUE_JOB_RCPTS_MAX];
    struct members members[QUEUE_JOB_RCPTS_MAX];
    struct smtp_delivery delivery; /* the mailboxes of all recipients */
    struct queue_rcpt *added;
    size_t n_added, added_room, mailbox_room;
    str forwarded; /* the sender of what an alias sends to another server; empty: not asked for yet */
};

/* --- where a recipient leads --- */

static struct queue_rcpt *add_rcpt(struct work *k, const struct queue_rcpt *from, str address)
{
    if (k->n_added == k->added_room) {
        k->added = arena_grow(k->w->arena, k->added, k->n_added, sizeof *k->added);
        must(k->added); /* their number has its limit */
        k->added_room = k->n_added < 4 ? 8 : 2 * k->n_added;
    }
    struct queue_rcpt *r = &k->added[k->n_added++];
    *r = *from;
    r->address = address;
    if (!from->orig.n && !str_eq(from->address, address))
        r->orig = from->address;
    return r;
}

/* Whom failures are told to, as at reception: a list's owner; but a notification stays one. */
static str owner_of(const struct work *k, const struct smtp_target *t)
{
    return k->job.envelope.sender.n > 0 ? t->sender : STR_NONE;
}

/* A recipient of its own: of another server, or here with a via or under mailbox_transport. */
static void add_elsewhere(struct work *k, size_t i, const struct smtp_target *t)
{
    str owner = owner_of(k, t);
    struct queue_rcpt *r = add_rcpt(k, &k->job.envelope.rcpts[i], t->address);
    r->local = r->resolved = !t->remote;
    r->via = t->via;
    r->sender = owner.n > 0 || !t->remote ? owner : k->forwarded;
    r->was = (struct queue_history){.attempts = 0};
    k->members[i].elsewhere++;
}

static void add_mailbox(struct work *k, size_t i, const struct smtp_target *t)
{
    struct smtp_delivery *d = &k->delivery;
    str owner = owner_of(k, t);
    if (d->n == k->mailbox_room) {
        d->rcpts = arena_grow(k->w->arena, d->rcpts, d->n, sizeof *d->rcpts);
        must(d->rcpts);
        k->mailbox_room = d->n < 4 ? 8 : 2 * d->n;
    }
    d->rcpts[d->n++] = (struct smtp_delivery_rcpt){.target = t,
                                                   .delivered_to = t->address,
                                                   .sender = owner.n > 0 ? owner : k->job.envelope.sender,
                                                   .recipient = i};
    k->members[i].here++;
}

/* Of what an address leads to, the one mailbox that this recipient is by now; NULL: it is none any more. */
static const struct smtp_target *find_own(const struct queue_rcpt *r, const struct smtp_target *t, size_t n)
{
    for (size_t i = 0; i < n && r->resolved; i++)
        if (t[i].account.n > 0 && str_ieq(t[i].address, r->address))
            return &t[i];
    return NULL;
}

static void add_target(struct work *k, size_t i, const struct smtp_target *t)
{
    if (t->remote || t->via.n > 0 || k->conf->mailbox_transport[0])
        add_elsewhere(k, i, t);
    else
        add_mailbox(k, i, t);
}

static enum rc add_targets(struct work *k, size_t i, const struct smtp_target *t, size_t n, struct err *e)
{
    const struct smtp_target *own = find_own(&k->job.envelope.rcpts[i], t, n);
    bool forwards = false;
    if (own) {
        add_target(k, i, own);
        return RC_OK;
    }
    for (size_t m = 0; m < n; m++)
        forwards |= t[m].remote && t[m].sender.n == 0;
    enum rc rc = forwards ? queue_find_forwarded(k->w->server, &k->w->ipc, k->job.envelope.sender,
                                                 k->w->arena, &k->forwarded, e)
                          : RC_OK;
    for (size_t m = 0; m < n && rc == RC_OK; m++)
        add_target(k, i, &t[m]);
    return rc;
}

/* A report takes so many members, and each recipient alone has no more. */
static bool has_room(const struct work *k, size_t n)
{
    size_t all = k->delivery.n + k->n_added;
    return all == 0 || all + n <= QUEUE_RCPTS_MAX;
}

/* false: the recipients from this one on are for the next job. */
static bool look_up(struct work *k, size_t i)
{
    const struct queue_rcpt *r = &k->job.envelope.rcpts[i];
    struct queue_outcome *o = &k->outcomes[i];
    struct smtp_target *targets = NULL;
    struct err e = {0};
    size_t n = 0;
    *o = (struct queue_outcome){.rcpt = r->n, .result = QUEUE_NOT_TRIED, .status = S("2.0.0")};
    enum rc rc = has_room(k, 1)
                     ? queue_resolve(k->w->server, &k->w->ipc, r->address, k->w->arena, &targets, &n, &e)
                     : RC_LIMIT;
    if (!has_room(k, n > 0 ? n : 1))
        return false;
    o->result = QUEUE_EXPANDED;
    if (rc == RC_OK)
        rc = add_targets(k, i, targets, n, &e);
    if (rc == RC_GONE && r->local) { /* another server's */
        add_rcpt(k, r, r->address)->local = false;
    } else if (rc == RC_GONE) { /* a transport brought it here: back it goes, not round in a circle */
        (void)err_set(&e, RC_PERM, 550, "5.1.1", "User unknown");
        queue_set_outcome(o, QUEUE_FAILED, &e, k->w->arena);
    } else if (rc != RC_OK)
        queue_set_outcome(o, rc == RC_TEMP ? QUEUE_DEFERRED : QUEUE_FAILED, &e, k->w->arena);
    return true;
}

static void look_up_all(struct work *k)
{
    size_t i = 0;
    while (i < k->job.envelope.n && look_up(k, i))
        i++;
    for (; i < k->job.envelope.n; i++)
        k->outcomes[i] = (struct queue_outcome){
            .rcpt = k->job.envelope.rcpts[i].n, .result = QUEUE_NOT_TRIED, .status = S("2.0.0")};
}

/* --- what transport(5) says without a delivery --- */

/* text may begin with its enhanced status: "5.7.1 we do not like them". */
static void set_verdict(struct queue_outcome *o, const struct site_name *site, struct arena *a)
{
    bool fails = site->transport == SITE_ERROR;
    char status[12];
    str text = site->next;
    if (site->transport == SITE_DISCARD) {
        o->result = QUEUE_DELIVERED;
        o->status = S("2.0.0");
        o->reply = text.n ? text : S("discarded");
        return;
    }
    o->result = fails ? QUEUE_FAILED : QUEUE_DEFERRED;
    o->status = fails ? S("5.0.0") : S("4.0.0");
    o->reply = text;
    if (!smtp_reply_enhanced(text, fails ? 550 : 450, status))
        return;
    o->status = arena_str(a, str_c(status));
    o->reply = str_trim(str_from(text, o->status.n));
}

static void judge_without_delivery(struct work *k, const struct site_name *site)
{
    for (size_t i = 0; i < k->job.envelope.n; i++) {
        k->outcomes[i] = (struct queue_outcome){.rcpt = k->job.envelope.rcpts[i].n};
        set_verdict(&k->outcomes[i], site, k->w->arena);
    }
}

/* --- into the mailboxes --- */

static void count_results(struct work *k)
{
    const struct smtp_delivery *d = &k->delivery;
    for (size_t i = 0; i < d->n; i++) {
        struct members *m = &k->members[d->rcpts[i].recipient];
        m->failed += d->rcpts[i].result.rc == RC_PERM;
        m->deferred += d->rcpts[i].result.rc != RC_OK && d->rcpts[i].result.rc != RC_PERM;
    }
}

/* Which of Postfix's programs would deliver there: local(8) to users of the system. */
static enum log_program program_of(const struct smtp_target *target)
{
    return str_chr(target->account, '@') < 0 ? LOG_AS_LOCAL : LOG_AS_VIRTUAL;
}

/* One of several members waits alone, since the others have their copies. */
static void add_waiting(struct work *k, const struct smtp_delivery_rcpt *d)
{
    const struct queue_rcpt *from = &k->job.envelope.rcpts[d->recipient];
    struct queue_rcpt *r = add_rcpt(k, from, d->target->address);
    struct queue_outcome o = {.rcpt = from->n};
    queue_set_outcome(&o, QUEUE_DEFERRED, &d->result, k->w->arena);
    r->sender = str_eq(d->sender, k->job.envelope.sender) ? STR_NONE : d->sender;
    r->resolved = r->waits = true;
    r->was = (struct queue_history){.attempts = from->was.attempts + 1,
                                    .tried = clock_wall() / 1000,
                                    .code = o.code,
                                    .status = o.status,
                                    .reply = o.reply};
    log_info_of(program_of(d->target),
                STR_FMT ": to=<" STR_FMT ">, orig_to=<" STR_FMT ">, relay=%s, dsn=" STR_FMT
                        ", status=deferred (" STR_FMT ")",
                STR_ARG(k->job.envelope.id), STR_ARG(r->address), STR_ARG(from->address),
                program_of(d->target) == LOG_AS_LOCAL ? "local" : "virtual", STR_ARG(o.status),
                STR_ARG(o.reply));
}

static void judge_mailbox(struct work *k, const struct smtp_delivery_rcpt *d)
{
    const struct members *m = &k->members[d->recipient];
    struct queue_outcome *o = &k->outcomes[d->recipient];
    bool is_alone = m->here + m->elsewhere == 1, failed = d->result.rc == RC_PERM;
    if (d->result.rc == RC_OK) {
        if (m->failed + m->deferred == 0)
            *o = (struct queue_outcome){.rcpt = o->rcpt,
                                        .result = QUEUE_DELIVERED,
                                        .status = S("2.0.0"),
                                        .reply = S("delivered to maildir")};
    } else if (failed || is_alone) {
        queue_set_outcome(o, failed ? QUEUE_FAILED : QUEUE_DEFERRED, &d->result, k->w->arena);
    } else {
        add_waiting(k, d);
    }
}

/* Recipients with several members leave with the first report: each of those that wait is a recipient of its
 * own from then on. When one fails, the address that led to it is told of. */
static void judge(struct work *k)
{
    count_results(k);
    for (size_t i = 0; i < k->delivery.n; i++)
        judge_mailbox(k, &k->delivery.rcpts[i]);
}

static enum rc commit(struct work *k, struct err *e)
{
    const struct local_env env = {
        .pools = k->w->server->deliver, .mailbox = k->w->server->mailbox, .conf = k->conf, .ipc = &k->w->ipc};
    struct local_delivery *t = NULL;
    if (local_prepare(&env, &k->delivery, k->job.content, k->job.content_fd, DELIVER_COMMIT_EACH, &t) !=
        RC_OK)
        return err_set(e, RC_TEMP, 451, "4.3.0", "Insufficient system resources");
    if (!local_is_committed(t))
        local_commit(t, DELIVER_COMMIT_EACH);
    local_end(t);
    return RC_OK;
}

static void deliver(struct work *k)
{
    AUTO(buf_deinit) struct buf converted = BUF_INIT(CONVERTED_MAX);
    struct smtp_delivery *d = &k->delivery;
    struct err e = {0};
    if (d->n == 0)
        return;
    /* mailboxes hold lines */
    enum rc rc = k->job.envelope.flags & QUEUE_BINARY ? queue_make_lines(&k->job, &converted, &e) : RC_OK;
    d->content_bytes = k->job.envelope.size;
    d->content_lines = k->job.envelope.lines;
    if (rc == RC_OK)
        rc = commit(k, &e);
    for (size_t i = 0; i < d->n && rc != RC_OK; i++)
        d->rcpts[i].result = e;
    judge(k);
}

static void log_outcomes(struct work *k, const struct site_name *site)
{
    if (site->transport != SITE_LOCAL)
        queue_log_outcomes(k->w->server, k->w->arena, &k->job, k->outcomes, "none", LOG_AS_ERROR);
    else if (k->delivery.n > 0 && program_of(k->delivery.rcpts[0].target) == LOG_AS_LOCAL)
        queue_log_outcomes(k->w->server, k->w->arena, &k->job, k->outcomes, "local", LOG_AS_LOCAL);
    else
        queue_log_outcomes(k->w->server, k->w->arena, &k->job, k->outcomes, "virtual", LOG_AS_VIRTUAL);
}

static void run_job(struct queue_worker *w, const struct queue_job *job)
{
    if (queue_verify_take(w->server, job))
        return;
    const struct queue_envelope *v = &job->envelope;
    struct work k = {.w = w, .conf = w->server->role->conf, .job = *job};
    k.delivery = (struct smtp_delivery){.id = v->id,
                                        .trace = v->trace,
                                        .sender = v->sender,
                                        .content_bytes = v->size,
                                        .content_lines = v->lines,
                                        .again = job->attempts > 0 || job->earlier,
                                        .each_alone = true};
    const struct site_name site = site_name_parse(job->site_name);
    if (site.transport != SITE_LOCAL)
        judge_without_delivery(&k, &site);
    else
        look_up_all(&k);
    deliver(&k);
    log_outcomes(&k, &site);
    struct queue_report r = {.number = job->number,
                             .id = v->id,
                             .outcomes = k.outcomes,
                             .n = v->n,
                             .sender = v->sender,
                             .added = k.added,
                             .n_added = k.n_added};
    if (queue_report(w->server->queue, &r) != RC_OK)
        log_error(STR_FMT ": its report was not taken", STR_ARG(v->id));
    fd_closep(&k.job.content_fd);
}

void queue_local_start(struct queue_role *s)
{
    int n = ((const struct conf *)s->role->conf)->local_destination_concurrency_limit;
    queue_workers_start(s, QUEUE_LOCAL, n, "local", run_job);
}
