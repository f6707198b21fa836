/* Who shares mailboxes with whom. */
#include "account/resolve.h"
#include "account/shared_with.h"
#include "base/log.h"
#include "role/auth_impl.h"
#include "role/ipc.h"
#include "role/shared_msg.h"

enum { ARENA_BYTES = 1 << 20 };

enum rc auth_shared_with(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_BYTES);
    const struct account_lookup *l = atomic_load(&p->server->lookup);
    struct err e = {0};
    str *users, owner = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
    size_t n;
    if (shared_get_names(m, a, &users, &n) != RC_OK || ipc_end(m) != RC_OK)
        return RC_INVALID;
    e.rc = shared_with_set(l->db, owner, users, n, &e);
    if (e.rc != RC_OK)
        log_error("with whom " STR_FMT " shares mailboxes: %s", STR_ARG(owner), err_text(&e));
    ipc_begin(reply, MSG_SHARED_KEPT);
    ipc_put_err(reply, &e);
    return RC_OK;
}

enum rc auth_shared_find(const struct auth_peer *p, struct ipc_msg *m, struct buf *reply)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_BYTES);
    const struct account_lookup *l = atomic_load(&p->server->lookup);
    struct err e = {0};
    str *owners = NULL, user = ipc_get_str(m, IDENTITY_ACCOUNT_MAX);
    size_t n = 0;
    if (ipc_end(m) != RC_OK)
        return RC_INVALID;
    e.rc = shared_with_find(l->db, user, SHARED_NAMES_MAX, a, &owners, &n, &e);
    if (e.rc != RC_OK)
        log_error("who shares mailboxes with " STR_FMT ": %s", STR_ARG(user), err_text(&e));
    ipc_begin(reply, MSG_SHARED_FOUND);
    ipc_put_err(reply, &e);
    shared_put_names(reply, owners, n);
    return RC_OK;
}
