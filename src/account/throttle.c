/* Leaky buckets in a set-associative table: a row of four for each hash. */
#include "account/throttle.h"

struct bucket {
    uint64_t key;
    msec until; /* when the level has run off; 0: free */
};

struct throttle {
    struct bucket row[THROTTLE_ROWS][THROTTLE_WAYS];
};

struct throttle *throttle_new(void)
{
    struct throttle *t = calloc(1, sizeof *t);
    must(t);
    return t;
}

struct throttle *throttle_free(struct throttle *t)
{
    free(t);
    return NULL;
}

/* The key's bucket, or NULL; *ret_lowest is the one to reuse. */
static const struct bucket *find(const struct throttle *t, uint64_t key, const struct bucket **ret_lowest)
{
    const struct bucket *row = t->row[key % THROTTLE_ROWS];
    *ret_lowest = &row[0];
    for (int i = 0; i < THROTTLE_WAYS; i++) {
        if (row[i].key == key && row[i].until != 0)
            return &row[i];
        if (row[i].until < (*ret_lowest)->until)
            *ret_lowest = &row[i];
    }
    return NULL;
}

msec throttle_level(const struct throttle *t, uint64_t key, msec now)
{
    const struct bucket *lowest, *b = find(t, key, &lowest);
    return b && b->until > now ? b->until - now : 0;
}

void throttle_add(struct throttle *t, uint64_t key, msec now, msec span, msec max)
{
    const struct bucket *lowest, *found = find(t, key, &lowest);
    struct bucket *b = (struct bucket *)(found ? found : lowest);
    msec left = throttle_level(t, key, now) + span;
    b->key = key;
    b->until = now + (left < max ? left : max);
}

void throttle_clear(struct throttle *t, uint64_t key)
{
    const struct bucket *lowest, *b = find(t, key, &lowest);
    if (b)
        *(struct bucket *)b = (struct bucket){0};
}
