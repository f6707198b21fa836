/* A table of slots, one per hash: a newer address takes the place of an older one. */
#include "role/rcpt_cache.h"

#include "base/map.h"

#include <pthread.h>

enum { SLOTS = 1024 };

struct slot {
    msec expires;
    enum rc rc;
    uint16_t address_n, answer_n;
    char address[RCPT_CACHE_ADDRESS_MAX], answer[RCPT_CACHE_ANSWER_MAX];
};

struct rcpt_cache {
    pthread_mutex_t lock;
    struct slot *slots[SLOTS]; /* made when first used */
};

struct rcpt_cache *rcpt_cache_new(void)
{
    struct rcpt_cache *c = calloc(1, sizeof *c);
    must(c && pthread_mutex_init(&c->lock, NULL) == 0);
    return c;
}

struct rcpt_cache *rcpt_cache_free(struct rcpt_cache *c)
{
    for (size_t i = 0; c && i < SLOTS; i++)
        free(c->slots[i]);
    if (c)
        pthread_mutex_destroy(&c->lock);
    free(c);
    return NULL;
}

bool rcpt_cache_find(struct rcpt_cache *c, str address, msec now, struct buf *out, enum rc *ret_rc)
{
    uint64_t hash = map_hash(address);
    pthread_mutex_lock(&c->lock);
    const struct slot *s = c->slots[hash % SLOTS];
    bool found = s && s->expires > now && str_eq(str_mem(s->address, s->address_n), address);
    if (found) {
        buf_put(out, s->answer, s->answer_n);
        *ret_rc = s->rc;
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

void rcpt_cache_put(struct rcpt_cache *c, str address, enum rc rc, str answer, msec now)
{
    if (address.n > RCPT_CACHE_ADDRESS_MAX || answer.n > RCPT_CACHE_ANSWER_MAX)
        return;
    uint64_t hash = map_hash(address);
    pthread_mutex_lock(&c->lock);
    struct slot *s = c->slots[hash % SLOTS];
    if (!s)
        c->slots[hash % SLOTS] = s = calloc(1, sizeof *s);
    must(s);
    s->expires = now + RCPT_CACHE_TTL_MS;
    s->rc = rc;
    s->address_n = (uint16_t)address.n;
    s->answer_n = (uint16_t)answer.n;
    memcpy(s->address, address.p, address.n);
    memcpy(s->answer, answer.p, answer.n);
    pthread_mutex_unlock(&c->lock);
}

void rcpt_cache_clear(struct rcpt_cache *c)
{
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < SLOTS; i++)
        if (c->slots[i])
            c->slots[i]->expires = 0;
    pthread_mutex_unlock(&c->lock);
}
