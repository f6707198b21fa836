/* How often a client may do something, counted over all sessions of this role and for each listener alone. */
#include "role/smtpd_impl.h"
#include "smtp/rules.h"

static const char *const names[SMTP_EVENT_COUNT] = {
    [SMTP_EVENT_MESSAGE] = "message",
    [SMTP_EVENT_RECIPIENT] = "recipient",
    [SMTP_EVENT_AUTH] = "AUTH",
    [SMTP_EVENT_TLS] = "TLS",
};

bool smtpd_is_limited(const struct conf *c, str client_address)
{
    struct ip_net address;
    return ip_parse(client_address, &address) != RC_OK ||
           (!conf_list_has_address(&c->smtpd_client_event_limit_exceptions, &address) &&
            !conf_list_has_address(&c->smtpd_authorized_xclient_hosts, &address));
}

void smtpd_client_is(void *ctx, const struct smtp_params *p)
{
    struct smtpd_session *s = ctx;
    struct ip_net address;
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    must(str_copy(s->client_address, sizeof s->client_address, p->client_address) == RC_OK);
    must(str_copy(s->server_address, sizeof s->server_address, p->server_address) == RC_OK);
    s->client_port = p->client_port;
    s->server_port = p->server_port;
    if (ip_parse(p->client_address, &address) == RC_OK)
        socket_from_ip(address.addr, p->client_port, &peer);
    socket_client_key(&peer, &s->client);
    s->limited = smtpd_is_limited(s->conf, p->client_address);
}

enum rc smtpd_count(void *ctx, enum smtp_event event, int limit, bool note)
{
    const struct smtpd_session *s = ctx;
    AUTO(buf_deinit) struct buf what = BUF_INIT(200);
    if (!s->limited)
        return RC_OK;
    buf_printf(&what, "%s %s", s->service, names[event]);
    const struct client_rate rate = {&s->client, buf_str(&what), (unsigned)limit,
                                     s->conf->anvil_rate_time_unit_ms};
    if (note)
        return client_limit_rate(s->server->clients, &rate, clock_mono());
    return client_limit_is_reached(s->server->clients, &rate, clock_mono()) ? RC_LIMIT : RC_OK;
}
