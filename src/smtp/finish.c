/* The end of a message: verdict, trace header, delivery, replies. 250 is said only after every recipient's
 * copy is committed (LMTP: after that recipient's; RFC 2033 §4.2). */
#include "base/log.h"
#include "base/map.h"
#include "fmt/crlf.h"
#include "fmt/mailaddr.h"
#include "fmt/received.h"
#include "fmt/via.h"
#include "queue/new_id.h"
#include "smtp/session_impl.h"

enum { TRACE_MAX = 8192 + 4096 }; /* with what tables prepend */

/* What is wrong with the whole message, now that all of it is known. */
static void judge(struct smtp_session *s)
{
    const struct dotstream *d = &s->tx.msg.decoder;
    if (d->bare_lf)
        smtp_message_fail(s, 550, "5.6.0", "Error: bare <LF> in message");
    else if (d->bare_cr)
        smtp_message_fail(s, 550, "5.6.0", "Error: bare <CR> in message");
}

/* lmtp_hdr_delivery_address: what the header of a message that came over LMTP says of who gets it. ORCPT may
 * hold any bytes: what is no address does not count. */
static str recipient_in_header(const struct smtp_session *s, const struct smtp_recipient *r, str final)
{
    struct mailaddr original;
    if (!smtp_is_lmtp(s) || s->conf->lmtp_hdr_delivery_address == CONF_ADDRESS_FINAL)
        return final;
    if (s->conf->lmtp_hdr_delivery_address == CONF_ADDRESS_NONE)
        return STR_NONE;
    bool given = mailaddr_parse(r->rcpt.orcpt, s->tx.arena, &original) == RC_OK;
    return given ? mailaddr_str(s->tx.arena, &original) : r->address;
}

static void put_received(struct smtp_session *s, const struct smtp_delivery *d, struct date now,
                         struct buf *trace)
{
    const struct tls_info *tls = s->conf->smtpd_tls_received_header ? stream_tls_info(s->io) : NULL;
    const struct tls_ccert *c = tls ? tls->ccert : NULL;
    const struct received r = {
        .helo = s->helo,
        .name = s->p->client_name,
        .address = s->p->client_address,
        .tls_version = tls ? tls->version : STR_NONE,
        .tls_cipher = tls ? tls->cipher : STR_NONE,
        .tls_bits = tls ? tls->bits : 0,
        .tls_alg_bits = tls ? tls->alg_bits : 0,
        .ccert_asked = c,
        .ccert_present = c && c->present,
        .ccert_trusted = c && c->trusted,
        .ccert_subject = c ? str_c(c->subject) : STR_NONE,
        .ccert_issuer = c ? str_c(c->issuer) : STR_NONE,
        .login = s->conf->smtpd_sasl_authenticated_header ? s->account : STR_NONE,
        .by = str_c(s->conf->hostname),
        .with = smtp_protocol(s),
        .id = s->tx.id,
        .recipient = s->tx.n == 1 ? recipient_in_header(s, &s->tx.rcpts[0], s->tx.rcpts[0].address)
                                  : STR_NONE, /* more would tell them of each other */
        .has_priority = d->has_priority,
        .priority = d->priority,
        .date = now,
        .local_user = s->p->local ? s->p->local->name : STR_NONE,
        .local_uid = s->p->local ? s->p->local->uid : 0,
    };
    received_put(trace, &r);
}

/* Submission completes what the mail program left out (RFC 6409 §8.2, §8.3). */
static void put_missing_fields(struct smtp_session *s, struct date now, struct buf *trace)
{
    struct headscan *h = &s->tx.msg.head;
    if (!h->has_to && s->conf->undisclosed_recipients_header[0])
        buf_printf(trace, "%s\n", s->conf->undisclosed_recipients_header);
    if (!h->has_date) {
        buf_puts(trace, S("Date: "));
        date_format_mail(trace, now);
        buf_putc(trace, '\n');
    }
    if ((s->p->local || s->conf->always_add_missing_headers) && !h->has_from) {
        buf_puts(trace, S("From: "));
        buf_puts(trace, s->tx.sender.n ? s->tx.sender : S("MAILER-DAEMON"));
        buf_putc(trace, '\n');
    }
    if (h->has_message_id)
        return;
    str id = arena_printf(s->cmd_arena, "<%lld." STR_FMT "@%s>", (long long)now.seconds, STR_ARG(s->tx.id),
                          s->conf->hostname);
    buf_puts(trace, S("Message-ID: "));
    buf_puts(trace, id);
    buf_putc(trace, '\n');
    h->message_id_n = id.n < sizeof h->message_id ? id.n : sizeof h->message_id;
    memcpy(h->message_id, id.p, h->message_id_n);
}

/* The mailboxes of all recipients, each once for SMTP: an address that two recipients lead to gets one copy
 * (LMTP answers for each, so there each has its own). For a filter the recipients themselves. */
static bool collect_targets(struct smtp_session *s, struct smtp_delivery *d)
{
    struct smtp_tx *tx = &s->tx;
    bool each_once = tx->n_targets > 1 && !smtp_is_lmtp(s) && d->proxy.n == 0;
    struct map *seen = each_once ? map_new() : NULL;
    d->rcpts = arena_array(tx->arena, tx->n_targets, sizeof *d->rcpts);
    for (size_t i = 0; d->rcpts && i < tx->n; i++) {
        for (size_t t = 0; t < tx->rcpts[i].n_targets && (t == 0 || d->proxy.n == 0); t++) {
            struct smtp_target *target = &tx->rcpts[i].targets[t];
            str key =
                seen ? arena_printf(tx->arena, STR_FMT "\n" STR_FMT "\n" STR_FMT, STR_ARG(target->account),
                                    STR_ARG(target->address), STR_ARG(target->via))
                     : STR_NONE;
            if (seen && key.p && map_put(seen, key, target))
                continue;
            /* a notification stays one */
            bool owned = target->sender.n > 0 && tx->sender.n > 0;
            d->rcpts[d->n++] = (struct smtp_delivery_rcpt){
                .target = target,
                .params = &tx->rcpts[i].rcpt,
                .orig = tx->rcpts[i].address,
                .delivered_to = recipient_in_header(s, &tx->rcpts[i], target->address),
                .sender = owned ? target->sender : tx->sender,
                .recipient = i};
        }
    }
    map_free(seen);
    return d->rcpts != NULL;
}

/* RFC 4865 §4.2. A moment that is past holds nothing, but was asked for. */
static int64_t hold_until(const struct smtp_mail *mail)
{
    return mail->hold_for ? clock_wall() / 1000 + (int64_t)mail->hold_for * 1000 : mail->hold_until * 1000;
}

/* RFC 2852 §4: the time runs from MAIL on. */
static int64_t deliver_by(const struct smtp_session *s)
{
    msec since_mail = clock_mono() - s->tx.started;
    if (s->tx.mail.by == SMTP_BY_UNSET)
        return 0;
    return clock_wall() / 1000 - since_mail + (int64_t)s->tx.mail.by_seconds * 1000;
}

/* RFC 6758 §3.1: the header may have it where a client before could not say it. Nobody gets ahead of others
 * by that who may not by the parameter, but anybody may let others go first (RFC 6710 §4.1). */
static void set_priority(const struct smtp_session *s, struct smtp_delivery *d)
{
    const struct smtp_mail *mail = &s->tx.mail;
    const struct headscan *h = &s->tx.msg.head;
    d->has_priority = mail->has_priority || h->has_mt_priority;
    d->priority = !mail->has_priority && h->priority_valid ? h->priority : mail->priority;
    if (d->priority > 0 && !smtp_is_trusted(s))
        d->priority = 0;
    d->priority_field = h->has_mt_priority;
    d->priority_differs = h->has_mt_priority && !(h->priority_valid && h->priority == d->priority);
}

/* What stands above the message; tables see what smtpd writes, as in Postfix, but not what is completed. */
static void make_trace(struct smtp_session *s)
{
    AUTO(buf_deinit) struct buf trace = BUF_INIT(TRACE_MAX);
    struct date now = {.seconds = clock_seconds()};
    struct smtp_delivery d = {.n = 0};
    set_priority(s, &d);
    buf_puts(&trace, s->tx.actions.prepend);
    put_received(s, &d, now, &trace);
    must(!trace.overflow); /* every part has its limit */
    if (s->tx.msg.checks)
        smtp_checks_trace(s->tx.msg.checks, &trace);
    if (s->p->kind == SMTP_KIND_SUBMISSION || (!smtp_is_lmtp(s) && s->conf->always_add_missing_headers))
        put_missing_fields(s, now, &trace);
    s->tx.trace = arena_str(s->tx.arena, buf_str(&trace));
    if (trace.overflow || arena_exhausted(s->tx.arena))
        smtp_message_fail(s, 452, "4.3.1", "Error: insufficient system storage");
}

/* Hands the message over: RC_OK when it is committed; every d->rcpts[].result is filled. */
static enum rc deliver(struct smtp_session *s, struct smtp_delivery *d)
{
    set_priority(s, d);
    const struct headscan *h = &s->tx.msg.head;
    if (d->proxy.n == 0)
        smtp_log_message_id(s, str_mem(h->message_id, h->message_id_n));
    if (d->has_priority) /* RFC 6710 §4.1 */
        log_info_of(LOG_AS_CLEANUP, STR_FMT ": mt-priority=%d", STR_ARG(s->tx.id), d->priority);
    d->bytes = d->content_bytes + s->tx.trace.n;
    d->id = s->tx.id;
    d->message_id = str_mem(h->message_id, h->message_id_n);
    d->hold_until = hold_until(&s->tx.mail);
    d->deliver_by = deliver_by(s);
    d->tls_optional = h->tls_required_no && !s->tx.mail.require_tls; /* RFC 8689 §4.1 */
    d->trace = s->tx.trace;
    return s->env->deliver(s->p->env_ctx, d);
}

/* The reply for recipients [from, to) of the delivery: the first temporary failure, else the first permanent
 * one when all failed so; with some fine and some refused nothing was committed, and the client must come
 * again. NULL: all is well. */
static const struct err *worst(const struct smtp_delivery *d, size_t from, size_t to, bool committed)
{
    static const struct err again = {.rc = RC_TEMP,
                                     .code = 451,
                                     .enhanced = "4.3.0",
                                     .peer = "Error: delivery failed for a recipient, try again"};
    const struct err *refused = NULL;
    bool some_fine = false;
    for (size_t i = from; i < to; i++) {
        const struct err *e = &d->rcpts[i].result;
        if (e->rc == RC_OK)
            some_fine = true;
        else if (e->rc != RC_PERM)
            return e;
        else if (!refused)
            refused = e;
    }
    if (refused)
        return some_fine ? &again : refused;
    return committed ? NULL : &again;
}

/* What became of a recipient, for the log; the replies say the same. One that would have been fine alone
 * shares the fate of the message. */
static const struct err *outcome(const struct smtp_delivery_rcpt *r, bool any_refused, bool committed)
{
    static const struct err aborted = {
        .rc = RC_TEMP, .enhanced = "4.3.0", .peer = "aborted, another recipient failed"};
    static const struct err failed = {.rc = RC_TEMP, .enhanced = "4.3.0", .peer = "the delivery failed"};
    if (r->result.rc != RC_OK || committed)
        return &r->result;
    return any_refused ? &aborted : &failed;
}

static void log_results(struct smtp_session *s, const struct smtp_delivery *d, bool committed,
                        struct smtp_times times)
{
    bool any_refused = false, any_queued = false;
    for (size_t i = 0; i < d->n; i++) {
        any_refused |= d->rcpts[i].result.rc != RC_OK;
        any_queued |= d->rcpts[i].queued;
    }
    if (!any_queued) /* else queue has told of the message, and tells of its end */
        smtp_log_message(s, d->bytes);
    for (size_t i = 0; i < d->n; i++) {
        const struct smtp_delivery_rcpt *r = &d->rcpts[i];
        if (r->queued) /* whoever takes it out tells what became of it */
            continue;
        smtp_log_delivery(s, &s->tx.rcpts[r->recipient], r->target, outcome(r, any_refused, committed),
                          times);
    }
    if (committed && !any_queued)
        smtp_log_removed(s);
}

/* RFC 2033 §4.2: one reply for each RCPT that was accepted, in their order. */
static void reply_each(struct smtp_session *s, const struct smtp_delivery *d, bool committed)
{
    size_t at = 0;
    for (size_t i = 0; i < s->tx.n; i++) {
        size_t from = at;
        while (at < d->n && d->rcpts[at].recipient == i)
            at++;
        const struct err *e = worst(d, from, at, committed);
        if (e)
            smtp_reply_err(s, e);
        else
            smtp_reply(s, 250, "2.0.0", "<" STR_FMT "> Ok: delivered as " STR_FMT,
                       STR_ARG(s->tx.rcpts[i].address), STR_ARG(s->tx.id));
    }
}

static void reply_once(struct smtp_session *s, const struct smtp_delivery *d, bool committed)
{
    const struct err *e = worst(d, 0, d->n, committed);
    if (e) {
        smtp_reply_err(s, e);
        return;
    }
    bool queued = false;
    for (size_t i = 0; i < d->n; i++)
        queued |= d->rcpts[i].queued;
    smtp_reply(s, 250, "2.0.0", "Ok: %s as " STR_FMT, queued ? "queued" : "delivered", STR_ARG(s->tx.id));
    s->errors = s->junk = 0;
}

/* A filter had it, and what it said is the reply. */
static void reply_proxied(struct smtp_session *s, const struct smtp_delivery *d)
{
    if (d->held || d->filter.n > 0)
        log_warn(STR_FMT ": with smtpd_proxy_filter, HOLD and FILTER have no effect", STR_ARG(s->tx.id));
    smtp_log_proxied(s, d);
    smtp_reply(s, d->code, d->enhanced.p, STR_FMT, STR_ARG(d->said));
    if (d->code < 400)
        s->errors = s->junk = 0;
}

/* The whole message is refused: with LMTP so often as there are recipients. */
static void refuse(struct smtp_session *s)
{
    const struct err *e = &s->tx.msg.failure;
    if (!s->tx.msg.logged)
        smtp_log_reject(s, "END-OF-MESSAGE", s->tx.sender, s->tx.n == 1 ? s->tx.rcpts[0].address : STR_NONE,
                        e);
    for (size_t i = 0; i < (smtp_is_lmtp(s) ? s->tx.n : 1); i++)
        smtp_reply_err(s, e);
}

uint64_t smtp_message_lines(const struct smtp_session *s)
{
    const struct smtp_message *m = &s->tx.msg;
    return (m->checks ? smtp_checks_lines(m->checks) : m->decoder.lines) - m->drop.lines;
}

static uint64_t message_bytes(const struct smtp_session *s)
{
    const struct smtp_message *m = &s->tx.msg;
    uint64_t bytes = m->checks ? smtp_checks_bytes(m->checks) : m->decoder.content_bytes;
    return (uint64_t)((int64_t)(bytes - m->drop.bytes) + m->grown_bytes);
}

/* What XFORWARD said, else what is seen here; "unknown" is no name. */
static str known(str told, str seen)
{
    str value = told.n > 0 ? told : seen;
    return str_eq(value, S("unknown")) ? STR_NONE : value;
}

static str filter_of(const struct smtp_session *s)
{
    bool none = smtp_is_lmtp(s) || s->p->own_mail || smtp_proxy_filter(s).n > 0;
    return s->tx.actions.filter.n ? s->tx.actions.filter : none ? STR_NONE : str_c(s->conf->content_filter);
}

static void deliver_and_reply(struct smtp_session *s)
{
    struct smtp_delivery d = {
        .sender = s->tx.sender,
        .mail = &s->tx.mail,
        .account = s->account,
        .client = arena_printf(s->cmd_arena, SMTP_CLIENT_FMT, SMTP_CLIENT_ARG(s)),
        .content_bytes = message_bytes(s),
        .content_lines = (uint64_t)((int64_t)smtp_message_lines(s) + s->tx.msg.grown_lines),
        .held = s->tx.actions.hold,
        .filter = filter_of(s),
        .each_alone = smtp_is_lmtp(s),
        .proxy = smtp_proxy_filter(s),
        .arena = s->tx.arena,
        .origin = {.name = known(s->tx.forwarded.name, s->p->client_name),
                   .address = known(s->tx.forwarded.address, s->p->client_address),
                   .port = s->tx.forwarded.address.n ? STR_NONE
                                                     : arena_printf(s->tx.arena, "%u", s->p->client_port),
                   .helo = s->helo,
                   .protocol = smtp_protocol(s),
                   .id = s->tx.id},
    };
    if (!collect_targets(s, &d)) {
        smtp_message_fail(s, 452, "4.3.1", "Error: insufficient system storage");
        refuse(s);
        return;
    }
    msec received = clock_mono();
    bool committed = deliver(s, &d) == RC_OK;
    if (d.proxy.n > 0) {
        reply_proxied(s, &d);
        return;
    }
    struct smtp_times times = {.receive = received - s->tx.started,
                               .deliver = clock_mono() - received,
                               .bytes = d.bytes,
                               .crlf_bytes = d.bytes + d.content_lines + crlf_lines(s->tx.trace)};
    log_results(s, &d, committed, times);
    if (smtp_is_lmtp(s))
        reply_each(s, &d, committed);
    else
        reply_once(s, &d, committed);
}

/* An access table wants it to vanish; the log tells which. */
static void discard(struct smtp_session *s)
{
    log_info(STR_FMT ": discarded", STR_ARG(s->tx.id));
    smtp_reply(s, 250, "2.0.0", "Ok: queued as " STR_FMT, STR_ARG(s->tx.id));
}

/* Replies when milters refuse it. */
static bool is_filtered_out(struct smtp_session *s)
{
    const struct restrict_refusal *refusal;
    enum rc rc = s->tx.actions.discard ? RC_OK : smtp_milter_message(s, &refusal);
    if (rc == RC_TEMP)
        refuse(s);
    else if (rc != RC_OK)
        restrict_reply(s, refusal);
    return rc != RC_OK;
}

void smtp_message_finish(struct smtp_session *s)
{
    const struct restrict_refusal *refusal;
    judge(s);
    if (s->tx.msg.checks && !s->tx.msg.failed)
        smtp_checks_finish(s->tx.msg.checks);
    smtp_message_flush(s);
    if (!s->tx.msg.failed)
        make_trace(s);
    if (s->tx.msg.failed || (!s->tx.actions.discard && smtp_action_copies(s) != RC_OK))
        refuse(s);
    else if (!s->tx.actions.discard && restrict_end_of_data(s, &refusal) != RC_OK)
        restrict_reply(s, refusal);
    else if (is_filtered_out(s))
        log_debug(STR_FMT ": a milter refused it", STR_ARG(s->tx.id));
    else if (s->tx.actions.discard)
        discard(s);
    else if (smtp_apply_actions(s) == RC_OK)
        deliver_and_reply(s);
    smtp_tx_reset(s);
}

static enum rc post(struct smtp_session *s, str to, str content, struct smtp_delivery *d, struct err *e)
{
    const struct smtp_rcpt rcpt = {.notify = SMTP_NOTIFY_NEVER};
    enum rc rc = smtp_add_recipient(s, to, &rcpt, e);
    if (rc == RC_OK)
        rc = s->env->content_new(s->p->env_ctx, content.n, false);
    if (rc == RC_OK)
        rc = s->env->content_append(s->p->env_ctx, content);
    if (rc == RC_OK && !collect_targets(s, d))
        rc = RC_LIMIT;
    return rc == RC_OK ? deliver(s, d) : rc;
}

void smtp_post(struct smtp_session *s, str to, str content)
{
    bool inspected = conf_list_has(&s->conf->internal_mail_filter_classes, S("notify"));
    struct smtp_delivery d = {.sender = S(""),
                              .filter = inspected ? S(VIA_INSPECTION) : STR_NONE,
                              .mail = &s->tx.mail,
                              .client = S("local"),
                              .content_bytes = content.n,
                              .content_lines = crlf_lines(content)};
    struct err e = {0};
    msec begun = clock_mono();
    smtp_tx_reset(s);
    s->tx.id = queue_new_id(s->tx.id_room);
    s->tx.mail = (struct smtp_mail){.envid = STR_NONE};
    headscan_init(&s->tx.msg.head);
    headscan_feed(&s->tx.msg.head, content);
    s->tx.trace = S("");
    if (post(s, to, content, &d, &e) == RC_OK)
        log_results(s, &d, true, (struct smtp_times){.deliver = clock_mono() - begun});
    else
        log_warn("postmaster notify: " STR_FMT ": %s", STR_ARG(to),
                 d.n > 0 && d.rcpts ? err_text(&d.rcpts[0].result) : err_text(&e));
    smtp_tx_reset(s);
}
