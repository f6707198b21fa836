/* A complete message: into the mailboxes of those who are here, the rest into the queue, and only then 250.
 *
 * Usually all recipients are here, and one message to `deliver` does it. Otherwise every mailbox is prepared
 * first, then the queue commits what is for others or could not be prepared, then the mailboxes are
 * committed: whatever fails before the queue's commit leaves nothing behind. A mailbox that fails after it
 * makes the reply 451, and the sender's next try gives the others a second copy. A stranger's message that
 * could not be stored for anybody is not queued but refused for now: its sender keeps it. */
#include "base/log.h"
#include "fmt/via.h"
#include "role/queue_client.h"
#include "role/smtpd_impl.h"
#include "smtp/rules.h"

enum { COMMIT_WAIT_MS = 30000, SENDERS_ARENA = 16 << 10 };

/* The two halves of a message. */
struct split {
    struct smtp_delivery here;  /* recipients with a mailbox; rcpts is a copy */
    size_t *place;              /* where in the whole each of them stands */
    struct queue_envelope rest; /* filled by put_marked */
};

/* The queue holds messages, writes reports, makes lines of binary content, and has programs run. */
static bool goes_to_queue(const struct conf *c, const struct smtp_delivery *d,
                          const struct smtp_delivery_rcpt *r)
{
    return r->target->remote || r->target->unlisted || c->mailbox_transport[0] || r->target->via.n > 0 ||
           r->params->notify & SMTP_NOTIFY_SUCCESS || d->hold_until > 0 || d->held ||
           d->mail->body == SMTP_BODY_BINARYMIME;
}

static bool split_init(struct split *sp, const struct conf *c, struct smtp_delivery *d)
{
    *sp = (struct split){.here = *d};
    sp->here.rcpts = calloc(d->n, sizeof *sp->here.rcpts);
    sp->place = calloc(d->n, sizeof *sp->place);
    sp->rest.rcpts = calloc(d->n, sizeof *sp->rest.rcpts);
    must(sp->here.rcpts && sp->place && sp->rest.rcpts);
    sp->here.n = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (goes_to_queue(c, d, &d->rcpts[i]))
            continue;
        sp->place[sp->here.n] = i;
        sp->here.rcpts[sp->here.n++] = d->rcpts[i];
    }
    return sp->here.n < d->n;
}

static void split_deinit(struct split *sp)
{
    free(sp->here.rcpts);
    free(sp->place);
    free(sp->rest.rcpts);
}

static void copy_results(const struct split *sp, struct smtp_delivery *d)
{
    for (size_t i = 0; i < sp->here.n; i++)
        if (!d->rcpts[sp->place[i]].queued)
            d->rcpts[sp->place[i]].result = sp->here.rcpts[i].result;
}

/* --- the queue --- */

static unsigned queue_flags(const struct smtp_delivery *d)
{
    return (d->mail->body == SMTP_BODY_8BITMIME ? QUEUE_8BIT : 0) |
           (d->mail->body == SMTP_BODY_BINARYMIME ? QUEUE_BINARY : 0) | (d->mail->smtputf8 ? QUEUE_UTF8 : 0) |
           (d->mail->require_tls ? QUEUE_REQUIRETLS : 0) | (d->tls_optional ? QUEUE_TLS_OPTIONAL : 0) |
           (d->mail->by == SMTP_BY_RETURN ? QUEUE_BY_RETURN : 0) | (d->mail->by_trace ? QUEUE_BY_TRACE : 0) |
           (d->has_priority ? QUEUE_HAS_PRIORITY : 0) | (d->priority_field ? QUEUE_PRIORITY_FIELD : 0) |
           (d->priority_differs ? QUEUE_PRIORITY_OTHER : 0) | (d->mail->hold_for ? QUEUE_HOLD_FOR : 0) |
           (d->held ? QUEUE_HELD : 0);
}

static void add_to_queue(struct queue_envelope *v, const struct smtp_delivery_rcpt *r, struct arena *a)
{
    const struct smtp_rcpt *p = r->params;
    bool same = str_eq(r->orig, r->target->address);
    v->rcpts[v->n++] = (struct queue_rcpt){
        .address = r->target->address,
        .sender = str_eq(r->sender, v->sender) ? STR_NONE : r->sender,
        .orig = same ? STR_NONE : r->orig,
        .orcpt = p->orcpt.p ? arena_printf(a, STR_FMT ";" STR_FMT, STR_ARG(p->orcpt_type), STR_ARG(p->orcpt))
                            : STR_NONE,
        .notify = p->notify,
        .local = !r->target->remote,
        .resolved = !r->target->remote && !r->target->unlisted,
        .via = r->target->via};
}

/* All but the recipients. */
static void fill_envelope(const struct smtp_delivery *d, struct queue_envelope *v)
{
    *v = (struct queue_envelope){.id = d->id,
                                 .sender = d->sender,
                                 .envid = d->mail->envid,
                                 .ret = d->mail->ret,
                                 .flags = queue_flags(d),
                                 .account = d->account,
                                 .client = d->client,
                                 .message_id = d->message_id,
                                 .arrived = d->mail->hold_for
                                                ? d->hold_until - (int64_t)d->mail->hold_for * 1000
                                                : clock_wall() / 1000,
                                 .hold_until = d->hold_until,
                                 .deliver_by = d->deliver_by,
                                 .priority = d->priority,
                                 .size = d->content_bytes,
                                 .lines = d->content_lines,
                                 .trace = d->trace,
                                 .rcpts = v->rcpts};
}

static enum rc put(struct smtpd_session *s, const struct queue_envelope *v, struct err *e)
{
    return queue_client_put(s->server->queue, v, buf_str(&s->content.memory), s->content.file,
                            clock_mono() + COMMIT_WAIT_MS, e);
}

/* Hands over the recipients that are marked as queued, and have no result yet. */
static enum rc put_marked(struct smtpd_session *s, const struct smtp_delivery *d, struct queue_envelope *v,
                          struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(QUEUE_ENVELOPE_MAX);
    fill_envelope(d, v);
    for (size_t i = 0; i < d->n; i++)
        if (d->rcpts[i].queued)
            add_to_queue(v, &d->rcpts[i], a);
    return v->n == 0 ? RC_OK : put(s, v, e);
}

static enum rc fail_all(struct smtp_delivery *d, const struct err *e)
{
    for (size_t i = 0; i < d->n; i++) {
        d->rcpts[i].queued = false;
        d->rcpts[i].result = *e;
    }
    return RC_TEMP;
}

/* --- a filter --- */

/* The recipients as the client gave them: where they lead is found out when the mail comes back. */
static void add_unresolved(struct queue_envelope *v, const struct smtp_delivery *d, str via, struct arena *a)
{
    for (size_t i = 0; i < d->n; i++) {
        if (i > 0 && d->rcpts[i].recipient == d->rcpts[i - 1].recipient)
            continue;
        add_to_queue(v, &d->rcpts[i], a);
        struct queue_rcpt *r = &v->rcpts[v->n - 1];
        r->address = d->rcpts[i].orig;
        r->orig = r->sender = STR_NONE;
        r->resolved = false;
        r->via = via;
    }
}

static enum rc deliver_filter(struct smtpd_session *s, struct smtp_delivery *d)
{
    AUTO(buf_deinit) struct buf via = BUF_INIT(VIA_MAX);
    AUTO(arena_freep) struct arena *a = arena_new(QUEUE_ENVELOPE_MAX);
    struct queue_envelope v = {.rcpts = arena_array(a, d->n, sizeof *v.rcpts)};
    struct err e = {0};
    via_put(&via, &(struct via){.kind = VIA_FILTER, .name = d->filter});
    if (!v.rcpts || via.overflow) {
        (void)err_set(&e, RC_TEMP, 451, "4.3.5", "Server configuration error");
        return fail_all(d, &e);
    }
    fill_envelope(d, &v);
    add_unresolved(&v, d, buf_str(&via), a);
    if (put(s, &v, &e) != RC_OK)
        return fail_all(d, &e);
    for (size_t i = 0; i < d->n; i++)
        d->rcpts[i].queued = true;
    return RC_OK;
}

/* --- both --- */

static bool none_is_fine(const struct smtp_delivery *d)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->rcpts[i].result.rc == RC_OK)
            return false;
    return true;
}

/* Recipients for others, and those whose mailbox cannot be written now, are committed by the queue; then the
 * mailboxes. */
static enum rc commit_both(struct smtpd_session *s, struct split *sp, struct local_delivery *t,
                           struct smtp_delivery *d)
{
    struct err e = {0};
    for (size_t i = 0; i < d->n; i++)
        d->rcpts[i].queued =
            goes_to_queue(s->conf, d, &d->rcpts[i]) || (!d->each_alone && d->rcpts[i].result.rc != RC_OK);
    enum rc rc = put_marked(s, d, &sp->rest, &e);
    if (rc != RC_OK && !d->each_alone)
        return fail_all(d, &e);
    for (size_t i = 0; i < d->n; i++)
        if (d->rcpts[i].queued)
            d->rcpts[i].result = e;
    if (t)
        local_commit(t, DELIVER_COMMIT_EACH);
    copy_results(sp, d);
    return d->each_alone || local_all_fine(d) ? RC_OK : RC_TEMP;
}

static enum rc deliver_both(struct smtpd_session *s, const struct local_env *env, struct split *sp,
                            struct smtp_delivery *d)
{
    struct local_delivery *t = NULL;
    struct err e = {0};
    enum rc rc = RC_TEMP;
    if (sp->here.n > 0 && local_prepare(env, &sp->here, buf_str(&s->content.memory), s->content.file,
                                        DELIVER_HOLD, &t) != RC_OK) {
        (void)err_set(&e, RC_TEMP, 451, "4.3.0", "Insufficient system resources");
        return fail_all(d, &e);
    }
    copy_results(sp, d);
    bool refused = !d->each_alone && d->n == sp->here.n && none_is_fine(d) && d->account.n == 0;
    if (!refused)
        rc = commit_both(s, sp, t, d);
    local_end(t);
    return rc;
}

static enum rc deliver_here(struct smtpd_session *s, const struct local_env *env, struct smtp_delivery *d,
                            bool *ret_again)
{
    struct local_delivery *t = NULL;
    enum deliver_commit how = d->each_alone ? DELIVER_COMMIT_EACH : DELIVER_COMMIT_IF_ALL;
    if (local_prepare(env, d, buf_str(&s->content.memory), s->content.file, how, &t) != RC_OK)
        return RC_TEMP;
    if (!local_is_committed(t) && (d->each_alone || local_all_fine(d)))
        local_commit(t, how);
    local_end(t);
    bool fine = d->each_alone || local_all_fine(d);
    *ret_again = !fine && d->n > 1;
    return fine ? RC_OK : RC_TEMP;
}

/* --- senders --- */

static bool wants_srs(const struct smtp_delivery_rcpt *r)
{
    return r->target->forwarded && r->target->sender.n == 0;
}

/* The sender gets its canonical form, and what is forwarded one that leads back through us. */
static enum rc rewrite_senders(struct smtpd_session *s, struct smtp_delivery *d, struct arena *a,
                               struct err *e)
{
    str sender = d->sender, forwarded = STR_NONE;
    bool wanted = rules_any_canonical(s->conf) && !rules_overrides(s->conf, S("no_address_mappings"));
    for (size_t i = 0; i < d->n; i++)
        wanted |= wants_srs(&d->rcpts[i]);
    if (!wanted || d->sender.n == 0)
        return RC_OK;
    enum rc rc = smtpd_rewrite_sender(s, a, &sender, &forwarded, e);
    for (size_t i = 0; i < d->n && rc == RC_OK; i++)
        if (wants_srs(&d->rcpts[i]))
            d->rcpts[i].sender = forwarded;
        else if (str_eq(d->rcpts[i].sender, d->sender))
            d->rcpts[i].sender = sender;
    d->sender = sender;
    return rc;
}

enum rc smtpd_deliver(void *ctx, struct smtp_delivery *d)
{
    struct smtpd_session *s = ctx;
    const struct local_env env = {
        .pools = s->server->deliver, .mailbox = s->server->mailbox, .conf = s->conf, .ipc = &s->ipc};
    struct split sp;
    struct err e = {0};
    AUTO(arena_freep) struct arena *a = arena_new(SENDERS_ARENA);
    if (content_finish(s) != RC_OK) {
        (void)err_set(&e, RC_TEMP, 451, "4.3.0", "Error: queue file write error");
        return d->proxy.n > 0 ? smtpd_proxy_fail(d) : fail_all(d, &e);
    }
    d->content_bytes = (uint64_t)((int64_t)d->content_bytes + s->content.grown);
    if (d->proxy.n > 0)
        return smtpd_proxy(s, d);
    if (d->filter.n > 0)
        return deliver_filter(s, d);
    if (rewrite_senders(s, d, a, &e) != RC_OK)
        return fail_all(d, &e);
    bool some_elsewhere = split_init(&sp, s->conf, d), again = false;
    enum rc rc = RC_TEMP;
    if (!some_elsewhere)
        rc = deliver_here(s, &env, d, &again);
    sp.here.again = again;       /* where deliver died, some may have it */
    if (some_elsewhere || again) /* now each for itself */
        rc = deliver_both(s, &env, &sp, d);
    split_deinit(&sp);
    return rc;
}
