/* How often a client may do something, counted over all sessions of this role and for each listener alone. */
#include "role/smtpd_impl.h"

static const char *const names[SMTP_EVENT_COUNT] = {
    [SMTP_EVENT_MESSAGE] = "message",
    [SMTP_EVENT_RECIPIENT] = "recipient",
    [SMTP_EVENT_AUTH] = "AUTH",
    [SMTP_EVENT_TLS] = "TLS",
};

enum rc smtpd_count(void *ctx, enum smtp_event event, int limit, bool note)
{
    const struct smtpd_session *s = ctx;
    AUTO(buf_deinit) struct buf what = BUF_INIT(200);
    if (!s->limited)
        return RC_OK;
    buf_printf(&what, "%s %s", s->service, names[event]);
    const struct client_rate rate = {&s->client, buf_str(&what), (unsigned)limit, s->conf->anvil_rate_time_unit_ms};
    if (note)
        return client_limit_rate(s->server->clients, &rate, clock_mono());
    return client_limit_is_reached(s->server->clients, &rate, clock_mono()) ? RC_LIMIT : RC_OK;
}
