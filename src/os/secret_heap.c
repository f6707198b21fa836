/* secret_heap: see secret_heap.h. A list of free blocks for each size; what was given back is used first. */
#include "os/secret_heap.h"

#include "base/err.h"
#include "os/crypto.h"
#include "os/secret_pages.h"

#include <stdlib.h>

enum { BLOCK_MIN = 256, SIZES = 7, PAGES = 65536 };
_Static_assert(BLOCK_MIN << (SIZES - 1) == SECRET_BLOCK_MAX, "the largest block has the last size");

struct block { /* one that is free */
    struct block *next;
};

struct secret_heap {
    struct block *free[SIZES];
    void **pages; /* PAGES bytes each */
    size_t n_pages;
    size_t used; /* blocks */
};

struct secret_heap *secret_heap_new(void)
{
    struct secret_heap *h = calloc(1, sizeof *h);
    must(h);
    return h;
}

struct secret_heap *secret_heap_free(struct secret_heap *h)
{
    if (!h)
        return NULL;
    must(h->used == 0);
    while (h->n_pages > 0)
        secret_pages_free(h->pages[--h->n_pages], PAGES);
    free(h->pages);
    free(h);
    return NULL;
}

static size_t size_of(size_t kind)
{
    return (size_t)BLOCK_MIN << kind;
}

static size_t kind_for(size_t size)
{
    size_t kind = 0;
    must(size <= SECRET_BLOCK_MAX);
    while (size_of(kind) < size)
        kind++;
    return kind;
}

static void add_pages(struct secret_heap *h, size_t kind)
{
    h->pages = reallocarray(h->pages, h->n_pages + 1, sizeof *h->pages);
    must(h->pages);
    char *pages = h->pages[h->n_pages++] = secret_pages_new(PAGES);
    for (size_t at = PAGES; at > 0;) {
        at -= size_of(kind);
        struct block *b = (struct block *)(void *)(pages + at);
        b->next = h->free[kind];
        h->free[kind] = b;
    }
}

void *secret_heap_take(struct secret_heap *h, size_t size)
{
    size_t kind = kind_for(size);
    if (!h->free[kind])
        add_pages(h, kind);
    struct block *b = h->free[kind];
    h->free[kind] = b->next;
    b->next = NULL;
    h->used++;
    return b;
}

void *secret_heap_give(struct secret_heap *h, void *p, size_t size)
{
    if (!p)
        return NULL;
    size_t kind = kind_for(size);
    struct block *b = p;
    crypto_wipe(p, size_of(kind));
    b->next = h->free[kind];
    h->free[kind] = b;
    h->used--;
    return NULL;
}
