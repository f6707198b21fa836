/* A map of questions and a list in order of age, under one lock. Each question has a condition of its own, so
 * that an answer wakes only those who wait for it. */
#include "net/answer_cache.h"

#include "base/map.h"
#include "os/thread.h"

#include <stdatomic.h>

/* --- answers: one block of memory, shared by count --- */

struct shared_answer {
    struct dns_answer answer; /* first, so that its address is the block's */
    atomic_uint refs;
    size_t bytes; /* of the block */
    str rdata[];  /* followed by the bytes of the records and of `why` */
};

struct dns_answer *dns_answer_new(enum dns_security security, bool nxdomain, const str *rdata, size_t n,
                                  str why)
{
    size_t bytes = sizeof(struct shared_answer) + n * sizeof(str) + why.n + 1;
    for (size_t i = 0; i < n; i++)
        bytes += rdata[i].n;
    struct shared_answer *a = calloc(1, bytes);
    must(a);
    char *to = (char *)(a->rdata + n);
    for (size_t i = 0; i < n; i++) {
        memcpy(to, rdata[i].p, rdata[i].n);
        a->rdata[i] = str_mem(to, rdata[i].n);
        to += rdata[i].n;
    }
    memcpy(to, why.n ? why.p : "", why.n); /* calloc put the NUL behind it */
    a->answer =
        (struct dns_answer){.security = security, .nxdomain = nxdomain, .n = n, .rdata = a->rdata, .why = to};
    a->bytes = bytes;
    atomic_init(&a->refs, 1);
    return &a->answer;
}

static struct shared_answer *shared(const struct dns_answer *a)
{
    return (struct shared_answer *)(uintptr_t)a;
}

const struct dns_answer *dns_answer_free(const struct dns_answer *a)
{
    if (a && atomic_fetch_sub(&shared(a)->refs, 1) == 1)
        free(shared(a));
    return NULL;
}

void dns_answer_freep(const struct dns_answer **a)
{
    *a = dns_answer_free(*a);
}

/* --- questions --- */

struct question {
    struct question *older, *newer;
    char *key;      /* in the map and the list; NULL: forgotten, and freed by the last who waits */
    unsigned users; /* threads that wait, and one more while it is pending */
    bool settled;
    msec expires;
    struct dns_answer *answer; /* NULL: failed */
    pthread_cond_t is_settled;
};

struct answer_cache {
    struct cache_limits limits;
    pthread_mutex_t lock; /* everything below */
    struct map *questions;
    struct question *oldest, *newest;
    size_t n, pending, bytes;
};

struct answer_cache *answer_cache_new(struct cache_limits limits)
{
    struct answer_cache *c = calloc(1, sizeof *c);
    must(c && limits.pending < limits.questions);
    c->limits = limits;
    c->questions = map_new();
    must(pthread_mutex_init(&c->lock, NULL) == 0);
    return c;
}

static struct question *question_new(void)
{
    struct question *q = calloc(1, sizeof *q);
    must(q && thread_cond_init(&q->is_settled) == RC_OK);
    return q;
}

static void free_unused(struct question *q)
{
    if (q->users > 0 || q->key)
        return;
    dns_answer_free(q->answer);
    pthread_cond_destroy(&q->is_settled);
    free(q);
}

static void forget(struct answer_cache *c, struct question *q)
{
    *(q->older ? &q->older->newer : &c->oldest) = q->newer;
    *(q->newer ? &q->newer->older : &c->newest) = q->older;
    map_del(c->questions, str_c(q->key));
    c->n--;
    if (q->answer)
        c->bytes -= shared(q->answer)->bytes;
    free(q->key);
    q->key = NULL;
    free_unused(q);
}

struct answer_cache *answer_cache_free(struct answer_cache *c)
{
    if (!c)
        return NULL;
    while (c->oldest)
        forget(c, c->oldest);
    map_free(c->questions);
    pthread_mutex_destroy(&c->lock);
    free(c);
    return NULL;
}

/* Makes room by forgetting the oldest settled ones; pending ones are fewer than the limit of all. */
static void make_room(struct answer_cache *c, size_t questions, size_t bytes)
{
    for (struct question *q = c->oldest, *next; q; q = next) {
        next = q->newer;
        if (c->n + questions <= c->limits.questions && c->bytes + bytes <= c->limits.bytes)
            return;
        if (q->settled)
            forget(c, q);
    }
}

static void remember(struct answer_cache *c, struct question *q, char *key)
{
    q->key = key;
    q->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = q;
    c->newest = q;
    map_put(c->questions, str_c(key), q);
    c->n++;
}

/* "TYPE name" in lower case, without a last dot. */
static char *key_of(str name, enum dns_type type)
{
    struct buf b = BUF_INIT(512);
    buf_printf(&b, "%d ", (int)type);
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] != '.' || i + 1 < name.n)
            buf_putc(&b, ascii_lower(name.p[i]));
    char *key = str_dup(buf_str(&b));
    buf_deinit(&b);
    return key;
}

/* With the lock held. */
static enum rc ask(struct answer_cache *c, char **key, struct question **ret, bool *ret_asks)
{
    struct question *q = map_find(c->questions, str_c(*key));
    if (q && q->settled && q->expires <= clock_mono()) {
        forget(c, q);
        q = NULL;
    }
    *ret_asks = !q;
    if (!q) {
        if (c->pending >= c->limits.pending)
            return RC_LIMIT;
        make_room(c, 1, 0);
        q = question_new();
        q->users = 1;
        c->pending++;
        remember(c, q, *key);
        *key = NULL;
    }
    q->users++;
    *ret = q;
    return RC_OK;
}

enum rc cache_ask(struct answer_cache *c, str name, enum dns_type type, struct question **ret, bool *ret_asks)
{
    AUTO(str_freep) char *key = key_of(name, type);
    pthread_mutex_lock(&c->lock);
    enum rc rc = ask(c, &key, ret, ret_asks);
    pthread_mutex_unlock(&c->lock);
    return rc;
}

enum rc cache_wait(struct answer_cache *c, struct question *q, msec deadline, const struct dns_answer **ret)
{
    enum rc rc = RC_TEMP;
    pthread_mutex_lock(&c->lock);
    while (!q->settled && clock_mono() < deadline)
        (void)thread_cond_wait(&q->is_settled, &c->lock, deadline);
    if (q->settled && q->answer) {
        atomic_fetch_add(&shared(q->answer)->refs, 1);
        *ret = q->answer;
        rc = RC_OK;
    }
    q->users--;
    free_unused(q);
    pthread_mutex_unlock(&c->lock);
    return rc;
}

bool cache_is_settled(struct answer_cache *c, const struct question *q)
{
    pthread_mutex_lock(&c->lock);
    bool settled = q->settled;
    pthread_mutex_unlock(&c->lock);
    return settled;
}

void cache_settle(struct answer_cache *c, struct question *q, struct dns_answer *answer, msec ttl)
{
    pthread_mutex_lock(&c->lock);
    size_t bytes = answer ? shared(answer)->bytes : 0;
    make_room(c, 0, bytes);
    c->bytes += bytes;
    c->pending--;
    q->answer = answer;
    q->expires = clock_mono() + ttl;
    q->settled = true;
    q->users--;
    pthread_cond_broadcast(&q->is_settled);
    pthread_mutex_unlock(&c->lock);
}
