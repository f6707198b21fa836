/* arena: memory with one lifetime (a command, a parse), freed at once, bounded by the maximum it is created
 * with. Past the maximum allocations return NULL and `exhausted` is set: parsers answer RC_LIMIT. Allocations
 * are aligned to 16 bytes and zeroed. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena;

struct arena *arena_new(size_t max_bytes);
struct arena *arena_free(struct arena *a); /* accepts NULL, returns NULL */
void arena_freep(struct arena **a);
void arena_reset(struct arena *a); /* forgets everything, keeps one block */
void *arena_alloc(struct arena *a, size_t size);
/* An array of n zeroed elements, NULL when n * size overflows or the arena is exhausted. */
void *arena_array(struct arena *a, size_t n, size_t size);
/* A copy of a full array of `used` elements with room for twice as many, at least 8; NULL when exhausted. The
 * old one stays allocated. */
void *arena_grow(struct arena *a, void *old, size_t used, size_t size);
/* Copy with a NUL behind it; STR_NONE when exhausted. */
str arena_str(struct arena *a, str s);
str arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
bool arena_exhausted(const struct arena *a);
size_t arena_used(const struct arena *a);

#define arena_make(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
