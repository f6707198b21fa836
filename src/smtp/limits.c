/* smtpd_client_*_rate_limit: what a client does too often is refused with Postfix's words. A TLS session that
 * resumes another costs little and is not counted. */
#include "base/log.h"
#include "smtp/session_impl.h"

static const struct {
    const char *text, *log;
} limits[SMTP_EVENT_COUNT] = {
    [SMTP_EVENT_MESSAGE] = {"too much mail", "Message delivery request rate limit exceeded"},
    [SMTP_EVENT_RECIPIENT] = {"too many recipients", "Recipient address rate limit exceeded"},
    [SMTP_EVENT_AUTH] = {"too many AUTH commands", "AUTH command rate limit exceeded"},
    [SMTP_EVENT_TLS] = {"too many new TLS sessions", "New TLS session rate limit exceeded"},
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

static bool is_over(const struct smtp_session *s, enum smtp_event event, bool note)
{
    int limit = limit_of(s->conf, event);
    return limit > 0 && s->env->count && s->env->count(s->p->env_ctx, event, limit, note) != RC_OK;
}

static void log_over(const struct smtp_session *s, enum smtp_event event)
{
    log_warn("%s: %d from " SMTP_CLIENT_FMT " for service %s", limits[event].log,
             limit_of(s->conf, event) + 1, SMTP_CLIENT_ARG(s), s->p->service);
}

bool smtp_is_too_often(struct smtp_session *s, enum smtp_event event)
{
    if (!is_over(s, event, true))
        return false;
    log_over(s, event);
    smtp_reply(s, 450, "4.7.1", "Error: %s from " STR_FMT, limits[event].text, STR_ARG(s->p->client_address));
    return true;
}

bool smtp_refuse_tls(struct smtp_session *s)
{
    if (!is_over(s, SMTP_EVENT_TLS, false))
        return false;
    log_warn("Refusing STARTTLS request from " SMTP_CLIENT_FMT " for service %s", SMTP_CLIENT_ARG(s),
             s->p->service);
    smtp_reply(s, 454, "4.7.0", "Error: %s from " SMTP_CLIENT_FMT, limits[SMTP_EVENT_TLS].text,
               SMTP_CLIENT_ARG(s));
    return true;
}

void smtp_count_tls(struct smtp_session *s)
{
    if (stream_tls_info(s->io)->resumed || !is_over(s, SMTP_EVENT_TLS, true))
        return;
    log_over(s, SMTP_EVENT_TLS);
    smtp_reply(s, 421, "4.7.0", "%s Error: %s from " SMTP_CLIENT_FMT, s->conf->hostname,
               limits[SMTP_EVENT_TLS].text, SMTP_CLIENT_ARG(s));
    s->end = SMTP_END_REFUSED;
}
