#include "role/smtp_site.h"

#include "base/log.h"
#include "fmt/nexthop.h"
#include "net/dial.h"
#include "os/socket.h"
#include "role/dns_filter.h"
#include "role/smtp_login.h"
#include "role/smtp_sts.h"
#include "role/smtp_tls_report.h"
#include "role/smtp_way.h"
#include "role/unix_connect.h"

enum { LMTP_PORT = 24, ADDRESSES_MAX = 5, FILTER_ARENA = 256 << 10 };

/* What a layer below said, in the form of an answer. What the DNS says of the recipient's own domain is
 * final; a next hop that the configuration names is for an administrator to look after, and the mail waits
 * for him.
 */
static void outcome_of(struct smtp_worker *w, struct smtp_site *s, const struct err *e,
                       struct smtp_outcome *ret)
{
    bool final = e->rc == RC_PERM || e->rc == RC_GONE;
    const char *status = final && !s->own_domain ? "4.3.5" : e->enhanced[0] ? e->enhanced : "4.4.0";
    *ret = (struct smtp_outcome){.rc = final && s->own_domain ? RC_PERM : RC_TEMP};
    must(str_copy(ret->enhanced, sizeof ret->enhanced, str_c(status)) == RC_OK);
    ret->text = ret->said = arena_str(w->arena, str_c(e->peer));
    s->temporary |= ret->rc == RC_TEMP;
}

/* The next hop of a site's name. LMTP asks for no MX. */
static enum rc parse_hop(const struct site_name *name, struct nexthop *ret, struct err *e)
{
    str text = name->next;
    if (name->transport == SITE_LMTP && str_starts(text, S("inet:")))
        text = str_from(text, 5);
    if (nexthop_parse(text, ret) != RC_OK)
        return err_set(e, RC_PERM, 550, "5.1.2", "bad destination \"" STR_FMT "\"", STR_ARG(text));
    if (name->transport == SITE_LMTP) {
        ret->mx = false;
        ret->is_address = ret->is_address || ip_parse(ret->host, &ret->address) == RC_OK;
    }
    return RC_OK;
}

/* smtp_dns_reply_filter */
static struct dns_asker asker_of(const struct smtp_worker *w)
{
    return dns_filter_asker(w->server->resolver,
                            table_settings_of(w->server->tables, w->conf, TABLES_SMTP_DNS_FILTER));
}

static enum rc find_hosts(struct smtp_worker *w, const struct nexthop *hop, struct mx_list *ret,
                          struct err *e)
{
    const struct dns_asker asker = asker_of(w);
    msec deadline = clock_mono() + w->conf->dns_timeout_ms * 2;
    if (hop->mx && w->conf->smtp_mx_lookup)
        return mx_find(&asker, hop->host, str_c(w->conf->hostname), deadline, ret, e);
    if (str_copy(ret->hosts[0].name, sizeof ret->hosts[0].name, hop->host) != RC_OK)
        return err_set(e, RC_PERM, 550, "5.1.2", "bad destination \"" STR_FMT "\"", STR_ARG(hop->host));
    ret->n = 1;
    return RC_OK;
}

static str domain_of(str address)
{
    ptrdiff_t at = str_rchr(address, '@');
    return at < 0 ? STR_NONE : str_from(address, (size_t)at + 1);
}

/* With REQUIRETLS what fails is returned to the sender at once (RFC 8689 §4.2.1). */
static void refuse(struct smtp_worker *w, const char *enhanced, str why, struct smtp_outcome *ret)
{
    *ret = (struct smtp_outcome){.rc = RC_PERM, .phase = SMTP_PHASE_CHECK};
    must(str_copy(ret->enhanced, sizeof ret->enhanced, str_c(enhanced)) == RC_OK);
    ret->text = arena_printf(w->arena, "REQUIRETLS is required, but: " STR_FMT, STR_ARG(why));
}

/* RFC 8689 §2: with REQUIRETLS the name of a host that MX records give must be vouched for: by DNSSEC, by the
 * domain's MTA-STS policy, or by a policy of ours that asks for the next hop's own name. */
static bool is_vouched_for(const struct smtp_site *s)
{
    return s->demand != SMTP_TLS_REQUIRED || s->named || s->hosts.secure ||
           s->policy.level == SMTP_POLICY_SECURE || (s->has_sts && s->sts.mode == MTA_STS_ENFORCE);
}

enum rc smtp_site_find(struct smtp_worker *w, str name, const struct queue_envelope *v,
                       enum smtp_tls_demand demand, struct smtp_site *ret, struct smtp_outcome *ret_why)
{
    struct nexthop hop;
    struct err e = {0};
    *ret = (struct smtp_site){.name = site_name_parse(name), .sender = v->sender, .demand = demand};
    w->conn.peer[0] = '\0'; /* nobody was talked to yet */
    ret->own_domain = v->n > 0 && str_ieq(ret->name.next, domain_of(v->rcpts[0].address));
    if (str_starts(ret->name.next, S("unix:"))) {
        ret->named = true;
        ret->socket = ret->nexthop = str_from(ret->name.next, 5);
        return RC_OK;
    }
    enum rc rc = parse_hop(&ret->name, &hop, &e);
    if (rc == RC_OK)
        rc = smtp_policy_find(w->conf, w->server->tables, &ret->name, w->arena, &ret->policy, &e);
    if (rc == RC_OK)
        rc = smtp_way_find_source(w->server, w->conf, v->sender, w->arena, &ret->way, &e);
    if (rc == RC_OK)
        rc = smtp_way_find_proxy(w->server, w->conf, &ret->way, &e);
    if (rc == RC_OK) {
        smtp_policy_demand(&ret->policy, demand);
        rc = find_hosts(w, &hop, &ret->hosts, &e);
    }
    if (rc != RC_OK) {
        outcome_of(w, ret, &e, ret_why);
        return ret_why->rc;
    }
    ret->named = !hop.mx;
    ret->nexthop = hop.host;
    ret->has_sts =
        hop.mx && ret->policy.sts && smtp_sts_find(w->server->sts, w->conf, hop.host, w->arena, &ret->sts);
    if (!is_vouched_for(ret)) {
        refuse(w, "5.7.10",
               arena_printf(w->arena, "nothing vouches for the MX records of " STR_FMT, STR_ARG(hop.host)),
               ret_why);
        return RC_PERM;
    }
    ret->port = hop.port ? hop.port : ret->name.transport == SITE_LMTP ? LMTP_PORT : w->conf->smtp_tcp_port;
    if (hop.is_address) { /* nothing to look up */
        mx_sockaddr(&hop.address, 0, &ret->addresses.v[0]);
        ret->addresses.n = 1;
        ret->host = 1;
    }
    return RC_OK;
}

/* TLSA records of the host, where DNSSEC vouches for the way to it: a host that the configuration names needs
 * no MX record to vouch for. */
static enum rc find_tlsa(struct smtp_worker *w, struct smtp_site *s, str host, struct err *e)
{
    const struct dns_asker asker = asker_of(w);
    s->dane = (struct dane){0};
    if (!smtp_policy_wants_dane(&s->policy) || !s->addresses.secure || !(s->hosts.secure || s->named))
        return RC_OK;
    enum rc rc =
        dane_find(&asker, host, s->port, clock_mono() + w->conf->dns_timeout_ms * 2, w->arena, &s->dane, e);
    if (rc != RC_OK)
        smtp_tls_report(w, s, host, TLSRPT_DNSSEC_INVALID);
    return rc;
}

/* As smtp_host_lookup says: the hosts file stands before the DNS when it is the system's way alone, and
 * behind it when both are named. */
static enum rc find_addresses(struct smtp_worker *w, str host, struct mx_addresses *ret, struct err *e)
{
    const struct conf_list *ways = &w->conf->smtp_host_lookup;
    const struct dns_asker asker = asker_of(w);
    enum mx_families families = (enum mx_families)w->conf->smtp_address_preference;
    bool native = conf_list_has(ways, S("native")), first = native && !conf_list_has(ways, S("dns"));
    if (first && mx_addresses_in_hosts(w->server->resolver, host, families, ret) == RC_OK)
        return RC_OK;
    enum rc rc = mx_addresses(&asker, host, families, clock_mono() + w->conf->dns_timeout_ms * 2, ret, e);
    return rc == RC_GONE && native ? mx_addresses_in_hosts(w->server->resolver, host, families, ret) : rc;
}

/* The next address, looking up hosts as needed. RC_GONE: none is left; *ret_why may say more of the last one.
 */
static enum rc next_address(struct smtp_worker *w, struct smtp_site *s, struct sockaddr_storage *ret,
                            struct smtp_outcome *ret_why)
{
    while (s->address >= s->addresses.n) {
        struct err e = {0};
        if (s->host >= s->hosts.n)
            return RC_GONE;
        str name = str_c(s->hosts.hosts[s->host++].name);
        s->address = s->addresses.n = 0;
        enum rc rc = find_addresses(w, name, &s->addresses, &e);
        if (rc == RC_OK)
            rc = find_tlsa(w, s, name, &e);
        if (rc != RC_OK) {
            s->addresses.n = 0;
            outcome_of(w, s, &e, ret_why);
        }
    }
    *ret = s->addresses.v[s->address++];
    socket_set_port(ret, s->port);
    return RC_OK;
}

static unsigned discarded(const struct conf_list *words)
{
    unsigned bits = 0;
    for (size_t i = 0; i < words->n; i++)
        bits |= ehlo_keyword_find(words->v[i]);
    return bits;
}

/* smtp_reply_filter; ctx: the tables, which live as long as this process. */
static bool filter_reply(void *ctx, char *line, size_t *n)
{
    AUTO(arena_freep) struct arena *a = arena_new(FILTER_ARENA);
    struct err e = {0};
    str to;
    enum rc rc = table_list_find(ctx, TABLE_WHOLE_KEY, str_mem(line, *n), a, &to, &e);
    if (rc == RC_GONE)
        return true;
    if (rc != RC_OK || to.n > SMTP_REPLY_LINE_MAX) {
        log_warn("smtp_reply_filter map: %s", rc == RC_OK ? "a line is too long" : err_text(&e));
        return false;
    }
    memcpy(line, to.p, to.n);
    *n = to.n;
    return true;
}

/* Everything about the connection that settings and tables decide. */
static enum rc fill_params(struct smtp_worker *w, const struct smtp_site *s, str host, bool clear,
                           struct smtp_client_auth *auth, struct smtp_client_params *p, struct err *e)
{
    const struct conf *c = w->conf;
    p->lmtp = s->name.transport == SITE_LMTP;
    p->tells_origin = p->lmtp ? c->lmtp_send_xforward_command : c->smtp_send_xforward_command;
    p->ignore_keywords = discarded(p->lmtp ? &c->lmtp_discard_lhlo_keywords : &c->smtp_discard_ehlo_keywords);
    p->filter_ctx = p->lmtp ? NULL : table_settings_of(w->server->tables, c, TABLES_REPLY_FILTER);
    p->reply_filter = p->filter_ctx ? filter_reply : NULL;
    p->auth_returns = !c->smtp_sasl_auth_soft_bounce;
    p->helo_name = str_c(c->smtp_helo_name[0] ? c->smtp_helo_name : c->hostname);
    p->timeouts = (struct smtp_client_timeouts){.greeting = c->smtp_helo_timeout_ms,
                                                .helo = c->smtp_helo_timeout_ms,
                                                .handshake = c->smtp_starttls_timeout_ms,
                                                .mail = c->smtp_mail_timeout_ms,
                                                .rcpt = c->smtp_rcpt_timeout_ms,
                                                .data_init = c->smtp_data_init_timeout_ms,
                                                .block = c->smtp_data_xfer_timeout_ms,
                                                .data_done = c->smtp_data_done_timeout_ms};
    p->tls = smtp_tls_find(w->server->tls, s->name.service, s->policy.tls_1_3);
    enum rc rc = smtp_policy_apply(&s->policy, &s->dane, s->has_sts ? &s->sts : NULL, s->nexthop, host,
                                   w->arena, p, e);
    if (clear)
        p->tls_level = SMTP_TLS_NONE;
    if (rc != RC_OK) {
        smtp_tls_report(w, s, host,
                        s->policy.level == SMTP_POLICY_DANE_ONLY ? TLSRPT_DANE_REQUIRED
                                                                 : TLSRPT_VALIDATION_FAILURE);
        return rc;
    }
    rc = smtp_login_find(c, w->server->tables, s->sender, s->name.next, host, w->arena, auth, e);
    if (rc == RC_OK)
        p->auth = auth;
    return rc == RC_GONE ? RC_OK : rc;
}

/* The dialogue over a new connection up to the end of EHLO; w->conn.peer says with whom. */
static enum rc begin_session(struct smtp_worker *w, int fd, struct smtp_client_params *p,
                             struct smtp_client_failure *ret_failure)
{
    p->peer = str_c(w->conn.peer);
    return smtp_client_open(p, stream_new(fd, SMTP_CLIENT_IN_MAX), w->arena, &w->conn.client, ret_failure);
}

/* RFC 5321 §5.1: an MX host that is this server under another name, and what is behind it, is no way. It
 * shows in its address where own_addresses has that, and else in the name that it greets with. */
static bool is_own_address(const struct smtp_worker *w, const struct smtp_site *s, const char *address)
{
    struct ip_net ip;
    return !s->named && ip_parse(str_c(address), &ip) == RC_OK &&
           conf_list_has_address(&w->conf->own_addresses, &ip);
}

static bool is_own_server(const struct smtp_worker *w, const struct smtp_site *s)
{
    return !s->named && str_ieq(str_c(smtp_client_offers(w->conn.client)->name), str_c(w->conf->hostname));
}

static enum rc leave_own_server(struct smtp_worker *w, struct smtp_site *s, struct smtp_outcome *ret_why)
{
    struct err e = {0};
    (void)err_set(&e, RC_PERM, 550, "5.4.6", "mail for " STR_FMT " loops back to myself",
                  STR_ARG(s->nexthop));
    smtp_conn_close(&w->conn);
    s->host = s->hosts.n;
    s->address = s->addresses.n;
    outcome_of(w, s, &e, ret_why);
    return ret_why->rc;
}

/* TLS failed in a way that another attempt does not change. */
static bool cannot_be_secured(const struct smtp_client_failure *f)
{
    return f->starttls_missing || f->tls_fault > TLS_FAULT_HANDSHAKE;
}

/* Leaves a server that does not offer REQUIRETLS. */
static enum rc check_offer(struct smtp_worker *w, struct smtp_outcome *ret_why)
{
    if (ehlo_has(smtp_client_offers(w->conn.client), EHLO_REQUIRETLS))
        return RC_OK;
    str why = arena_printf(w->arena, "host %s does not offer it", w->conn.peer);
    refuse(w, "5.7.30", why, ret_why);
    smtp_conn_close(&w->conn);
    return RC_PERM;
}

/* One connection, from the first packet to the end of EHLO. clear: without TLS, after TLS failed where it was
 * not asked for; *ret_again says so. */
static enum rc open_one(struct smtp_worker *w, struct smtp_site *s, const struct sockaddr_storage *to,
                        bool clear, bool *ret_again, struct smtp_outcome *ret_why)
{
    struct smtp_client_failure failure = {0};
    struct smtp_client_auth auth;
    struct err e = {0};
    char address[SOCKET_ADDRESS_MAX], endpoint[SOCKET_ADDRESS_MAX + 8];
    const char *name = s->hosts.hosts[s->host - 1].name;
    int fd, port = 0;
    *ret_again = false;
    w->conn.peer[0] = '\0';
    socket_address_text(to, address, &port);
    if (is_own_address(w, s, address))
        return leave_own_server(w, s, ret_why);
    snprintf(endpoint, sizeof endpoint, "%s:%d", address, port);
    struct smtp_client_params p = {.tls_params = {.endpoint = str_c(endpoint)}};
    if (fill_params(w, s, str_c(name), clear, &auth, &p, &e) != RC_OK ||
        dial(to, &s->way, name, clock_mono() + w->conf->smtp_connect_timeout_ms, &fd, &e) != RC_OK) {
        outcome_of(w, s, &e, ret_why);
        return RC_TEMP;
    }
    snprintf(w->conn.peer, sizeof w->conn.peer, "%s[%s]:%d", name, address, port);
    enum rc rc = begin_session(w, fd, &p, &failure);
    if (!clear)
        smtp_tls_report_session(w, s, str_c(name), rc == RC_OK ? w->conn.client : NULL, &failure);
    if (rc == RC_OK)
        return is_own_server(w, s)              ? leave_own_server(w, s, ret_why)
               : s->demand == SMTP_TLS_REQUIRED ? check_offer(w, ret_why)
                                                : RC_OK;
    if (s->demand == SMTP_TLS_REQUIRED && cannot_be_secured(&failure))
        refuse(w, "5.7.10", failure.outcome.text, ret_why);
    else
        *ret_why = failure.outcome;
    *ret_again = failure.retry_without_tls;
    return ret_why->rc;
}

/* Nobody is in between on a Unix socket: no TLS. */
static enum rc open_socket(struct smtp_worker *w, struct smtp_site *s, struct smtp_outcome *ret_why)
{
    struct smtp_client_failure failure = {0};
    struct smtp_client_auth auth;
    struct smtp_client_params p = {.tls_level = SMTP_TLS_NONE};
    struct err e = {0};
    int fd;
    if (s->tries++ > 0)
        return RC_TEMP;
    if (fill_params(w, s, str_c(w->conf->hostname), true, &auth, &p, &e) != RC_OK ||
        unix_connect(w->server->role, s->socket, &fd, &e) != RC_OK) {
        outcome_of(w, s, &e, ret_why);
        return RC_TEMP;
    }
    snprintf(w->conn.peer, sizeof w->conn.peer, "%s[" STR_FMT "]", w->conf->hostname, STR_ARG(s->socket));
    enum rc rc = begin_session(w, fd, &p, &failure);
    if (rc != RC_OK)
        *ret_why = failure.outcome;
    return rc;
}

enum rc smtp_site_connect(struct smtp_worker *w, struct smtp_site *s, struct smtp_outcome *ret_why)
{
    struct sockaddr_storage to;
    if (s->socket.n)
        return open_socket(w, s, ret_why);
    while (s->tries < ADDRESSES_MAX && next_address(w, s, &to, ret_why) == RC_OK) {
        bool again = false;
        s->tries++;
        enum rc rc = open_one(w, s, &to, false, &again, ret_why);
        if (rc != RC_OK && again)
            rc = open_one(w, s, &to, true, &again, ret_why);
        if (rc == RC_OK)
            return RC_OK;
        log_info(STR_FMT, STR_ARG(ret_why->text));
        s->temporary |= rc != RC_PERM;
    }
    return ret_why->rc == RC_PERM && !s->temporary ? RC_PERM : RC_TEMP;
}
