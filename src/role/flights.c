#include "role/flights.h"

#include "base/map.h"
#include "os/thread.h"

struct flights {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct map *under_way;
};

struct flights *flights_new(void)
{
    struct flights *f = calloc(1, sizeof *f);
    must(f && thread_mutex_init(&f->lock) == RC_OK && thread_cond_init(&f->ended) == RC_OK);
    f->under_way = map_new();
    return f;
}

struct flights *flights_free(struct flights *f)
{
    if (f) {
        map_free(f->under_way);
        pthread_cond_destroy(&f->ended);
        pthread_mutex_destroy(&f->lock);
        free(f);
    }
    return NULL;
}

bool flights_begin(struct flights *f, const struct flight *one, msec deadline, bool *ret_waited)
{
    str key = str_mem(one, sizeof *one);
    *ret_waited = false;
    pthread_mutex_lock(&f->lock);
    while (map_find(f->under_way, key) && clock_mono() < deadline) {
        *ret_waited = true;
        (void)thread_cond_wait(&f->ended, &f->lock, deadline);
    }
    bool is_free = map_find(f->under_way, key) == NULL;
    if (is_free)
        map_put(f->under_way, key, f);
    pthread_mutex_unlock(&f->lock);
    return is_free;
}

void flights_end(struct flights *f, const struct flight *one)
{
    pthread_mutex_lock(&f->lock);
    must(map_del(f->under_way, str_mem(one, sizeof *one)));
    pthread_cond_broadcast(&f->ended);
    pthread_mutex_unlock(&f->lock);
}
