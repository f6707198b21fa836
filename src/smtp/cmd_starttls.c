/* STARTTLS (RFC 3207). The dispatcher has refused it with input waiting behind it: what a man in the middle
 * put there before the handshake must never be taken for the client's words. */
#include "smtp/session_impl.h"

void smtp_cmd_starttls(struct smtp_session *s, str args)
{
    if (stream_is_tls(s->io)) {
        smtp_reply(s, 503, "5.5.1", "Error: TLS already active");
        return;
    }
    if (!s->p->tls) {
        smtp_reply(s, 502, "5.5.1", "Error: TLS not available");
        return;
    }
    if (smtp_milter_refuses_command(s) || smtp_refuse_tls(s))
        return;
    smtp_reply(s, 220, "2.0.0", "Ready to start TLS");
    smtp_flush(s);
    if (s->end != SMTP_END_NOT)
        return;
    smtp_start_tls(s);
    smtp_forget_client(s);
}
