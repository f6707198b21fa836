/* map: byte-string keys to pointers, hashed with a per-process random key so that peers cannot choose
 * collisions. Keys are copied; values belong to the caller. Not thread-safe. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

struct map;

struct map *map_new(void);
struct map *map_free(struct map *m); /* values are not freed; accepts NULL, returns NULL */
void *map_find(const struct map *m, str key);
void *map_put(struct map *m, str key,
              void *value);            /* value must not be NULL; returns the value it replaces, or NULL */
void *map_del(struct map *m, str key); /* returns the value taken out, or NULL */
size_t map_count(const struct map *m);
/* Walks all entries in no order: start with *pos = 0; false at the end. Changing the map ends the walk. */
bool map_next(const struct map *m, size_t *pos, str *ret_key, void **ret_value);
/* Keyed hash of bytes (SipHash-2-4) with the process's random key, which the first use draws (getrandom); and
 * with a given key. */
uint64_t map_hash(str key);
uint64_t map_siphash(const uint64_t key[2], str s);

#endif
