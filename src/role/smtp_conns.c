#include "role/smtp_conns.h"

struct kept {
    struct smtp_conn conn;
    struct kept *next; /* used before this one */
};

struct smtp_conns {
    pthread_mutex_t lock;
    struct kept *newest;
    unsigned n, max;
};

struct smtp_conns *smtp_conns_new(unsigned max)
{
    struct smtp_conns *s = calloc(1, sizeof *s);
    must(s && pthread_mutex_init(&s->lock, NULL) == 0);
    s->max = max;
    return s;
}

/* Outside the lock: QUIT waits for its answer. */
static void close_all(struct kept *k)
{
    while (k) {
        struct kept *next = k->next;
        smtp_conn_close(&k->conn);
        free(k);
        k = next;
    }
}

/* Takes out what comes after the first n, or was not used since; called with the lock held. */
static struct kept *cut(struct smtp_conns *s, unsigned n, msec used_since)
{
    struct kept **end = &s->newest;
    unsigned left = 0;
    for (; *end && left < n && (*end)->conn.used >= used_since; left++)
        end = &(*end)->next;
    struct kept *rest = *end;
    *end = NULL;
    s->n = left;
    return rest;
}

void smtp_conns_keep(struct smtp_conns *s, struct smtp_conn *c)
{
    if (!c->client)
        return;
    struct kept *k = calloc(1, sizeof *k), *rest;
    must(k);
    k->conn = *c;
    c->client = NULL;
    pthread_mutex_lock(&s->lock);
    k->next = s->newest;
    s->newest = k;
    s->n++;
    rest = s->n > s->max ? cut(s, s->max, 0) : NULL;
    pthread_mutex_unlock(&s->lock);
    close_all(rest);
}

bool smtp_conns_find(struct smtp_conns *s, bool (*fits)(const void *ctx, const struct smtp_conn *c),
                     const void *ctx, struct smtp_conn *ret)
{
    pthread_mutex_lock(&s->lock);
    struct kept **at = &s->newest;
    while (*at && !fits(ctx, &(*at)->conn))
        at = &(*at)->next;
    struct kept *found = *at;
    if (found) {
        *at = found->next;
        s->n--;
    }
    pthread_mutex_unlock(&s->lock);
    if (!found)
        return false;
    *ret = found->conn;
    free(found);
    return true;
}

void smtp_conns_expire(struct smtp_conns *s, msec idle)
{
    pthread_mutex_lock(&s->lock);
    struct kept *old = cut(s, s->max, clock_mono() - idle);
    pthread_mutex_unlock(&s->lock);
    close_all(old);
}

bool smtp_conns_any(struct smtp_conns *s)
{
    pthread_mutex_lock(&s->lock);
    bool any = s->newest != NULL;
    pthread_mutex_unlock(&s->lock);
    return any;
}
