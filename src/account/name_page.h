/* name_page: the users of a database in pages: of names that come in any order, the next ones in the order of
 * their bytes. All lies in the arena. */
#ifndef ACCOUNT_NAME_PAGE_H
#define ACCOUNT_NAME_PAGE_H

#include "base/arena.h"
#include "base/str.h"

enum {
    NAME_PAGE_MAX = 1000,       /* names of one page */
    NAME_PAGE_BYTES = 48 << 10, /* and their bytes */
    NAME_PAGE_ARENA = 64 << 20, /* enough for the names of a million users */
};

struct name_page {
    struct arena *a;
    str after; /* only those behind this one count */
    str *v;
    size_t n;
};

/* ctx: the struct name_page. Names of no use (empty, too long, with a NUL) are left out. */
void name_page_add(void *ctx, str name);
/* Leaves what makes the page, without doubles. RC_LIMIT: the arena is exhausted. */
MUST_USE enum rc name_page_cut(struct name_page *p);

#endif
