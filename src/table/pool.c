/* Connections that threads share one after the other. */
#include "table/pool.h"

#include "os/thread.h"

enum { REST_MIN_MS = 1000, REST_MAX_MS = 60000, IDLE_MAX_MS = 60000 };

struct connection {
    void *handle; /* NULL: not connected */
    bool busy;
    msec used;
};

struct pool {
    const struct pool_type *type;
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t freed;
    msec rest_ms, rest_until; /* the server is left alone */
    size_t n;
    struct connection v[];
};

struct pool *pool_new(const struct pool_type *type, size_t connections)
{
    struct pool *p = calloc(1, sizeof *p + connections * sizeof *p->v);
    must(p && connections > 0);
    p->type = type;
    p->n = connections;
    must(pthread_mutex_init(&p->lock, NULL) == 0 && thread_cond_init(&p->freed) == RC_OK);
    return p;
}

struct pool *pool_free(struct pool *p)
{
    if (!p)
        return NULL;
    for (size_t i = 0; i < p->n; i++) {
        if (p->v[i].handle)
            p->type->disconnect(p->v[i].handle);
    }
    pthread_cond_destroy(&p->freed);
    pthread_mutex_destroy(&p->lock);
    free(p);
    return NULL;
}

/* A free connection, rather one that is open. */
static struct connection *find_free(struct pool *p)
{
    struct connection *found = NULL;
    for (size_t i = 0; i < p->n; i++) {
        if (!p->v[i].busy && (!found || (!found->handle && p->v[i].handle)))
            found = &p->v[i];
    }
    return found;
}

static enum rc take(struct pool *p, struct table *t, msec deadline, struct connection **ret, struct err *e)
{
    struct connection *c;
    bool waits = true;
    pthread_mutex_lock(&p->lock);
    while (!(c = find_free(p)) && waits)
        waits = thread_cond_wait(&p->freed, &p->lock, deadline);
    bool rests = c && !c->handle && clock_mono() < p->rest_until;
    if (c && !rests)
        c->busy = true;
    pthread_mutex_unlock(&p->lock);
    if (rests)
        return table_fail(t, e, RC_TEMP, "is left alone for a while after a failure");
    if (!c)
        return table_fail(t, e, RC_TEMP, "all connections are busy");
    *ret = c;
    return RC_OK;
}

static void give_back(struct pool *p, struct connection *c, bool failed)
{
    pthread_mutex_lock(&p->lock);
    c->busy = false;
    c->used = clock_mono();
    if (failed) {
        p->rest_ms = p->rest_ms == 0                ? REST_MIN_MS
                     : 2 * p->rest_ms > REST_MAX_MS ? REST_MAX_MS
                                                    : 2 * p->rest_ms;
        p->rest_until = clock_mono() + p->rest_ms;
    } else {
        p->rest_ms = p->rest_until = 0;
    }
    pthread_cond_signal(&p->freed);
    pthread_mutex_unlock(&p->lock);
}

static void disconnect(struct pool *p, struct connection *c)
{
    p->type->disconnect(c->handle);
    c->handle = NULL;
}

/* A connection that was open before may have been closed by the server: then a new one is tried, once.
 * RC_INVALID: the server failed. */
static enum rc ask(struct pool *p, struct connection *c, struct table *t, str key, msec deadline,
                   struct buf *out, struct err *e)
{
    bool was_open = c->handle != NULL;
    if (was_open && c->used > 0 && clock_mono() - c->used > IDLE_MAX_MS)
        disconnect(p, c);
    for (;;) {
        bool fresh = c->handle == NULL;
        if (fresh && p->type->connect(t, deadline, &c->handle, e) != RC_OK)
            return RC_INVALID;
        enum rc rc = p->type->ask(t, c->handle, key, deadline, out, e);
        if (rc != RC_INVALID)
            return rc;
        disconnect(p, c);
        buf_reset(out);
        if (fresh || clock_mono() >= deadline)
            return rc;
    }
}

enum rc pool_probe(struct pool *p, struct table *t, struct err *e)
{
    struct connection *c;
    msec deadline = table_deadline(t);
    enum rc rc = take(p, t, deadline, &c, e);
    if (rc != RC_OK)
        return rc;
    if (!c->handle)
        rc = p->type->connect(t, deadline, &c->handle, e);
    give_back(p, c, rc != RC_OK);
    return rc;
}

enum rc pool_find(struct pool *p, struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(TABLE_VALUE_MAX);
    struct connection *c;
    msec deadline = table_deadline(t);
    enum rc rc = take(p, t, deadline, &c, e);
    if (rc != RC_OK)
        return rc;
    rc = ask(p, c, t, key, deadline, &out, e);
    give_back(p, c, rc == RC_INVALID);
    if (rc == RC_INVALID && e)
        e->rc = RC_TEMP;
    if (rc == RC_INVALID)
        return RC_TEMP;
    if (rc == RC_OK && out.overflow)
        return table_fail(t, e, RC_TEMP, "the value is longer than %d bytes", TABLE_VALUE_MAX);
    return rc == RC_OK ? table_give(t, buf_str(&out), a, ret, e) : rc;
}
