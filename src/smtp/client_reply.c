/* Reading replies within their time, and outcomes in the words of Postfix's log (client.h). */
#include "smtp/client_impl.h"

static const struct {
    const char *doing;   /* "while ..." */
    const char *command; /* "in reply to ..." */
} phases[] = {
    [SMTP_PHASE_GREETING] = {"receiving the initial server greeting", NULL},
    [SMTP_PHASE_EHLO] = {NULL, NULL}, /* has the verb in it */
    [SMTP_PHASE_STARTTLS] = {"sending STARTTLS", "STARTTLS command"},
    [SMTP_PHASE_TLS] = {"performing the TLS handshake", NULL},
    [SMTP_PHASE_AUTH] = {"performing the SASL authentication", "AUTH command"},
    [SMTP_PHASE_CHECK] = {"checking the message", NULL},
    [SMTP_PHASE_XFORWARD] = {"sending XFORWARD", "XFORWARD command"},
    [SMTP_PHASE_MAIL] = {"sending MAIL FROM", "MAIL FROM command"},
    [SMTP_PHASE_RCPT] = {"sending RCPT TO", "RCPT TO command"},
    [SMTP_PHASE_DATA] = {"sending DATA command", "DATA command"},
    [SMTP_PHASE_BODY] = {"sending message body", "message body"},
    [SMTP_PHASE_END] = {"sending end of data -- message may be sent more than once", "end of DATA command"},
    [SMTP_PHASE_RSET] = {"sending RSET", "RSET command"},
    [SMTP_PHASE_QUIT] = {"sending QUIT", "QUIT command"},
};

void client_set_deadline(struct smtp_client *c, msec timeout)
{
    msec deadline = clock_mono() + timeout;
    stream_set_deadline(c->io, c->p.deadline && c->p.deadline < deadline ? c->p.deadline : deadline);
}

enum rc client_flush(struct smtp_client *c, msec timeout)
{
    if (c->broken)
        return RC_GONE;
    client_set_deadline(c, timeout);
    enum rc rc = stream_flush(c->io);
    c->broken = rc != RC_OK;
    return rc;
}

enum rc client_read(struct smtp_client *c, msec timeout, struct ehlo *into)
{
    enum smtp_reply_event event = SMTP_REPLY_MORE;
    enum rc rc = RC_OK;
    client_set_deadline(c, timeout);
    memset(&c->reply, 0, sizeof c->reply);
    c->reply.filter = c->p.reply_filter;
    c->reply.filter_ctx = c->p.filter_ctx;
    while (event != SMTP_REPLY_DONE) {
        str in;
        size_t taken = 0;
        rc = stream_read(c->io, &in);
        if (rc == RC_OK) {
            event = smtp_reply_feed(&c->reply, in, &taken, &rc);
            stream_consume(c->io, taken);
        }
        if (rc != RC_OK) {
            c->broken = true;
            return rc;
        }
        if (into && event != SMTP_REPLY_MORE)
            ehlo_feed(into, c->reply.text);
    }
    c->closing |= c->reply.code == 421;
    return RC_OK;
}

static str doing(const struct smtp_client *c, struct arena *arena, enum smtp_phase phase)
{
    return phase == SMTP_PHASE_EHLO ? arena_printf(arena, "performing the %s handshake", c->hello)
                                    : str_c(phases[phase].doing);
}

static str in_reply_to(const struct smtp_client *c, struct arena *arena, enum smtp_phase phase)
{
    return phase == SMTP_PHASE_EHLO ? arena_printf(arena, "%s command", c->hello)
                                    : str_c(phases[phase].command);
}

static void set_enhanced(struct smtp_outcome *ret, const char *enhanced)
{
    snprintf(ret->enhanced, sizeof ret->enhanced, "%s", enhanced);
}

static enum rc reply_rc(int code, enum smtp_phase phase)
{
    if (code / 100 == 5)
        return RC_PERM;
    bool good = phase == SMTP_PHASE_DATA       ? code == 354
                : phase == SMTP_PHASE_GREETING ? code == 220
                                               : code / 100 == 2;
    return good ? RC_OK : RC_TEMP;
}

/* "mx.example[192.0.2.1]", as Postfix tells of a server's words; relay= has the port, too. */
static str host_of(const struct smtp_client *c)
{
    ptrdiff_t end = str_rchr(c->p.peer, ']');
    return end < 0 ? c->p.peer : str_sub(c->p.peer, 0, (size_t)end + 1);
}

void client_outcome_reply(struct smtp_client *c, struct arena *arena, enum smtp_phase phase,
                          struct smtp_outcome *ret)
{
    const struct smtp_reply *r = &c->reply;
    *ret = (struct smtp_outcome){.rc = reply_rc(r->code, phase), .phase = phase, .code = r->code};
    int class = ret->rc == RC_OK ? 2 : ret->rc == RC_PERM ? 5 : 4;
    if (r->enhanced[0] == '0' + class)
        set_enhanced(ret, r->enhanced);
    else
        snprintf(ret->enhanced, sizeof ret->enhanced, "%d.0.0", class);
    ret->said = arena_str(arena, str_mem(r->said, r->said_n));
    ret->text = ret->said;
    if (ret->rc == RC_OK)
        return;
    if (class == 4 && r->code / 100 != 4)
        c->broken = true; /* a good reply to another command: out of step */
    str to = in_reply_to(c, arena, phase);
    str host = host_of(c);
    if (phase == SMTP_PHASE_GREETING || phase == SMTP_PHASE_EHLO)
        ret->text = arena_printf(arena, "host " STR_FMT " refused to talk to me: " STR_FMT, STR_ARG(host),
                                 STR_ARG(ret->said));
    else
        ret->text = arena_printf(arena, "host " STR_FMT " said: " STR_FMT " (in reply to " STR_FMT ")",
                                 STR_ARG(host), STR_ARG(ret->said), STR_ARG(to));
}

void client_outcome_own(struct arena *arena, enum smtp_phase phase, enum rc rc, const char *enhanced,
                        struct smtp_outcome *ret, const char *fmt, ...)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(4096);
    va_list ap;
    *ret = (struct smtp_outcome){.rc = rc, .phase = phase};
    set_enhanced(ret, enhanced);
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    ret->text = arena_str(arena, buf_str(&text));
}

void client_outcome_lost(struct smtp_client *c, struct arena *arena, enum smtp_phase phase, enum rc rc,
                         struct smtp_outcome *ret)
{
    str while_doing = doing(c, arena, phase);
    str said = str_mem(c->reply.said, c->reply.said_n);
    switch (rc) {
    case RC_TEMP:
        client_outcome_own(arena, phase, RC_TEMP, "4.4.2", ret,
                           "conversation with " STR_FMT " timed out while " STR_FMT, STR_ARG(host_of(c)),
                           STR_ARG(while_doing));
        return;
    case RC_INVALID:
    case RC_LIMIT:
        client_outcome_own(arena, phase, RC_TEMP, "4.5.0", ret,
                           "protocol error: host " STR_FMT " sent %s while " STR_FMT ": " STR_FMT,
                           STR_ARG(host_of(c)), rc == RC_LIMIT ? "a reply without end" : "what is no reply",
                           STR_ARG(while_doing), STR_ARG(said));
        return;
    default:
        client_outcome_own(arena, phase, RC_TEMP, "4.4.2", ret,
                           "lost connection with " STR_FMT " while " STR_FMT, STR_ARG(host_of(c)),
                           STR_ARG(while_doing));
    }
}

enum rc client_ask(struct smtp_client *c, struct arena *arena, enum smtp_phase phase, msec timeout,
                   struct ehlo *into, struct smtp_outcome *ret)
{
    enum rc rc = client_flush(c, timeout);
    if (rc == RC_OK)
        rc = client_read(c, timeout, into);
    if (rc == RC_OK) {
        client_outcome_reply(c, arena, phase, ret);
        return RC_OK;
    }
    client_outcome_lost(c, arena, phase, rc, ret);
    return RC_GONE;
}
