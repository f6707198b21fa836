/* Counting connections per client (client_limit.h): an entry exists only while its count is above zero. */
#include "role/client_limit.h"

#include "account/throttle.h"
#include "base/buf.h"
#include "base/map.h"

#include <pthread.h>

struct client_limit {
    pthread_mutex_t lock;
    struct map *clients; /* socket_client to its count, kept in the pointer itself */
    unsigned total;
    struct throttle *rates;
};

struct client_limit *client_limit_new(void)
{
    struct client_limit *l = calloc(1, sizeof *l);
    must(l && pthread_mutex_init(&l->lock, NULL) == 0);
    l->clients = map_new();
    l->rates = throttle_new();
    return l;
}

struct client_limit *client_limit_free(struct client_limit *l)
{
    if (l) {
        map_free(l->clients);
        throttle_free(l->rates);
        pthread_mutex_destroy(&l->lock);
        free(l);
    }
    return NULL;
}

static str key_of(const struct socket_client *client)
{
    return str_mem(client, sizeof *client);
}

enum rc client_limit_enter(struct client_limit *l, const struct socket_client *client, unsigned client_max,
                           unsigned total_max)
{
    enum rc rc = RC_LIMIT;
    pthread_mutex_lock(&l->lock);
    uintptr_t n = (uintptr_t)map_find(l->clients, key_of(client));
    if (n < client_max && l->total < total_max) {
        map_put(l->clients, key_of(client), (void *)(n + 1));
        l->total++;
        rc = RC_OK;
    }
    pthread_mutex_unlock(&l->lock);
    return rc;
}

static uint64_t rate_key(const struct client_rate *r)
{
    AUTO(buf_deinit) struct buf key = BUF_INIT(1024);
    buf_puts(&key, key_of(r->client));
    buf_puts(&key, r->what);
    return map_hash(buf_str(&key));
}

static msec rate_step(const struct client_rate *r)
{
    msec step = r->unit / r->max;
    return step > 0 ? step : 1;
}

enum rc client_limit_rate(struct client_limit *l, const struct client_rate *r, msec now)
{
    uint64_t key = rate_key(r);
    msec step = rate_step(r);
    pthread_mutex_lock(&l->lock);
    bool fits = throttle_level(l->rates, key, now) + step <= r->unit;
    if (fits)
        throttle_add(l->rates, key, now, step, r->unit);
    pthread_mutex_unlock(&l->lock);
    return fits ? RC_OK : RC_LIMIT;
}

bool client_limit_is_reached(struct client_limit *l, const struct client_rate *r, msec now)
{
    uint64_t key = rate_key(r);
    pthread_mutex_lock(&l->lock);
    bool fits = throttle_level(l->rates, key, now) + rate_step(r) <= r->unit;
    pthread_mutex_unlock(&l->lock);
    return !fits;
}

void client_limit_leave(struct client_limit *l, const struct socket_client *client)
{
    pthread_mutex_lock(&l->lock);
    uintptr_t n = (uintptr_t)map_find(l->clients, key_of(client));
    must(n > 0 && l->total > 0);
    if (n == 1)
        map_del(l->clients, key_of(client));
    else
        map_put(l->clients, key_of(client), (void *)(n - 1));
    l->total--;
    pthread_mutex_unlock(&l->lock);
}

unsigned client_limit_total(struct client_limit *l)
{
    pthread_mutex_lock(&l->lock);
    unsigned n = l->total;
    pthread_mutex_unlock(&l->lock);
    return n;
}

unsigned client_limit_of(struct client_limit *l, const struct socket_client *client)
{
    pthread_mutex_lock(&l->lock);
    uintptr_t n = (uintptr_t)map_find(l->clients, key_of(client));
    pthread_mutex_unlock(&l->lock);
    return (unsigned)n;
}
