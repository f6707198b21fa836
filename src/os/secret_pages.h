/* secret_pages: zeroed memory for secrets: children do not inherit it (MADV_DONTFORK), core dumps leave it
 * out (MADV_DONTDUMP), and it is wiped when given back. */
#ifndef OS_SECRET_PAGES_H
#define OS_SECRET_PAGES_H

#include <stddef.h>

/* Never NULL: running out of memory ends the process. Pages are touched only when used. */
void *secret_pages_new(size_t size);
void *secret_pages_free(void *p, size_t size); /* accepts NULL, returns NULL */

#endif
