/* The TLS handshake with a client, and what is asked of its certificate. Postfix's words where one is
 * required. */
#include "base/log.h"
#include "smtp/session_impl.h"

static bool wants_certificate(const struct smtp_session *s)
{
    return s->conf->smtpd_tls_ask_ccert || s->conf->smtpd_tls_req_ccert;
}

/* A certificate can be required only where there is no way around TLS. */
static bool lacks_certificate(const struct smtp_session *s)
{
    bool required = s->conf->smtpd_tls_req_ccert && (s->p->tls_required || s->p->implicit_tls);
    return required && !stream_tls_info(s->io)->ccert->trusted;
}

static void log_doubt(const struct smtp_session *s)
{
    const struct tls_ccert *c = stream_tls_info(s->io)->ccert;
    if (c->present)
        log_info("certificate verification failed for " SMTP_CLIENT_FMT ": %s", SMTP_CLIENT_ARG(s), c->why);
}

static void refuse_certificate(struct smtp_session *s)
{
    const struct tls_ccert *c = stream_tls_info(s->io)->ccert;
    const char *why = c->present ? "Client certificate not trusted" : "No client certificate presented";
    log_info("NOQUEUE: abort: TLS from " SMTP_CLIENT_FMT ": %s", SMTP_CLIENT_ARG(s), why);
    smtp_reply(s, 421, "4.7.1", "%s Error: %s", s->conf->hostname, why);
    s->end = SMTP_END_REFUSED;
}

void smtp_start_tls(struct smtp_session *s)
{
    struct err e = {.rc = RC_OK};
    if (wants_certificate(s))
        stream_ask_certificate(s->io);
    stream_set_deadline(s->io, clock_mono() + s->conf->smtpd_command_time_limit_ms);
    if (stream_start_tls(s->io, s->p->tls, &e) != RC_OK) {
        log_info("SSL_accept error from " SMTP_CLIENT_FMT ": %s", SMTP_CLIENT_ARG(s), err_text(&e));
        s->end = SMTP_END_LOST;
        return;
    }
    if (lacks_certificate(s))
        log_doubt(s);
    smtp_log_tls(s);
    if (lacks_certificate(s))
        refuse_certificate(s);
    else
        smtp_count_tls(s);
}
