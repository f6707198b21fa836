/* Tables from the text of aliases(5). Postfix's marks "@", YP_LAST_MODIFIED and YP_MASTER_NAME, which only
 * NIS and sendmail read, are not made. */
#include "table/postmap.h"

#include "fmt/aliases.h"

enum { ENTRY_ARENA = 64 << 20 };

enum rc postmap_read_aliases(struct postmap *p, str text, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(ENTRY_ARENA);
    struct aliases_iter it = aliases_iter(text);
    struct alias alias;
    struct err why;
    enum rc rc;
    while ((rc = aliases_next(&it, a, &alias, &why)) != RC_GONE) {
        if (rc != RC_OK)
            postmap_warn(p, "%s -- ignoring this line", why.peer);
        else if ((rc = postmap_put(p, alias.name, alias.text, (int)alias.line, e)) != RC_OK)
            return rc;
        arena_reset(a);
    }
    return RC_OK;
}
