/* One job: over the connection that is open, or to the hosts of its site in their order, until every
 * recipient has an answer. A recipient that a host refuses for now is offered to the next one; one that it
 * refuses for good is not. */
#include "base/log.h"
#include "fmt/crlf.h"
#include "fmt/long_lines.h"
#include "fmt/mailaddr.h"
#include "fmt/verp.h"
#include "os/file.h"
#include "queue/site_name.h"
#include "role/convert.h"
#include "role/smtp_conns.h"
#include "role/smtp_impl.h"
#include "role/smtp_login.h"
#include "role/smtp_site.h"
#include "role/smtp_way.h"

#include <unistd.h>

enum {
    CONNECTION_MESSAGES_MAX = 100, /* then other sites have their turn */
    CONNECTION_IDLE_MS = 10000     /* a connection that idled longer is asked whether it still works */
};

/* The recipients that still need an answer, and what was last heard about them. */
struct attempt {
    struct smtp_worker *w;
    struct smtp_job *job;
    size_t open[QUEUE_JOB_RCPTS_MAX], n_open;
    str sender;  /* instead of the message's, when not empty */
    bool talked; /* a host took the job as far as MAIL */
};

/* --- outcomes --- */

static void set_outcome(const struct attempt *a, size_t i, enum queue_result result,
                        const struct smtp_outcome *o)
{
    struct queue_outcome *q = &a->job->outcomes[i];
    q->result = result;
    q->code = o->code;
    q->status = arena_str(a->w->arena, str_c(o->enhanced));
    q->reply = o->code ? o->said : o->text;
    a->job->texts[i] = o->rc == RC_OK ? o->said : o->text;
    q->remote = arena_str(a->w->arena, str_c(a->w->conn.peer));
}

static void defer_all(const struct attempt *a, const struct smtp_outcome *o)
{
    for (size_t i = 0; i < a->n_open; i++)
        set_outcome(a, a->open[i], QUEUE_DEFERRED, o);
}

static void fail_all(struct attempt *a, const struct smtp_outcome *o)
{
    for (size_t i = 0; i < a->n_open; i++)
        set_outcome(a, a->open[i], QUEUE_FAILED, o);
    a->n_open = 0;
}

/* RFC 2852 §4.1.4: its sender hears of a relay that does not watch the time, and of each when he wants a
 * trace.
 */
static bool is_traced(const struct smtp_client_message *m)
{
    return m->by_mode && (m->by_trace || !(m->passed & SMTP_PASSED_DELIVERBY));
}

static enum queue_result result_of(const struct smtp_client_message *m, const struct smtp_client_rcpt *r)
{
    if (!r->tried)
        return QUEUE_NOT_TRIED;
    if (r->outcome.rc == RC_PERM)
        return QUEUE_FAILED;
    if (r->outcome.rc != RC_OK)
        return QUEUE_DEFERRED;
    if (is_traced(m))
        return QUEUE_RELAYED_TRACED;
    return m->passed & SMTP_PASSED_DSN ? QUEUE_RELAYED : QUEUE_RELAYED_BLIND;
}

/* Takes the answers; those that another host may give differently stay open. */
static void take_answers(struct attempt *a, const struct smtp_client_message *m)
{
    size_t left = 0;
    for (size_t i = 0; i < m->n_rcpts; i++) {
        size_t place = a->open[i];
        enum queue_result result = result_of(m, &m->rcpts[i]);
        set_outcome(a, place, result, &m->rcpts[i].outcome);
        if (result == QUEUE_DEFERRED && !m->uncertain)
            a->open[left++] = place;
    }
    a->n_open = left;
}

/* --- sending --- */

static struct convert_source source_of(const struct smtp_job *job)
{
    return (struct convert_source){.header = job->header,
                                   .content = job->content,
                                   .fd = job->content_fd,
                                   .size = job->envelope.size,
                                   .skip = job->skip,
                                   .binary = job->envelope.flags & QUEUE_BINARY};
}

/* The header is part of it. */
static void set_content(struct smtp_client_message *m, const struct buf *whole, uint64_t size)
{
    m->header = STR_NONE;
    m->body = buf_str(whole);
    m->fd = -1;
    m->size_bytes = size;
}

/* smtp_line_length_limit. What cannot be read now is not sent either. */
static void break_lines(const struct attempt *a, struct smtp_client_message *m, struct buf *broken)
{
    const struct convert_source from = source_of(a->job);
    size_t limit = (size_t)a->w->conf->smtp_line_length_limit;
    if (limit == 0 || from.binary)
        return;
    if (convert_long_lines(&from, limit < LONG_LINES_MIN ? LONG_LINES_MIN : limit, broken) == RC_OK)
        set_content(m, broken, broken->n + crlf_lines(buf_str(broken)));
}

/* The message in 7bit; RC_PERM: it cannot be converted. */
static enum rc send_converted(struct attempt *a, struct smtp_client_message *m)
{
    AUTO(buf_deinit) struct buf converted = BUF_INIT(CONVERTED_MAX);
    const struct convert_source from = source_of(a->job);
    enum rc rc = convert_to_7bit(&from, false, &converted);
    if (rc != RC_OK)
        return rc;
    m->content = SMTP_CONTENT_7BIT;
    set_content(m, &converted, 0);
    smtp_client_send(a->w->conn.client, a->w->arena, m);
    return RC_OK;
}

static void transact(struct attempt *a)
{
    AUTO(buf_deinit) struct buf broken = BUF_INIT(CONVERTED_MAX);
    struct smtp_conn *conn = &a->w->conn;
    struct smtp_client_rcpt rcpts[QUEUE_JOB_RCPTS_MAX];
    struct smtp_client_message m;
    smtp_message_fill(a->w, a->job, a->open, a->n_open, &m, rcpts);
    if (a->sender.n > 0)
        m.sender = a->sender;
    break_lines(a, &m, &broken);
    smtp_client_send(conn->client, a->w->arena, &m);
    if (m.needs_7bit && send_converted(a, &m) != RC_OK)
        log_info(STR_FMT ": cannot be converted to 7bit", STR_ARG(a->job->envelope.id));
    a->talked = true;
    take_answers(a, &m);
    conn->messages++;
    conn->used = clock_mono();
    if (!smtp_client_is_usable(conn->client))
        conn->client = smtp_client_free(conn->client);
    else if (conn->messages >= CONNECTION_MESSAGES_MAX)
        smtp_conn_close(conn);
}

void smtp_conn_close(struct smtp_conn *c)
{
    if (c->client)
        smtp_client_quit(c->client);
    c->client = NULL;
}

/* Whether it comes from where this sender's mail is to come from. */
static bool has_right_source(const struct smtp_worker *w, str sender)
{
    struct dial_way way;
    struct err e = {0};
    return !table_settings_of(w->server->tables, w->conf, TABLES_BIND_ADDRESS) ||
           (smtp_way_find_source(w->server, w->conf, sender, w->arena, &way, &e) == RC_OK &&
            smtp_way_same_source(&way, &w->conn.way));
}

/* The site's, made with no lesser demand and, where log-ins are the senders', for this one. */
static bool fits(const void *ctx, const struct smtp_conn *c)
{
    const struct attempt *a = ctx;
    const struct smtp_job *job = a->job;
    return c->site == job->site && c->demand >= smtp_demand_of(a->w->conf, &job->envelope) &&
           (!smtp_login_is_personal(a->w->conf) || str_eq(str_c(c->sender), job->envelope.sender));
}

static bool still_works(const struct smtp_conn *c)
{
    return smtp_client_is_usable(c->client) &&
           (clock_mono() - c->used < CONNECTION_IDLE_MS || smtp_client_probe(c->client) == RC_OK);
}

/* Whether an open connection can take this job: it is the worker's then. */
static bool find_open(struct attempt *a)
{
    struct smtp_worker *w = a->w;
    if (w->conn.client && fits(a, &w->conn)) /* the job's recipient before this one had it */
        return true;
    smtp_conn_close(&w->conn);
    while (smtp_conns_find(w->server->conns, fits, a, &w->conn)) {
        if (has_right_source(w, a->job->envelope.sender) && still_works(&w->conn))
            return true;
        smtp_conn_close(&w->conn);
    }
    return false;
}

/* --- the hosts --- */

/* Where another next hop is still to be asked, what would fail waits for its answer; but not what that could
 * make worse: a loop through this server, or less protection than was asked for. */
static void give_up(struct attempt *a, enum rc rc, const struct smtp_outcome *last, bool is_last)
{
    bool final = str_eq(str_c(last->enhanced), S("5.4.6")) || str_starts(str_c(last->enhanced), S("5.7."));
    if (rc == RC_PERM && (is_last || final))
        fail_all(a, last);
    else
        defer_all(a, last);
}

static void take_connection(struct smtp_worker *w, const struct attempt *a, const struct smtp_site *site,
                            bool is_first)
{
    w->conn.site = is_first ? a->job->site : 0; /* no other mail for the site begins with a fallback */
    w->conn.demand = site->demand;
    w->conn.messages = 0;
    w->conn.way = site->way;
    if (str_copy(w->conn.sender, sizeof w->conn.sender, a->job->envelope.sender) != RC_OK)
        w->conn.sender[0] = '\0'; /* too long for an address: no other has it */
}

/* The hosts of one next hop. */
static void try_hosts(struct attempt *a, str name, bool is_last)
{
    struct smtp_site site;
    struct smtp_outcome last = {0};
    unsigned sessions = 0;
    bool is_first = name.p == a->job->site_name.p, talked = is_first && a->talked;
    enum smtp_tls_demand demand = smtp_demand_of(a->w->conf, &a->job->envelope);
    enum rc rc = smtp_site_find(a->w, name, &a->job->envelope, demand, &site, &last);
    if (rc != RC_OK)
        give_up(a, rc, &last, is_last);
    if (rc == RC_TEMP)
        a->job->site_failed = true;
    while (rc == RC_OK && a->n_open > 0 && sessions < SMTP_SESSIONS_MAX) {
        rc = smtp_site_connect(a->w, &site, &last);
        if (rc == RC_OK) {
            take_connection(a->w, a, &site, is_first);
            sessions++;
            talked = true;
            transact(a);
        } else if (!talked) { /* no host is left */
            give_up(a, rc, &last, is_last);
            a->job->site_failed = rc != RC_PERM;
        }
    }
}

/* smtp_fallback_relay: the next hops after the message's own. */
static void try_fallbacks(struct attempt *a, const struct conf_list *relays)
{
    const struct site_name own = site_name_parse(a->job->site_name);
    for (size_t i = 0; i < relays->n && a->n_open > 0; i++) {
        AUTO(buf_deinit) struct buf name = BUF_INIT(QUEUE_SITE_MAX);
        if (site_name_put_service(&name, SITE_SMTP, own.service, relays->v[i]) != RC_OK)
            continue; /* too long for any host */
        smtp_conn_close(&a->w->conn);
        try_hosts(a, arena_str(a->w->arena, buf_str(&name)), i + 1 == relays->n);
    }
    if (a->w->conn.client && a->w->conn.site == 0)
        smtp_conn_close(&a->w->conn);
    a->job->site_failed = a->job->site_failed && !a->talked;
}

static void try_connection_and_hosts(struct attempt *a)
{
    static const struct conf_list none;
    bool lmtp = site_name_parse(a->job->site_name).transport == SITE_LMTP;
    const struct conf_list *relays = lmtp ? &none : &a->w->conf->smtp_fallback_relay;
    if (find_open(a))
        transact(a);
    if (a->n_open > 0 && !(a->talked && a->w->conn.client))
        try_hosts(a, a->job->site_name, relays->n == 0);
    try_fallbacks(a, relays);
}

static bool wants_verp(const struct smtp_worker *w, str sender)
{
    for (size_t i = 0; i < w->conf->verp_senders.n; i++)
        if (str_ieq(w->conf->verp_senders.v[i], sender))
            return true;
    return false;
}

/* Each recipient by itself, with a sender of its own. What cannot be made, for its length, goes as it is. */
static void deliver_verp(struct smtp_worker *w, struct smtp_job *job)
{
    const str sender = job->sender;
    for (size_t i = 0; i < job->envelope.n && !job->site_failed; i++) {
        AUTO(buf_deinit) struct buf own = BUF_INIT(MAILADDR_LOCAL_MAX + 1 + MAILADDR_DOMAIN_MAX);
        struct attempt a = {.w = w, .job = job, .open = {i}, .n_open = 1};
        if (verp_encode(sender, job->rcpts[i], S("+="), &own) == RC_OK)
            a.sender = buf_str(&own);
        try_connection_and_hosts(&a);
    }
}

/* A table does not answer: the log has said which. */
static void not_changed(struct smtp_job *job)
{
    for (size_t i = 0; i < job->envelope.n; i++) {
        job->outcomes[i].status = S("4.3.0");
        job->outcomes[i].reply = job->texts[i] = S("address or header mapping failed");
    }
}

void smtp_deliver(struct smtp_worker *w, struct smtp_job *job)
{
    struct attempt a = {.w = w, .job = job};
    for (size_t i = 0; i < job->envelope.n; i++) {
        job->outcomes[i] = (struct queue_outcome){.rcpt = job->envelope.rcpts[i].n,
                                                  .result = QUEUE_DEFERRED,
                                                  .status = S("4.4.0"),
                                                  .reply = S("delivery was not tried")};
        a.open[a.n_open++] = i;
    }
    if (smtp_change(w, job) != RC_OK)
        not_changed(job);
    else if (wants_verp(w, job->envelope.sender))
        deliver_verp(w, job);
    else
        try_connection_and_hosts(&a);
}
