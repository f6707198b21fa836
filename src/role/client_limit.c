/* Counting connections per client (client_limit.h): an entry exists only while its count is above zero. */
#include "role/client_limit.h"

#include "account/throttle.h"
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

enum rc client_limit_rate(struct client_limit *l, const struct socket_client *client, unsigned max, msec unit,
                          msec now)
{
    uint64_t key = map_hash(key_of(client));
    msec step = unit / max > 0 ? unit / max : 1;
    pthread_mutex_lock(&l->lock);
    bool fits = throttle_level(l->rates, key, now) + step <= unit;
    if (fits)
        throttle_add(l->rates, key, now, step, unit);
    pthread_mutex_unlock(&l->lock);
    return fits ? RC_OK : RC_LIMIT;
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
