#include "queue/departed.h"

#include "base/map.h"

#include <pthread.h>

struct departed {
    pthread_mutex_t lock;
    struct map *ids;
    msec until;
};

struct departed *departed_new(msec now)
{
    struct departed *d = calloc(1, sizeof *d);
    must(d && pthread_mutex_init(&d->lock, NULL) == 0);
    d->ids = map_new();
    d->until = now + DEPARTED_MS;
    return d;
}

struct departed *departed_free(struct departed *d)
{
    if (d) {
        map_free(d->ids);
        pthread_mutex_destroy(&d->lock);
        free(d);
    }
    return NULL;
}

void departed_note(struct departed *d, str id, msec now)
{
    pthread_mutex_lock(&d->lock);
    if (now < d->until && map_count(d->ids) < DEPARTED_MAX)
        map_put(d->ids, id, d);
    pthread_mutex_unlock(&d->lock);
}

bool departed_has(struct departed *d, str id)
{
    pthread_mutex_lock(&d->lock);
    bool has = map_find(d->ids, id) != NULL;
    pthread_mutex_unlock(&d->lock);
    return has;
}
