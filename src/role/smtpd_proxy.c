/* smtpd_proxy_filter: a complete message goes to a filter, over SMTP, and what that says is the reply to the
 * client. The message lies in no queue here: unless the filter has accepted it for every recipient, its
 * sender keeps it. Without a reply of the filter's that is 451, also when the connection is lost after the
 * message: the sender's next try may then be a second copy. */
#include "base/log.h"
#include "fmt/crlf.h"
#include "role/smtpd_impl.h"

enum { QUIT_MS = 500 }; /* the client waits meanwhile */

static enum rc answer(struct smtp_delivery *d, int code, str enhanced, str said)
{
    d->code = code;
    d->enhanced = enhanced;
    d->said = said;
    return code < 400 ? RC_OK : code < 500 ? RC_TEMP : RC_PERM;
}

enum rc smtpd_proxy_fail(struct smtp_delivery *d)
{
    return answer(d, 451, S("4.3.0"), S("Error: queue file write error"));
}

/* "550 5.7.1 no" without what the reply has by itself. */
static str words_of(const struct smtp_outcome *o)
{
    str words = o->said, enhanced = str_c(o->enhanced);
    (void)str_take(&words, ' ');
    if (str_starts(words, enhanced))
        words = str_trim(str_from(words, enhanced.n));
    return words;
}

static enum rc answer_of(struct smtp_delivery *d, const struct smtp_outcome *o)
{
    if (o->rc != RC_OK)
        log_warn(STR_FMT ": the filter " STR_FMT ": " STR_FMT, STR_ARG(d->id), STR_ARG(d->proxy),
                 STR_ARG(o->text));
    str enhanced = arena_str(d->arena, str_c(o->enhanced)), words = arena_str(d->arena, words_of(o));
    if (o->phase == SMTP_PHASE_CHECK && o->rc == RC_PERM)
        return answer(d, 554, enhanced, S("Error: the content filter does not take such messages"));
    bool refused = o->code >= 400 && o->code < 600 && o->code != 421 && o->phase >= SMTP_PHASE_MAIL;
    return (o->rc == RC_OK || refused) && words.p ? answer(d, o->code, enhanced, words) : smtpd_proxy_fail(d);
}

static bool is_taken(const struct smtp_client_message *m)
{
    for (size_t i = 0; i < m->n_rcpts; i++)
        if (m->rcpts[i].outcome.rc != RC_OK)
            return false;
    return m->outcome.phase == SMTP_PHASE_END && m->outcome.code / 100 == 2;
}

static enum rc open_filter(struct smtpd_session *s, struct smtp_delivery *d, struct smtp_client **ret)
{
    msec time = s->conf->smtpd_proxy_timeout_ms;
    struct stream *io;
    struct err e = {0};
    struct smtp_client_failure failure = {0};
    const struct conf *c = s->conf;
    const struct smtp_client_params params = {
        .peer = d->proxy,
        .helo_name = str_c(c->smtpd_proxy_ehlo[0] ? c->smtpd_proxy_ehlo : c->hostname),
        .tells_origin = true,
        .timeouts = {.greeting = time,
                     .helo = time,
                     .mail = time,
                     .rcpt = time,
                     .data_init = time,
                     .block = time,
                     .data_done = time,
                     .quit = QUIT_MS}};
    enum rc rc = smtpd_connect(s->server, d->proxy, clock_mono() + time, SMTP_CLIENT_IN_MAX, &io, &e);
    if (rc != RC_OK)
        log_warn("connect to proxy filter " STR_FMT ": %s", STR_ARG(d->proxy), err_text(&e));
    else if ((rc = smtp_client_open(&params, io, d->arena, ret, &failure)) != RC_OK)
        log_warn("proxy filter " STR_FMT ": " STR_FMT, STR_ARG(d->proxy), STR_ARG(failure.outcome.text));
    return rc;
}

static bool put_rcpts(struct smtp_delivery *d, struct smtp_client_message *m)
{
    m->rcpts = arena_array(d->arena, d->n, sizeof *m->rcpts);
    for (size_t i = 0; m->rcpts && i < d->n; i++) {
        const struct smtp_delivery_rcpt *r = &d->rcpts[i];
        m->rcpts[m->n_rcpts++] = (struct smtp_client_rcpt){.address = r->orig,
                                                           .notify = r->params->notify,
                                                           .orcpt_type = r->params->orcpt_type,
                                                           .orcpt = r->params->orcpt};
    }
    return m->rcpts != NULL;
}

enum rc smtpd_proxy(struct smtpd_session *s, struct smtp_delivery *d)
{
    AUTO(smtp_client_freep) struct smtp_client *client = NULL;
    str content = buf_str(&s->content.memory);
    struct smtp_client_message m = {.origin = d->origin,
                                    .sender = d->sender,
                                    .size_bytes = d->content_bytes + d->content_lines + d->trace.n +
                                                  crlf_lines(d->trace),
                                    .smtputf8 = d->mail->smtputf8,
                                    .whole = true,
                                    .ret = (int)d->mail->ret,
                                    .envid = d->mail->envid,
                                    .header = d->trace,
                                    .body = s->content.file < 0 ? content : STR_NONE,
                                    .fd = s->content.file,
                                    .body_bytes = d->content_bytes};
    if (!put_rcpts(d, &m) || open_filter(s, d, &client) != RC_OK)
        return smtpd_proxy_fail(d);
    if (d->mail->body == SMTP_BODY_8BITMIME && ehlo_has(smtp_client_offers(client), EHLO_8BITMIME))
        m.content = SMTP_CONTENT_8BIT;
    smtp_client_send(client, d->arena, &m);
    enum rc rc = m.outcome.rc == RC_OK && !is_taken(&m) ? smtpd_proxy_fail(d) : answer_of(d, &m.outcome);
    smtp_client_quit(client);
    client = NULL;
    return rc;
}
