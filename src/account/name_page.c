/* Pages of names. */
#include "account/name_page.h"

#include "account/identity.h"

#include <stdlib.h>

void name_page_add(void *ctx, str name)
{
    struct name_page *p = ctx;
    if (name.n == 0 || name.n > IDENTITY_ACCOUNT_MAX || str_chr(name, '\0') >= 0 ||
        str_cmp(name, p->after) <= 0 || arena_exhausted(p->a))
        return;
    bool full = p->n == 0 || (p->n >= 8 && (p->n & (p->n - 1)) == 0); /* arena_grow doubles from 8 */
    str *room = full ? arena_grow(p->a, p->v, p->n, sizeof *room) : p->v;
    if (!room)
        return;
    p->v = room;
    p->v[p->n++] = arena_str(p->a, name);
}

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

enum rc name_page_cut(struct name_page *p)
{
    size_t n = 0, bytes = 0;
    if (arena_exhausted(p->a))
        return RC_LIMIT;
    if (p->n > 0)
        qsort(p->v, p->n, sizeof *p->v, by_bytes);
    for (size_t i = 0; i < p->n && n < NAME_PAGE_MAX && bytes + p->v[i].n <= NAME_PAGE_BYTES; i++) {
        if (n > 0 && str_eq(p->v[i], p->v[n - 1]))
            continue;
        bytes += p->v[i].n;
        p->v[n++] = p->v[i];
    }
    p->n = n;
    return RC_OK;
}
