/* STARTTLS (RFC 3207). The dispatcher has refused it with input waiting behind it: what a man in the middle
 * put there before the handshake must never be taken for the client's words. */
#include "base/log.h"
#include "smtp/session_impl.h"

void smtp_cmd_starttls(struct smtp_session *s, str args)
{
    struct err e = {.rc = RC_OK};
    if (stream_is_tls(s->io)) {
        smtp_reply(s, 503, "5.5.1", "Error: TLS already active");
        return;
    }
    if (!s->p->tls) {
        smtp_reply(s, 502, "5.5.1", "Error: TLS not available");
        return;
    }
    if (smtp_refuse_tls(s))
        return;
    smtp_reply(s, 220, "2.0.0", "Ready to start TLS");
    smtp_flush(s);
    if (s->end != SMTP_END_NOT)
        return;
    stream_set_deadline(s->io, clock_mono() + s->conf->smtpd_command_time_limit_ms);
    if (stream_start_tls(s->io, s->p->tls, &e) != RC_OK) {
        log_info("SSL_accept error from " SMTP_CLIENT_FMT ": %s", SMTP_CLIENT_ARG(s), err_text(&e));
        s->end = SMTP_END_LOST;
        return;
    }
    smtp_forget_client(s);
    smtp_log_tls(s);
    smtp_count_tls(s);
}
