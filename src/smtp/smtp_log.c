/* Log lines in the shapes of Postfix's smtpd and local delivery, which fail2ban and pflogsumm read; and of
 * Dovecot's LMTP server, where lines are called as programs (log_programs). What strangers sent is cleaned by
 * the log itself (base/log.h). */
#include "base/log.h"
#include "fmt/delay.h"
#include "fmt/log_delivery.h"
#include "smtp/session_impl.h"

#include <unistd.h>

/* Where LMTP is Dovecot's, the lines about its messages are Dovecot's alone. */
static bool is_dovecot(const struct smtp_session *s)
{
    return smtp_is_lmtp(s) && s->conf->log_programs;
}

/* How far it is, in Dovecot's words. */
static const char *state_of(const struct smtp_session *s)
{
    return s->hello == SMTP_HELLO_NONE ? "GREETING"
           : s->tx.msg.open            ? "DATA"
           : s->tx.n > 0               ? "RCPT TO"
           : s->tx.mail_ok             ? "MAIL FROM"
                                       : "READY";
}

void smtp_log_connect(const struct smtp_session *s)
{
    if (smtp_gate_refuses(s)) /* the gate has said so */
        return;
    if (is_dovecot(s))
        log_info_of(LOG_AS_DOVECOT, "lmtp(%d): Connect from " STR_FMT, (int)getpid(),
                    STR_ARG(s->p->client_address));
    else if (s->p->local)
        log_debug("connect from uid %u", s->p->local->uid);
    else
        log_info("connect from " SMTP_CLIENT_FMT, SMTP_CLIENT_ARG(s));
}

static const char *trust_of(const struct tls_ccert *c)
{
    return !c || !c->present ? "Anonymous" : c->trusted ? "Trusted" : "Untrusted";
}

void smtp_log_tls(const struct smtp_session *s)
{
    const struct tls_info *tls = stream_tls_info(s->io);
    if (tls)
        log_info("%s TLS connection established from " SMTP_CLIENT_FMT ": " STR_FMT " with cipher " STR_FMT
                 " (%d/%d bits)",
                 trust_of(tls->ccert), SMTP_CLIENT_ARG(s), STR_ARG(tls->version), STR_ARG(tls->cipher),
                 tls->bits, tls->alg_bits);
}

static void log_why(const struct smtp_session *s)
{
    const char *why = s->end == SMTP_END_LOST      ? "lost connection"
                      : s->end == SMTP_END_TIMEOUT ? "timeout"
                      : s->end == SMTP_END_ERRORS  ? "too many errors"
                                                   : NULL;
    if (why)
        log_info("%s after %s from " SMTP_CLIENT_FMT, why, s->last_verb, SMTP_CLIENT_ARG(s));
}

static void put_count(struct buf *out, const char *name, unsigned ok, unsigned total)
{
    if (total == 0)
        return;
    buf_putc(out, ' ');
    for (const char *c = name; *c; c++)
        buf_putc(out, ascii_lower(*c));
    buf_putc(out, '=');
    buf_put_u64(out, ok);
    if (ok == total)
        return;
    buf_putc(out, '/');
    buf_put_u64(out, total);
}

/* "disconnect from name[ip] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4" */
void smtp_log_end(const struct smtp_session *s)
{
    AUTO(buf_deinit) struct buf counts = BUF_INIT(1000);
    unsigned ok = 0, total = 0, unknown = 0;
    if (smtp_gate_refuses(s)) {
        smtp_gate_log_end(s);
        return;
    }
    if (is_dovecot(s)) {
        log_info_of(LOG_AS_DOVECOT, "lmtp(%d): Disconnect from " STR_FMT ": %s (state=%s)", (int)getpid(),
                    STR_ARG(s->p->client_address),
                    s->end == SMTP_END_QUIT ? "Logged out" : "Connection closed", state_of(s));
        return;
    }
    log_why(s);
    for (size_t i = 0; i < SMTP_COMMAND_MAX; i++) {
        if (i < smtp_command_count)
            put_count(&counts, smtp_commands[i].verb, s->stats[i].ok, s->stats[i].total);
        else
            unknown += s->stats[i].total;
        ok += s->stats[i].ok;
        total += s->stats[i].total;
    }
    put_count(&counts, "unknown", 0, unknown);
    if (total)
        put_count(&counts, "commands", ok, total);
    else
        buf_puts(&counts, S(" commands=0/0"));
    if (s->p->local)
        log_debug("disconnect from uid %u%s", s->p->local->uid, buf_cstr(&counts));
    else
        log_info("disconnect from " SMTP_CLIENT_FMT "%s", SMTP_CLIENT_ARG(s), buf_cstr(&counts));
}

void smtp_log_client(const struct smtp_session *s)
{
    if (is_dovecot(s))
        return;
    if (s->p->local) {
        log_info_of(LOG_AS_PICKUP, STR_FMT ": uid=%u from=<" STR_FMT ">", STR_ARG(s->tx.id), s->p->local->uid,
                    STR_ARG(s->tx.sender));
        return;
    }
    AUTO(buf_deinit) struct buf line = BUF_INIT(4096);
    buf_printf(&line, STR_FMT ": client=" SMTP_CLIENT_FMT, STR_ARG(s->tx.id), SMTP_CLIENT_ARG(s));
    smtp_put_forwarded(&s->tx.forwarded, &line);
    if (smtp_is_authenticated(s))
        buf_printf(&line, ", sasl_method=" STR_FMT ", sasl_username=" STR_FMT, STR_ARG(s->method),
                   STR_ARG(s->account));
    log_info("%s", buf_cstr(&line));
}

static void put_whose(const struct smtp_session *s, str sender, str recipient, struct buf *line)
{
    if (sender.p)
        buf_printf(line, " from=<" STR_FMT ">", STR_ARG(sender));
    if (recipient.p)
        buf_printf(line, " to=<" STR_FMT ">", STR_ARG(recipient));
    buf_printf(line, " proto=" STR_FMT, STR_ARG(smtp_protocol(s)));
    if (s->helo.n)
        buf_printf(line, " helo=<" STR_FMT ">", STR_ARG(s->helo));
}

void smtp_log_event_of(const struct smtp_session *s, enum log_program program, const char *what,
                       const char *stage, str text, str sender, str recipient)
{
    AUTO(buf_deinit) struct buf line = BUF_INIT(4096);
    buf_puts(&line, s->tx.id.n ? s->tx.id : S("NOQUEUE"));
    buf_printf(&line, ": %s: %s from " SMTP_CLIENT_FMT ": " STR_FMT ";", what, stage, SMTP_CLIENT_ARG(s),
               STR_ARG(text));
    put_whose(s, sender, recipient, &line);
    log_info_of(program, "%s", buf_cstr(&line));
}

void smtp_log_proxied(const struct smtp_session *s, const struct smtp_delivery *d)
{
    AUTO(buf_deinit) struct buf line = BUF_INIT(4096);
    int code = d->code;
    char enhanced[12];
    snprintf(enhanced, sizeof enhanced, STR_FMT, STR_ARG(d->enhanced));
    smtp_soften(s, &code, enhanced);
    buf_printf(&line, "proxy-%s: END-OF-MESSAGE: %d %s " STR_FMT ";", code < 400 ? "accept" : "reject", code,
               enhanced, STR_ARG(d->said));
    put_whose(s, d->sender, s->tx.n == 1 ? s->tx.rcpts[0].address : STR_NONE, &line);
    log_info("%s", buf_cstr(&line));
}

void smtp_log_event(const struct smtp_session *s, const char *what, const char *stage, str text, str sender,
                    str recipient)
{
    smtp_log_event_of(s, LOG_AS_OWN, what, stage, text, sender, recipient);
}

void smtp_log_reject(const struct smtp_session *s, const char *stage, str sender, str recipient,
                     const struct err *e)
{
    char text[sizeof e->log + 32], enhanced[sizeof e->enhanced];
    int code = e->code;
    memcpy(enhanced, e->enhanced, sizeof enhanced);
    smtp_soften(s, &code, enhanced);
    snprintf(text, sizeof text, "%d %s %s", code, enhanced, err_text(e));
    smtp_log_event(s, "reject", stage, str_c(text), sender.p ? sender : S(""),
                   recipient.n ? recipient : STR_NONE);
}

void smtp_reject(struct smtp_session *s, const char *verb, str sender, str recipient, const struct err *e)
{
    smtp_log_reject(s, verb, sender, recipient, e);
    smtp_reply_err(s, e);
}

void smtp_log_message(const struct smtp_session *s, uint64_t bytes)
{
    if (!is_dovecot(s))
        log_info_of(LOG_AS_QMGR, STR_FMT ": from=<" STR_FMT ">, size=%llu, nrcpt=%zu (queue active)",
                    STR_ARG(s->tx.id), STR_ARG(s->tx.sender), (unsigned long long)bytes, s->tx.n);
}

void smtp_log_message_id(const struct smtp_session *s, str message_id)
{
    if (!is_dovecot(s))
        log_info_of(LOG_AS_CLEANUP, STR_FMT ": message-id=" STR_FMT, STR_ARG(s->tx.id), STR_ARG(message_id));
}

void smtp_log_removed(const struct smtp_session *s)
{
    if (!is_dovecot(s))
        log_info_of(LOG_AS_QMGR, STR_FMT ": removed", STR_ARG(s->tx.id));
}

static void log_of_lmtp(const struct smtp_session *s, const struct smtp_target *target, const char *text)
{
    log_info_of(LOG_AS_DOVECOT, "lmtp(" STR_FMT ")<%d><%s>: %s", STR_ARG(target->account), (int)getpid(),
                s->session_id, text);
}

/* What deliver_log_format says, and before it what mail_log_events wants. */
static void log_saved(const struct smtp_session *s, const struct smtp_recipient *r,
                      const struct smtp_target *target, const struct err *result, const struct smtp_times *t)
{
    AUTO(buf_deinit) struct buf message = BUF_INIT(LOG_DELIVERY_MAX), text = BUF_INIT(LOG_DELIVERY_MAX);
    AUTO(buf_deinit) struct buf line = BUF_INIT(LOG_DELIVERY_MAX);
    struct err e = {0};
    bool saved = result->rc == RC_OK;
    buf_printf(&message, "%s%s",
               saved ? "saved mail to INBOX" : "save failed to INBOX: ", saved ? "" : err_text(result));
    const struct log_delivery d = {.head = &s->tx.msg.head,
                                   .message = buf_str(&message),
                                   .sender = s->tx.sender.p ? s->tx.sender : S(""),
                                   .recipient = r->address,
                                   .bytes = t->bytes,
                                   .crlf_bytes = t->crlf_bytes,
                                   .delivery_ms = (uint64_t)t->deliver,
                                   .session_ms = (uint64_t)t->receive};
    if (log_delivery_put(&d, str_c(s->conf->deliver_log_format), &text, &e) != RC_OK) {
        log_error("deliver_log_format: %s", err_text(&e));
        buf_puts(&text, buf_str(&message));
    }
    if (saved && log_delivery_put_saved(&d, S("INBOX"), str_c(s->conf->mail_log_events),
                                        str_c(s->conf->mail_log_fields), &line))
        log_of_lmtp(s, target, buf_cstr(&line));
    log_of_lmtp(s, target, buf_cstr(&text));
}

void smtp_log_delivery(const struct smtp_session *s, const struct smtp_recipient *r,
                       const struct smtp_target *target, const struct err *result, struct smtp_times times)
{
    bool sent = result->rc == RC_OK, same = str_eq(target->address, r->address);
    bool virtual = str_chr(target->account, '@') >= 0; /* users of the system are local(8)'s in Postfix */
    const char *status = sent ? "sent" : result->rc == RC_PERM ? "bounced" : "deferred";
    const char *dsn = sent ? "2.0.0" : result->enhanced[0] ? result->enhanced : "4.3.0";
    str orig_open = same ? S("") : S(", orig_to=<"), orig = same ? S("") : r->address;
    char whole[DELAY_SIZE], receive[DELAY_SIZE], deliver[DELAY_SIZE];
    if (is_dovecot(s)) {
        log_saved(s, r, target, result, &times);
        return;
    }
    log_info_of(virtual ? LOG_AS_VIRTUAL : LOG_AS_LOCAL,
                STR_FMT ": to=<" STR_FMT ">" STR_FMT STR_FMT
                        "%s, relay=%s, delay=%s, delays=%s/0/0/%s, dsn=%s, status=%s (%s)",
                STR_ARG(s->tx.id), STR_ARG(target->address), STR_ARG(orig_open), STR_ARG(orig),
                same ? "" : ">", virtual ? "virtual" : "local",
                delay_format(times.receive + times.deliver, whole), delay_format(times.receive, receive),
                delay_format(times.deliver, deliver), dsn, status,
                sent ? "delivered to maildir" : err_text(result));
}
