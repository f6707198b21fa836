/* policy:SERVER;TIMEOUT;IDLE;TTL;REQUESTS: a policy server (conf/policy_service.h) as a table that is asked
 * for a whole request and gives an action. */
#include "table/pool.h"

#include "base/num.h"
#include "fmt/policy.h"
#include "table/server.h"

struct policy {
    struct server server;
    int64_t idle_ms, ttl_ms;
    uint32_t requests; /* over one connection; 0: no limit */
};

struct policy_connection {
    struct stream *stream;
    msec born, used;
    uint32_t requests;
};

static enum rc policy_connect(struct table *t, msec deadline, void **ret, struct err *e)
{
    const struct policy *p = t->state;
    struct stream *s = NULL;
    enum rc rc = server_connect(t, &p->server, POLICY_REPLY_MAX + 1, deadline, &s, e);
    if (rc != RC_OK)
        return rc;
    struct policy_connection *c = calloc(1, sizeof *c);
    must(c);
    *c = (struct policy_connection){.stream = s, .born = clock_mono(), .used = clock_mono()};
    *ret = c;
    return RC_OK;
}

static void policy_disconnect(void *connection)
{
    struct policy_connection *c = connection;
    stream_free(c->stream);
    free(c);
}

/* A connection that is old, or has been used often, makes way for a new one. */
static enum rc renew(struct table *t, struct policy_connection *c, msec deadline, struct err *e)
{
    const struct policy *p = t->state;
    msec now = clock_mono();
    struct stream *fresh = NULL;
    bool spent = p->requests > 0 && c->requests >= p->requests;
    if (!spent && now - c->born <= p->ttl_ms && now - c->used <= p->idle_ms)
        return RC_OK;
    enum rc rc = server_connect(t, &p->server, POLICY_REPLY_MAX + 1, deadline, &fresh, e);
    if (rc != RC_OK)
        return RC_INVALID;
    stream_free(c->stream);
    *c = (struct policy_connection){.stream = fresh, .born = now};
    return RC_OK;
}

static enum rc policy_ask(struct table *t, void *connection, str key, msec deadline, struct buf *out,
                          struct err *e)
{
    struct policy_connection *c = connection;
    enum rc rc = renew(t, c, deadline, e);
    if (rc != RC_OK)
        return rc;
    AUTO(buf_deinit) struct buf in = BUF_INIT(POLICY_REPLY_MAX + 1);
    str action = STR_NONE;
    rc = server_send(t, c->stream, key, deadline, e);
    if (rc == RC_OK)
        rc = server_read(t, c->stream, policy_parse_reply, &in, &action, e);
    buf_puts(out, action);
    c->requests++;
    c->used = clock_mono();
    return rc;
}

static const struct pool_type connections = {policy_connect, policy_disconnect, policy_ask};

/* The number behind the last semicolon, which is cut off with it. */
static bool take_number(str *text, int64_t *ret)
{
    uint64_t n;
    ptrdiff_t cut = str_rchr(*text, ';');
    if (cut < 0 || num_parse_u64(str_from(*text, (size_t)cut + 1), INT64_MAX, &n) != RC_OK)
        return false;
    *text = str_sub(*text, 0, (size_t)cut);
    *ret = (int64_t)n;
    return true;
}

int table_policy_timeout(str spec)
{
    int64_t n[4];
    for (int i = 3; i >= 0; i--)
        if (!take_number(&spec, &n[i]))
            return 0;
    return n[0] < INT32_MAX ? (int)n[0] : 0;
}

static enum rc policy_open(struct table *t, str name, struct err *e)
{
    struct policy *p = calloc(1, sizeof *p);
    int64_t n[4];
    must(p);
    t->state = p;
    for (int i = 3; i >= 0; i--)
        if (!take_number(&name, &n[i]))
            return table_fail(t, e, RC_PERM, "expected policy:server;timeout;idle;ttl;requests");
    p->idle_ms = n[1];
    p->ttl_ms = n[2];
    p->requests = n[3] < UINT32_MAX ? (uint32_t)n[3] : 0;
    if (n[0] > 0 && n[0] < INT32_MAX)
        t->env.timeout_ms = (int)n[0];
    t->pool = t->env.unasked ? NULL : pool_new(&connections, TABLE_ASKS_AT_ONCE);
    return server_set_place(t, name, &p->server, e);
}

static enum rc policy_find(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    return pool_find(t->pool, t, key, a, ret, e);
}

static void policy_close(struct table *t)
{
    free(t->state);
}

const struct table_type table_policy = {.name = "policy",
                                        .whole_keys = true,
                                        .asks = true,
                                        .open = policy_open,
                                        .find = policy_find,
                                        .close = policy_close};
