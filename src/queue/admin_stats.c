/* Counting what waits, by site. */
#include "queue/admin_impl.h"

struct counting {
    struct arena *arena;
    struct map *sites; /* by name */
    struct queue_stats **v;
    size_t n;
    struct queue_stats *total;
};

struct counted { /* first member: what the caller sees */
    struct queue_stats s;
    int64_t last_message, last_tried;
    char reply[QUEUE_REPLY_MAX + 1];
};

static struct queue_stats *find_site(struct counting *c, str name)
{
    struct counted *found = map_find(c->sites, name);
    if (found)
        return &found->s;
    found = arena_make(c->arena, struct counted);
    if (!found)
        return NULL;
    found->s.name = arena_str(c->arena, name);
    map_put(c->sites, name, found);
    if (c->n == 0 || (c->n >= 8 && (c->n & (c->n - 1)) == 0))
        c->v = arena_grow(c->arena, c->v, c->n, sizeof *c->v);
    if (!c->v)
        return NULL;
    c->v[c->n++] = &found->s;
    return &found->s;
}

static void add(struct counting *c, struct queue_stats *s, const struct queue_item *item)
{
    struct counted *k = (struct counted *)s;
    s->recipients++;
    s->held += item->status == QUEUE_IS_HELD;
    s->failed += item->status == QUEUE_IS_FAILED;
    if (k->last_message != item->message) {
        s->messages++;
        s->size += item->size;
        k->last_message = item->message;
    }
    if (s->oldest == 0 || item->arrived < s->oldest)
        s->oldest = item->arrived;
    if (item->dead > s->dead)
        s->dead = item->dead;
    str reply = item->dead && item->site_reply.n ? item->site_reply : item->reply;
    if (reply.n && item->tried >= k->last_tried) {
        k->last_tried = item->tried;
        must(str_copy(k->reply, sizeof k->reply, str_sub(reply, 0, QUEUE_REPLY_MAX)) == RC_OK);
        s->reply = str_c(k->reply);
    }
}

static void count(void *ctx, const struct queue_item *item)
{
    struct counting *c = ctx;
    struct queue_stats *site = find_site(c, item->site);
    if (!site)
        return; /* the arena is exhausted, which queue_admin_stats reports */
    add(c, site, item);
    add(c, c->total, item);
}

static int by_recipients(const void *a, const void *b)
{
    const struct queue_stats *x = *(struct queue_stats *const *)a, *y = *(struct queue_stats *const *)b;
    if (x->recipients != y->recipients)
        return x->recipients < y->recipients ? 1 : -1;
    return str_cmp(x->name, y->name);
}

enum rc queue_admin_stats(struct queue_admin *a, const struct queue_filter *f, struct arena *arena,
                          struct queue_stats **ret, size_t *ret_n, struct err *e)
{
    struct counted total = {0};
    struct counting c = {.arena = arena, .sites = map_new(), .total = &total.s};
    enum rc rc = queue_admin_each(a, f, count, &c, e);
    map_free(c.sites);
    struct queue_stats *list = rc == RC_OK ? arena_array(arena, c.n + 1, sizeof *list) : NULL;
    if (rc == RC_OK && (!list || arena_exhausted(arena)))
        return err_set(e, RC_LIMIT, 0, "", "mail waits for too many sites to count them");
    if (rc != RC_OK)
        return rc;
    total.s.dead = 0;
    total.s.reply = STR_NONE;
    list[0] = total.s;
    if (c.n > 0)
        qsort(c.v, c.n, sizeof *c.v, by_recipients);
    for (size_t i = 0; i < c.n; i++)
        list[i + 1] = *c.v[i];
    *ret = list;
    *ret_n = c.n + 1;
    return RC_OK;
}
