/* Where mail for an address goes. Settings, tables and an address in, a site's name out; and once more when
 * the mail is about to go, because an administrator may have changed his mind since. */
#include "base/log.h"
#include "fmt/nexthop.h"
#include "fmt/pipe_def.h"
#include "fmt/via.h"
#include "queue/queue_impl.h"
#include "queue/site_name.h"
#include "table/maps.h"

enum { TABLES_ARENA = 256 << 10, HOP_MAX = 255 };

struct routing {
    const struct conf *conf;
    const struct table_settings *tables;
    str sender, address, domain;
    struct arena *arena;
    struct buf *ret;
    struct err *e;
};

/* What the tables say wrongly waits for an administrator. */
static enum rc put_retry(const struct routing *r, const char *what, str text)
{
    AUTO(buf_deinit) struct buf reason = BUF_INIT(QUEUE_SITE_MAX);
    buf_printf(&reason, "4.3.5 %s \"" STR_FMT "\"", what, STR_ARG(str_sub(text, 0, 100)));
    return site_name_put(r->ret, SITE_RETRY, buf_str(&reason));
}

static enum rc put_domain(const struct routing *r, str service)
{
    AUTO(buf_deinit) struct buf lower = BUF_INIT(QUEUE_SITE_MAX);
    for (size_t i = 0; i < r->domain.n; i++)
        buf_putc(&lower, ascii_lower(r->domain.p[i]));
    if (lower.overflow || site_name_put_service(r->ret, SITE_SMTP, service, buf_str(&lower)) != RC_OK)
        return site_name_put(r->ret, SITE_ERROR, S("5.1.2 the domain is too long"));
    return RC_OK;
}

/* LMTP knows no MX, so "[host]:port", "host:port" and "inet:host:port" mean the same. */
static enum rc put_lmtp(const struct routing *r, str service, str hop)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(QUEUE_SITE_MAX);
    struct nexthop parsed;
    bool is_unix = str_starts(hop, S("unix:"));
    str host = str_starts(hop, S("inet:")) ? str_from(hop, 5) : hop;
    if (!is_unix && (host.n > HOP_MAX || nexthop_parse(host, &parsed) != RC_OK))
        return put_retry(r, "bad next hop for LMTP", hop);
    buf_puts(&name, is_unix ? STR_NONE : S("inet:"));
    buf_puts(&name, host);
    if (name.overflow || site_name_put_service(r->ret, SITE_LMTP, service, buf_str(&name)) != RC_OK)
        return put_retry(r, "bad next hop for LMTP", hop);
    return RC_OK;
}

static enum rc put_hop(const struct routing *r, str service, str hop)
{
    struct nexthop parsed;
    if (hop.n > HOP_MAX || nexthop_parse(hop, &parsed) != RC_OK ||
        site_name_put_service(r->ret, SITE_SMTP, service, hop) != RC_OK)
        return put_retry(r, "bad next hop", hop);
    return RC_OK;
}

/* --- where nothing else is said --- */

/* What a table has for the sender, empty for nothing. */
static enum rc find_by_sender(const struct routing *r, enum table_setting table, str *ret)
{
    struct maps_found found;
    struct table_list *l = r->tables ? r->tables->v[table] : NULL;
    const struct maps_rules rules = {.delimiters = r->conf->recipient_delimiter};
    if (!l)
        return RC_OK;
    enum rc rc = r->sender.n ? maps_find_address(l, r->sender, &rules, r->arena, &found, r->e)
                             : table_list_find(l, TABLE_WHOLE_KEY, S("<>"), r->arena, &found.value, r->e);
    if (rc == RC_OK && !str_ieq(found.value, S("DUNNO")))
        *ret = str_trim(found.value);
    return rc == RC_GONE ? RC_OK : rc;
}

/* Whether the domain is one of relay_domains. */
static enum rc is_relayed(const struct routing *r, bool *ret)
{
    const struct maps_rules rules = {
        .parents_match = conf_list_has(&r->conf->parent_domain_matches_subdomains, S("relay_domains"))};
    struct table_list *l = r->tables ? r->tables->v[TABLES_RELAY_DOMAIN] : NULL;
    struct maps_found found;
    *ret = conf_list_has_domain(&r->conf->relay_domains, r->domain);
    if (*ret || !l)
        return RC_OK;
    enum rc rc = maps_find_domain(l, r->domain, &rules, r->arena, &found, r->e);
    *ret = rc == RC_OK;
    return rc == RC_GONE ? RC_OK : rc;
}

/* The transport where transport(5) says none, and its next hop: its own, the sender's relayhost, the
 * relayhost; empty for the address's domain. */
static enum rc find_default(const struct routing *r, str *ret_transport, str *ret_hop)
{
    str hop = STR_NONE;
    bool relayed = false;
    enum rc rc = is_relayed(r, &relayed);
    if (rc == RC_OK && !relayed)
        rc = find_by_sender(r, TABLES_SENDER_TRANSPORT, &hop);
    if (rc != RC_OK)
        return rc;
    if (hop.n == 0)
        hop = str_c(relayed ? r->conf->relay_transport : r->conf->default_transport);
    *ret_transport = str_trim(str_take(&hop, ':'));
    *ret_hop = str_trim(hop);
    if (ret_hop->n > 0)
        return RC_OK;
    rc = find_by_sender(r, TABLES_SENDER_RELAYHOST, ret_hop);
    if (rc == RC_OK && ret_hop->n == 0)
        *ret_hop = str_c(r->conf->relayhost);
    return rc;
}

/* --- transport(5) --- */

/* One of pipe_transports, or nothing that is known. */
static enum rc put_pipe(const struct routing *r, str transport, str hop)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(QUEUE_SITE_MAX);
    struct pipe_def def;
    if (pipe_def_find(str_c(r->conf->pipe_transports), transport, &def) != RC_OK)
        return put_retry(r, "there is no mail transport", transport);
    buf_printf(&name, STR_FMT ":" STR_FMT, STR_ARG(transport), STR_ARG(hop));
    if (name.overflow || site_name_put(r->ret, SITE_PIPE, buf_str(&name)) != RC_OK)
        return put_retry(r, "bad next hop for a program", hop);
    return RC_OK;
}

/* hop: empty for the address's domain. */
static enum rc put_way(const struct routing *r, str transport, str hop)
{
    const struct conf_transport *own = conf_find_transport(r->conf, transport);
    bool is_relay = str_eq(transport, S("relay"));
    if (str_eq(transport, S("smtp")) || is_relay || (own && own->protocol == CONF_TRANSPORT_SMTP)) {
        str service = is_relay && !own ? S("smtp") : transport;
        return hop.n > 0 ? put_hop(r, service, hop) : put_domain(r, service);
    }
    if (str_eq(transport, S("lmtp")) || (own && own->protocol == CONF_TRANSPORT_LMTP))
        return put_lmtp(r, transport, hop.n > 0 ? hop : r->domain);
    if (str_eq(transport, S("local")) || str_eq(transport, S("virtual")))
        return site_name_put(r->ret, SITE_LOCAL, STR_NONE);
    if (str_eq(transport, S("error")))
        return site_name_put(r->ret, SITE_ERROR, hop.n > 0 ? hop : S("the address is undeliverable"));
    if (str_eq(transport, S("retry")))
        return site_name_put(r->ret, SITE_RETRY, hop.n > 0 ? hop : S("delivery is suspended"));
    if (str_eq(transport, S("discard")))
        return site_name_put(r->ret, SITE_DISCARD, hop);
    return put_pipe(r, transport, hop.n > 0 ? hop : r->domain);
}

static enum rc put_default(const struct routing *r, str hop)
{
    str transport, usual;
    enum rc rc = find_default(r, &transport, &usual);
    return rc == RC_OK ? put_way(r, transport, hop.n > 0 ? hop : usual) : rc;
}

/* transport ":" nexthop. No transport: the one that mail has without the table, and with no next hop either,
 * its next hop, too; a transport without next hop: the address's domain. */
static enum rc put_transport(const struct routing *r, str value)
{
    str hop = str_trim(value), transport = str_trim(str_take(&hop, ':'));
    hop = str_trim(hop);
    return transport.n > 0 ? put_way(r, transport, hop) : put_default(r, hop);
}

static enum rc put_filter(const struct routing *r, str value)
{
    AUTO(buf_deinit) struct buf whole = BUF_INIT(VIA_MAX);
    str hop = value, transport = str_take(&hop, ':');
    str otherwise = str_c(r->conf->default_filter_nexthop);
    buf_printf(&whole, STR_FMT ":" STR_FMT, STR_ARG(transport),
               STR_ARG(str_trim(hop).n > 0 ? hop : otherwise));
    return put_transport(r, buf_str(&whole));
}

/* Where nothing is inspected any longer the mail goes on. */
static enum rc put_inspection(const struct routing *r)
{
    AUTO(buf_deinit) struct buf hop = BUF_INIT(QUEUE_SITE_MAX);
    const char *socket = conf_inspection_socket(r->conf);
    if (!socket)
        return site_name_put(r->ret, SITE_LOCAL, STR_NONE);
    buf_printf(&hop, "unix:%s", socket);
    return site_name_put(r->ret, SITE_SMTP, buf_str(&hop));
}

/* A user's name or an alias's, so that each has jobs of his own under way; a filter leads anywhere. */
static enum rc put_via(const struct routing *r, str via)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(VIA_MAX);
    struct via v;
    if (via_parse(via, &v) != RC_OK)
        return site_name_put(r->ret, SITE_RETRY, S("4.3.0 the recipient cannot be read"));
    if (v.kind == VIA_FILTER)
        return str_eq(v.name, S(VIA_INSPECTION)) ? put_inspection(r) : put_filter(r, v.name);
    if (v.kind == VIA_TRANSPORT) {
        str hop = v.name, transport = str_take(&hop, ':');
        return put_way(r, str_trim(transport), str_trim(hop));
    }
    buf_puts(&name, v.kind == VIA_ALIAS ? S("|") : S(""));
    buf_puts(&name, v.name);
    return site_name_put(r->ret, SITE_COMMAND, buf_str(&name));
}

static enum rc route(const struct routing *r)
{
    struct maps_found found;
    struct table_list *l = r->tables ? r->tables->v[TABLES_TRANSPORT] : NULL;
    const struct maps_rules rules = {.delimiters = r->conf->recipient_delimiter};
    enum rc rc = l ? maps_find_transport(l, r->address, &rules, r->arena, &found, r->e) : RC_GONE;
    if (rc == RC_GONE)
        return put_default(r, STR_NONE);
    return rc == RC_OK ? put_transport(r, found.value) : rc;
}

enum rc queue_route(const struct conf *c, const struct table_settings *t, str sender,
                    const struct queue_rcpt *rcpt, struct buf *ret, struct err *e)
{
    AUTO(arena_freep) struct arena *a = NULL;
    ptrdiff_t at = str_rchr(rcpt->address, '@');
    bool elsewhere = rcpt->local && rcpt->resolved && c->mailbox_transport[0];
    if (rcpt->via.n == 0 && ((rcpt->local && !elsewhere) || at < 0))
        return site_name_put(ret, SITE_LOCAL, STR_NONE);
    if (t && (t->v[TABLES_TRANSPORT] || t->v[TABLES_SENDER_RELAYHOST] || t->v[TABLES_SENDER_TRANSPORT] ||
              t->v[TABLES_RELAY_DOMAIN]))
        a = arena_new(TABLES_ARENA);
    const struct routing r = {.conf = c,
                              .tables = t,
                              .sender = sender,
                              .address = rcpt->address,
                              .domain = at < 0 ? str_c(c->hostname) : str_from(rcpt->address, (size_t)at + 1),
                              .arena = a,
                              .ret = ret,
                              .e = e};
    enum rc rc = rcpt->via.n > 0 ? put_via(&r, rcpt->via)
                 : elsewhere     ? put_transport(&r, str_c(c->mailbox_transport))
                                 : route(&r);
    if (rc == RC_OK)
        return RC_OK;
    buf_reset(ret);
    e->rc = RC_TEMP; /* whatever is wrong with a table, the mail waits */
    return RC_TEMP;
}

str queue_site_of(const struct queue *q, str sender, const struct queue_rcpt *r, struct arena *a)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(QUEUE_SITE_MAX);
    struct err e = {0};
    if (queue_route(q->conf, q->tables, sender, r, &name, &e) != RC_OK) {
        buf_reset(&name);
        must(site_name_put(&name, SITE_ROUTE, STR_NONE) == RC_OK);
    }
    return arena_str(a, buf_str(&name));
}

/* --- again, when its turn has come --- */

/* *o says whether the recipient stays, moves, or waits because that cannot be said. */
static bool goes_elsewhere(const struct queue *q, const struct queue_job *job, const struct queue_rcpt *r,
                           struct queue_outcome *o, struct arena *a)
{
    AUTO(buf_deinit) struct buf name = BUF_INIT(QUEUE_SITE_MAX);
    struct err e = {0};
    *o = (struct queue_outcome){.rcpt = r->n, .result = QUEUE_NOT_TRIED, .status = S("4.3.0")};
    if (queue_route(q->conf, q->tables, job->envelope.sender, r, &name, &e) != RC_OK) {
        o->result = QUEUE_DEFERRED;
        o->reply = S("where it goes cannot be looked up now");
        log_info_of(LOG_AS_ERROR,
                    STR_FMT ": to=<" STR_FMT ">, relay=none, dsn=4.3.0, status=deferred (" STR_FMT ": %s)",
                    STR_ARG(job->envelope.id), STR_ARG(r->address), STR_ARG(o->reply), err_text(&e));
        return true;
    }
    if (!str_eq(buf_str(&name), job->site_name)) {
        o->result = QUEUE_EXPANDED;
        o->status = S("2.0.0");
        o->reply = arena_str(a, buf_str(&name));
    }
    return o->result != QUEUE_NOT_TRIED;
}

bool queue_reroute(struct queue *q, const struct queue_job *job, struct arena *a)
{
    struct queue_outcome outcomes[QUEUE_JOB_RCPTS_MAX];
    struct queue_rcpt added[QUEUE_JOB_RCPTS_MAX];
    struct queue_report report = {.number = job->number,
                                  .id = job->envelope.id,
                                  .outcomes = outcomes,
                                  .n = job->envelope.n,
                                  .sender = job->envelope.sender,
                                  .added = added};
    bool any = false;
    for (size_t i = 0; i < job->envelope.n; i++) {
        any |= goes_elsewhere(q, job, &job->envelope.rcpts[i], &outcomes[i], a);
        if (outcomes[i].result == QUEUE_EXPANDED) /* with what was heard of it */
            added[report.n_added++] = job->envelope.rcpts[i];
    }
    if (any && queue_report(q, &report) != RC_OK)
        log_error(STR_FMT ": its job is gone", STR_ARG(job->envelope.id));
    return any;
}
