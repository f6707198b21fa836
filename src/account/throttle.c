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

/* The key's place in its row, or -1; *ret_lowest is the place to reuse. */
static int find(const struct throttle *t, uint64_t key, int *ret_lowest)
{
    const struct bucket *row = t->row[key % THROTTLE_ROWS];
    *ret_lowest = 0;
    for (int i = 0; i < THROTTLE_WAYS; i++) {
        if (row[i].key == key && row[i].until != 0)
            return i;
        if (row[i].until < row[*ret_lowest].until)
            *ret_lowest = i;
    }
    return -1;
}

msec throttle_level(const struct throttle *t, uint64_t key, msec now)
{
    int lowest, i = find(t, key, &lowest);
    msec until = i < 0 ? 0 : t->row[key % THROTTLE_ROWS][i].until;
    return until > now ? until - now : 0;
}

void throttle_add(struct throttle *t, uint64_t key, msec now, msec span, msec max)
{
    int lowest, i = find(t, key, &lowest);
    msec left = throttle_level(t, key, now) + span;
    t->row[key % THROTTLE_ROWS][i < 0 ? lowest : i] = (struct bucket){key, now + (left < max ? left : max)};
}

void throttle_clear(struct throttle *t, uint64_t key)
{
    int lowest, i = find(t, key, &lowest);
    if (i >= 0)
        t->row[key % THROTTLE_ROWS][i] = (struct bucket){0};
}
