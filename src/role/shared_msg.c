#include "role/shared_msg.h"

#include "account/identity.h"

void shared_put_names(struct buf *b, const str *names, size_t n)
{
    must(n <= SHARED_NAMES_MAX);
    ipc_put_u32(b, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        ipc_put_str(b, names[i]);
}

enum rc shared_get_names(struct ipc_msg *m, struct arena *a, str **ret, size_t *ret_n)
{
    uint32_t n = ipc_get_u32(m);
    if (n > SHARED_NAMES_MAX)
        return RC_INVALID;
    str *v = arena_array(a, n + 1u, sizeof *v);
    for (uint32_t i = 0; i < n && v; i++)
        v[i] = arena_str(a, ipc_get_str(m, IDENTITY_ACCOUNT_MAX));
    if (!v || m->malformed || arena_exhausted(a))
        return RC_INVALID;
    *ret = v;
    *ret_n = n;
    return RC_OK;
}
