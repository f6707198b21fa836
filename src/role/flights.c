#include "role/flights.h"

#include "base/map.h"

#include <pthread.h>

struct flights {
    pthread_mutex_t lock;
    struct map *under_way;
};

struct flights *flights_new(void)
{
    struct flights *f = calloc(1, sizeof *f);
    must(f && pthread_mutex_init(&f->lock, NULL) == 0);
    f->under_way = map_new();
    return f;
}

struct flights *flights_free(struct flights *f)
{
    if (f) {
        map_free(f->under_way);
        pthread_mutex_destroy(&f->lock);
        free(f);
    }
    return NULL;
}

bool flights_begin(struct flights *f, const struct flight *one)
{
    str key = str_mem(one, sizeof *one);
    pthread_mutex_lock(&f->lock);
    bool is_new = map_find(f->under_way, key) == NULL;
    if (is_new)
        map_put(f->under_way, key, f);
    pthread_mutex_unlock(&f->lock);
    return is_new;
}

void flights_end(struct flights *f, const struct flight *one)
{
    pthread_mutex_lock(&f->lock);
    must(map_del(f->under_way, str_mem(one, sizeof *one)));
    pthread_mutex_unlock(&f->lock);
}
