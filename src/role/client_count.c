/* Counts by address in a map; an address with no connection left has no entry. */
#include "role/client_count.h"

#include "base/map.h"

#include <pthread.h>

struct client_count {
    pthread_mutex_t lock;
    struct map *by_address; /* address -> count, as a pointer-sized integer */
    unsigned total;
};

struct client_count *client_count_new(void)
{
    struct client_count *c = calloc(1, sizeof *c);
    must(c && pthread_mutex_init(&c->lock, NULL) == 0);
    c->by_address = map_new();
    return c;
}

enum rc client_count_add(struct client_count *c, str address, unsigned max_total, unsigned max_address, bool *ret_total)
{
    enum rc rc = RC_LIMIT;
    pthread_mutex_lock(&c->lock);
    uintptr_t n = (uintptr_t)map_find(c->by_address, address);
    bool total = c->total >= max_total;
    if (!total && n < max_address) {
        c->total++;
        map_put(c->by_address, address, (void *)(n + 1));
        rc = RC_OK;
    }
    pthread_mutex_unlock(&c->lock);
    if (rc != RC_OK)
        *ret_total = total;
    return rc;
}

void client_count_del(struct client_count *c, str address)
{
    pthread_mutex_lock(&c->lock);
    uintptr_t n = (uintptr_t)map_find(c->by_address, address);
    must(n > 0 && c->total > 0);
    c->total--;
    if (n == 1)
        map_del(c->by_address, address);
    else
        map_put(c->by_address, address, (void *)(n - 1));
    pthread_mutex_unlock(&c->lock);
}

unsigned client_count_total(struct client_count *c)
{
    pthread_mutex_lock(&c->lock);
    unsigned n = c->total;
    pthread_mutex_unlock(&c->lock);
    return n;
}
