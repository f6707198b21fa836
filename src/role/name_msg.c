/* USERDB_ACCOUNTS of a page of names. */
#include "role/name_msg.h"

#include "role/ipc.h"

void name_msg_put(struct buf *b, struct name_page *page, struct err *e)
{
    if (e->rc == RC_OK && name_page_cut(page) != RC_OK) {
        e->rc = err_set(e, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
        err_note(e, "there are more users than can be listed");
    }
    ipc_begin(b, MSG_USERDB_ACCOUNTS);
    ipc_put_err(b, e);
    ipc_put_u32(b, e->rc == RC_OK ? (uint32_t)page->n : 0);
    for (size_t i = 0; e->rc == RC_OK && i < page->n; i++)
        ipc_put_str(b, page->v[i]);
}
