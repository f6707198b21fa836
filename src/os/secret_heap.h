/* secret_heap: small blocks of secret_pages, for many secrets of which most are much smaller than a page. One
 * thread uses a heap; its blocks come in sizes of powers of two, and pages are not given back before the heap
 * is freed: it stays as large as it once had to be. */
#ifndef OS_SECRET_HEAP_H
#define OS_SECRET_HEAP_H

#include <stddef.h>

enum { SECRET_BLOCK_MAX = 16384 };

struct secret_heap;

struct secret_heap *secret_heap_new(void);
/* No block may be in use; accepts NULL, returns NULL. */
struct secret_heap *secret_heap_free(struct secret_heap *h);
/* Never NULL; size at most SECRET_BLOCK_MAX. */
void *secret_heap_take(struct secret_heap *h, size_t size);
/* Wipes the block, which was taken with that size; accepts NULL, returns NULL. */
void *secret_heap_give(struct secret_heap *h, void *p, size_t size);

#endif
