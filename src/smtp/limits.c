/* smtpd_client_*_rate_limit: what a client does too often is refused with Postfix's words. A TLS session that resumes
 * another costs little and is not counted. */
#include "base/log.h"
#include "smtp/session_impl.h"

static const struct limit {
    int code;
    const char *enhanced, *text, *log;
} limits[SMTP_EVENT_COUNT] = {
    [SMTP_EVENT_MESSAGE] = {450, "4.7.1", "Error: too much mail from", "Message delivery request rate limit exceeded"},
    [SMTP_EVENT_RECIPIENT] = {450, "4.7.1", "Error: too many recipients from", "Recipient address rate limit exceeded"},
    [SMTP_EVENT_AUTH] = {450, "4.7.1", "Error: too many AUTH commands from", "AUTH command rate limit exceeded"},
    [SMTP_EVENT_TLS] = {454, "4.7.0", "Error: too many new TLS sessions from", "New TLS session rate limit exceeded"},
};

static int limit_of(const struct conf *c, enum smtp_event event)
{
    switch (event) {
    case SMTP_EVENT_MESSAGE:
        return c->smtpd_client_message_rate_limit;
    case SMTP_EVENT_RECIPIENT:
        return c->smtpd_client_recipient_rate_limit;
    case SMTP_EVENT_AUTH:
        return c->smtpd_client_auth_rate_limit;
    case SMTP_EVENT_TLS:
        return c->smtpd_client_new_tls_session_rate_limit;
    case SMTP_EVENT_COUNT:
        break;
    }
    return 0;
}

/* True: too often; the log was told. */
static bool is_over(const struct smtp_session *s, enum smtp_event event, bool note)
{
    int limit = limit_of(s->conf, event);
    if (limit == 0 || !s->env->count || s->env->count(s->p->env_ctx, event, limit, note) == RC_OK)
        return false;
    log_warn("warning: %s: %d from " SMTP_CLIENT_FMT " for service %s", limits[event].log, limit + 1,
             SMTP_CLIENT_ARG(s), s->p->service);
    return true;
}

static bool refuse(struct smtp_session *s, enum smtp_event event, bool note)
{
    const struct limit *l = &limits[event];
    if (!is_over(s, event, note))
        return false;
    smtp_reply(s, l->code, l->enhanced, "%s " STR_FMT, l->text, STR_ARG(s->p->client_address));
    return true;
}

bool smtp_is_too_often(struct smtp_session *s, enum smtp_event event)
{
    return refuse(s, event, true);
}

bool smtp_refuse_tls(struct smtp_session *s)
{
    return refuse(s, SMTP_EVENT_TLS, false);
}

void smtp_count_tls(struct smtp_session *s)
{
    if (stream_tls_info(s->io)->resumed || !is_over(s, SMTP_EVENT_TLS, true))
        return;
    smtp_reply(s, 421, "4.7.0", "%s %s " SMTP_CLIENT_FMT, s->conf->hostname, limits[SMTP_EVENT_TLS].text,
               SMTP_CLIENT_ARG(s));
    s->end = SMTP_END_REFUSED;
}
