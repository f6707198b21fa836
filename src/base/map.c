/* map: open addressing with linear probing, at most three quarters full; deleting moves later entries back,
 * so there are no tombstones. The hash is SipHash-2-4 (Aumasson and Bernstein, 2012) with a key drawn once
 * per process. */
#include "base/map.h"

#include <pthread.h>
#include <sys/random.h>

#define MAP_SLOTS_MIN 16

struct slot {
    void *value; /* NULL: the slot is free */
    char *key;
    size_t key_n;
    uint64_t hash;
};

struct map {
    struct slot *slots;
    size_t mask; /* number of slots - 1, a power of two - 1 */
    size_t count;
};

static uint64_t hash_key[2];
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void draw_hash_key(void)
{
    must(getrandom(hash_key, sizeof hash_key, 0) == (ssize_t)sizeof hash_key);
}

static inline uint64_t rotl(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline uint64_t load_le64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static inline void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

uint64_t map_siphash(const uint64_t key[2], str s)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
                     key[1] ^ 0x7465646279746573};
    size_t i = 0;
    for (; s.n - i >= 8; i += 8)
        sip_word(v, load_le64(s.p + i));
    uint64_t last = (uint64_t)s.n << 56;
    for (int shift = 0; i < s.n; i++, shift += 8)
        last |= (uint64_t)(unsigned char)s.p[i] << shift;
    sip_word(v, last);
    v[2] ^= 0xff;
    for (int i_round = 0; i_round < 4; i_round++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t map_hash(str key)
{
    pthread_once(&hash_key_once, draw_hash_key);
    return map_siphash(hash_key, key);
}

struct map *map_new(void)
{
    struct map *m = calloc(1, sizeof *m);
    must(m);
    m->slots = calloc(MAP_SLOTS_MIN, sizeof *m->slots);
    must(m->slots);
    m->mask = MAP_SLOTS_MIN - 1;
    return m;
}

struct map *map_free(struct map *m)
{
    if (!m)
        return NULL;
    for (size_t i = 0; i <= m->mask; i++)
        free(m->slots[i].key);
    free(m->slots);
    free(m);
    return NULL;
}

/* The slot that holds key, or the free slot where it belongs. */
static struct slot *slot_for(const struct map *m, str key, uint64_t hash)
{
    for (size_t i = hash & m->mask;; i = (i + 1) & m->mask) {
        struct slot *s = &m->slots[i];
        if (!s->value || (s->hash == hash && str_eq(str_mem(s->key, s->key_n), key)))
            return s;
    }
}

void *map_find(const struct map *m, str key)
{
    return slot_for(m, key, map_hash(key))->value;
}

static void map_double(struct map *m)
{
    struct slot *old = m->slots;
    size_t old_mask = m->mask;
    m->mask = old_mask * 2 + 1;
    m->slots = calloc(m->mask + 1, sizeof *m->slots);
    must(m->slots);
    for (size_t i = 0; i <= old_mask; i++)
        if (old[i].value)
            *slot_for(m, str_mem(old[i].key, old[i].key_n), old[i].hash) = old[i];
    free(old);
}

void *map_put(struct map *m, str key, void *value)
{
    must(value);
    uint64_t hash = map_hash(key);
    struct slot *s = slot_for(m, key, hash);
    if (s->value) {
        void *replaced = s->value;
        s->value = value;
        return replaced;
    }
    if (m->count + 1 > (m->mask + 1) / 4 * 3) {
        map_double(m);
        s = slot_for(m, key, hash);
    }
    *s = (struct slot){.value = value, .key = str_dup(key), .key_n = key.n, .hash = hash};
    m->count++;
    return NULL;
}

/* Closes the gap at slot `gap`: each later entry of the run moves back when its home is not between gap and
 * itself. */
static void close_gap(struct map *m, size_t gap)
{
    for (size_t i = (gap + 1) & m->mask; m->slots[i].value; i = (i + 1) & m->mask) {
        size_t home = m->slots[i].hash & m->mask;
        if (((i - home) & m->mask) >= ((i - gap) & m->mask)) {
            m->slots[gap] = m->slots[i];
            gap = i;
        }
    }
    m->slots[gap] = (struct slot){0};
}

void *map_del(struct map *m, str key)
{
    struct slot *s = slot_for(m, key, map_hash(key));
    void *value = s->value;
    if (!value)
        return NULL;
    free(s->key);
    close_gap(m, (size_t)(s - m->slots));
    m->count--;
    return value;
}

size_t map_count(const struct map *m)
{
    return m->count;
}

bool map_next(const struct map *m, size_t *pos, str *ret_key, void **ret_value)
{
    for (; *pos <= m->mask; ++*pos) {
        const struct slot *s = &m->slots[*pos];
        if (s->value) {
            *ret_key = str_mem(s->key, s->key_n);
            *ret_value = s->value;
            ++*pos;
            return true;
        }
    }
    return false;
}
