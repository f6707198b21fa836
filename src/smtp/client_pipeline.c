/* The envelope of a transaction, command by command or in windows (RFC 2920).
 *
 * A window, with a small message behind it, is smaller than any socket's send buffer, so that this side never
 * waits to write while the server waits for its replies to be read. Without PIPELINING a window is one
 * command. */
#include "smtp/client_transaction.h"

enum {
    WINDOW = 8192, /* bytes of commands in flight */
    COMMAND_MAX = 32768
};

/* After replies to pipelined commands: content was announced that nobody is to get. RFC 2920 §3.1: an empty
 * message ends it; what the server says to that changes nothing. LMTP has no reply for nobody. */
static void end_empty(struct transaction *t)
{
    stream_write(t->c->io, S(".\r\n"));
    if (t->c->p.lmtp || client_flush(t->c, t->c->p.timeouts.block) != RC_OK ||
        client_read(t->c, t->c->p.timeouts.data_done, NULL) != RC_OK)
        t->c->broken = true;
}

static void take_mail_reply(struct transaction *t)
{
    struct smtp_outcome o;
    client_outcome_reply(t->c, t->arena, SMTP_PHASE_MAIL, &o);
    if (o.rc != RC_OK)
        transaction_settle_all(t, &o);
    else
        t->c->needs_reset = true; /* until the end of the content */
}

/* RFC 5321 §4.5.3.1.10: the server has enough recipients for this message; the others are for the next. 552
 * is what old servers say. */
static bool is_too_many(const struct transaction *t)
{
    const struct smtp_reply *r = &t->c->reply;
    if (t->accepted == 0 || (r->code != 452 && r->code != 552))
        return false;
    return r->enhanced[0] == '\0' || strcmp(r->enhanced + 1, ".5.3") == 0;
}

static void take_rcpt_reply(struct transaction *t, struct rcpt_entry *e)
{
    struct smtp_outcome o;
    if (e->state == RCPT_SETTLED) /* by MAIL */
        return;
    if (t->c->reply.code / 100 == 2 && t->m->probe) {
        client_outcome_reply(t->c, t->arena, SMTP_PHASE_RCPT, &o);
        transaction_settle(t, e, &o);
        return;
    }
    if (t->c->reply.code / 100 == 2) {
        e->state = RCPT_ACCEPTED;
        t->accepted++;
        return;
    }
    client_outcome_reply(t->c, t->arena, SMTP_PHASE_RCPT, &o);
    if (t->c->broken) {
        transaction_settle_all(t, &o);
        return;
    }
    if (is_too_many(t)) {
        o.rc = RC_TEMP;
        o.enhanced[0] = '4';
        e->rcpt->tried = false;
    }
    transaction_settle(t, e, &o);
    if (t->m->outcome.text.n == 0)
        t->m->outcome = o;
}

static void take_start_reply(struct transaction *t)
{
    struct smtp_outcome o;
    client_outcome_reply(t->c, t->arena, SMTP_PHASE_DATA, &o);
    t->go = o.rc == RC_OK;
    if (!t->go && t->accepted)
        transaction_settle_all(t, &o);
}

static enum smtp_phase phase_of(const struct transaction *t, size_t position)
{
    return position == 0      ? SMTP_PHASE_MAIL
           : position <= t->n ? SMTP_PHASE_RCPT
           : t->bdat          ? SMTP_PHASE_END
                              : SMTP_PHASE_DATA;
}

static msec timeout_of(const struct transaction *t, size_t position)
{
    const struct smtp_client_timeouts *all = &t->c->p.timeouts;
    return position == 0 ? all->mail : position <= t->n ? all->rcpt : all->data_init;
}

/* A pipelined BDAT after whose envelope nobody is left brings one reply, an error. */
static void take_inline_results(struct transaction *t)
{
    if (t->accepted)
        transaction_read_bdat_results(t);
    else if (client_read(t->c, t->c->p.timeouts.data_done, NULL) != RC_OK)
        t->c->broken = true;
}

static void take_reply(struct transaction *t, size_t position)
{
    if (position > t->n && t->bdat) {
        take_inline_results(t);
        return;
    }
    enum rc rc = client_read(t->c, timeout_of(t, position), NULL);
    if (rc != RC_OK) {
        t->m->uncertain = t->inline_bdat && t->sent == t->n + 2; /* all of it is on its way */
        transaction_settle_lost(t, phase_of(t, position), rc);
    } else if (t->c->closing) {
        struct smtp_outcome o;
        client_outcome_reply(t->c, t->arena, phase_of(t, position), &o);
        transaction_settle_all(t, &o);
    } else if (position == 0) {
        take_mail_reply(t);
    } else if (position <= t->n) {
        take_rcpt_reply(t, &t->entries[position - 1]);
    } else {
        take_start_reply(t);
    }
}

/* Writes the command of a position; returns its size. */
static size_t put_command(struct transaction *t, size_t position)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(COMMAND_MAX);
    if (position == 0) {
        t->passes = client_put_mail(t->c, t->m, &out);
    } else if (position <= t->n) {
        client_put_rcpt(t->c, t->m, t->entries[position - 1].rcpt, &out);
    } else if (t->bdat) {
        buf_printf(&out, "BDAT %zu LAST\r\n", t->content.wire.n);
        buf_puts(&out, buf_str(&t->content.wire));
    } else {
        buf_puts(&out, S("DATA\r\n"));
    }
    must(!out.overflow);
    stream_write(t->c->io, buf_str(&out));
    return out.n;
}

static void send_window(struct transaction *t, size_t end)
{
    size_t bytes = 0;
    client_set_deadline(t->c, timeout_of(t, t->answered));
    do {
        bytes += put_command(t, t->sent++);
    } while (transaction_has(t, EHLO_PIPELINING) && t->sent < end && bytes < WINDOW);
    enum rc rc = client_flush(t->c, timeout_of(t, t->answered));
    if (rc != RC_OK)
        transaction_settle_lost(t, phase_of(t, t->answered), rc);
}

static void run_until(struct transaction *t, size_t end)
{
    while (t->sent < end && !t->over) {
        send_window(t, end);
        while (t->answered < t->sent && !t->c->broken && !t->c->closing)
            take_reply(t, t->answered++);
        if (t->answered > t->n && t->accepted == 0)
            t->over = true;
    }
}

/* Nothing announces content before the last recipient was accepted. */
static void refuse_whole(struct transaction *t)
{
    for (size_t i = 0; i < t->m->n_rcpts && !t->over; i++)
        if (t->m->rcpts[i].outcome.rc != RC_OK) {
            struct smtp_outcome o = t->m->rcpts[i].outcome;
            transaction_settle_all(t, &o);
        }
}

void transaction_run_envelope(struct transaction *t)
{
    size_t end = t->m->probe || (t->bdat && !t->inline_bdat) ? t->n + 1 : t->n + 2;
    if (t->m->whole) {
        run_until(t, t->n + 1);
        refuse_whole(t);
    }
    run_until(t, end);
    if (t->go && t->accepted == 0 && !t->c->broken)
        end_empty(t);
}
