/* arena: a list of malloc'ed blocks that are filled from the front and forgotten together.
 * The newest ordinary block is the head; a request larger than half a block gets a block of its own behind
 * the head, so that it does not waste the rest of it. The maximum counts the bytes handed out (rounded up to
 * 16), not the blocks. */
#include "base/arena.h"

#include "base/num.h"

#include <stdarg.h>

#define ARENA_ALIGN     16
#define ARENA_BLOCK_MIN 4096
#define ARENA_BLOCK_MAX 65536
#define ARENA_ARRAY_MIN 8

struct block {
    struct block *next;
    size_t cap, used;
    _Alignas(ARENA_ALIGN) char data[];
};

struct arena {
    struct block *head; /* NULL before the first allocation */
    size_t used, max;
    size_t next_block; /* size of the next ordinary block */
    bool exhausted;
};

struct arena *arena_new(size_t max_bytes)
{
    struct arena *a = calloc(1, sizeof *a);
    must(a);
    a->max = max_bytes;
    a->next_block = ARENA_BLOCK_MIN;
    return a;
}

static void free_blocks(struct block *b)
{
    while (b) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
}

struct arena *arena_free(struct arena *a)
{
    if (a) {
        free_blocks(a->head);
        free(a);
    }
    return NULL;
}

void arena_freep(struct arena **a)
{
    *a = arena_free(*a);
}

void arena_reset(struct arena *a)
{
    if (a->head) {
        free_blocks(a->head->next);
        a->head->next = NULL;
        a->head->used = 0;
        if (a->head->cap > ARENA_BLOCK_MAX) { /* one large request must not stay for the whole session */
            free(a->head);
            a->head = NULL;
        }
    }
    a->used = 0;
    a->exhausted = false;
}

static struct block *block_new(size_t cap)
{
    struct block *b = malloc(sizeof *b + cap);
    must(b);
    b->next = NULL;
    b->cap = cap;
    b->used = 0;
    return b;
}

/* A block with room for size bytes: the head, a new head, or one of its own behind the head. */
static struct block *block_for(struct arena *a, size_t size)
{
    if (a->head && size <= a->head->cap - a->head->used)
        return a->head;
    if (a->head && size > a->next_block / 2) {
        struct block *own = block_new(size);
        own->next = a->head->next;
        a->head->next = own;
        return own;
    }
    struct block *b = block_new(size > a->next_block ? size : a->next_block);
    b->next = a->head;
    a->head = b;
    if (a->next_block < ARENA_BLOCK_MAX)
        a->next_block *= 2;
    return b;
}

/* Not zeroed. */
static char *take(struct arena *a, size_t size)
{
    size_t left = a->max - a->used;
    if (size == 0)
        size = 1;
    if (size > left || left - size < (-size & (ARENA_ALIGN - 1))) {
        a->exhausted = true;
        return NULL;
    }
    size += -size & (ARENA_ALIGN - 1);
    struct block *b = block_for(a, size);
    char *p = b->data + b->used;
    b->used += size;
    a->used += size;
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    char *p = take(a, size);
    return p ? memset(p, 0, size ? size : 1) : NULL;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    if (!num_mul(n, size, &bytes)) {
        a->exhausted = true;
        return NULL;
    }
    return arena_alloc(a, bytes);
}

void *arena_grow(struct arena *a, void *old, size_t used, size_t size)
{
    size_t room;
    if (!num_mul(used, 2, &room)) {
        a->exhausted = true;
        return NULL;
    }
    void *grown = arena_array(a, room < ARENA_ARRAY_MIN ? ARENA_ARRAY_MIN : room, size);
    if (grown && used)
        memcpy(grown, old, used * size);
    return grown;
}

str arena_str(struct arena *a, str s)
{
    size_t bytes;
    char *p = num_add(s.n, 1, &bytes) ? take(a, bytes) : NULL;
    if (!p)
        return STR_NONE;
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return str_mem(p, s.n);
}

str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    must(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    if (!p)
        return STR_NONE;
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return str_mem(p, (size_t)n);
}

bool arena_exhausted(const struct arena *a)
{
    return a->exhausted;
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}
