#include "role/rcpt_targets.h"

#include "account/identity.h"
#include "fmt/via.h"

enum rc rcpt_targets_get(struct ipc_msg *m, struct arena *a, struct smtp_target **ret, size_t *ret_n)
{
    uint32_t n = ipc_get_u32(m);
    if (n == 0 || n > SMTP_TARGETS_MAX)
        return RC_INVALID;
    struct smtp_target *t = arena_array(a, n, sizeof *t);
    for (uint32_t i = 0; t && i < n; i++) {
        uint32_t flags = ipc_get_u32(m);
        t[i].remote = flags & RCPT_REMOTE;
        t[i].limited = flags & RCPT_LIMITED;
        t[i].account = arena_str(a, ipc_get_str(m, IDENTITY_ACCOUNT_MAX));
        t[i].uid = ipc_get_u32(m);
        t[i].address = arena_str(a, ipc_get_str(m, IDENTITY_ACCOUNT_MAX));
        if (flags & RCPT_OWNER_AS_BEFORE)
            t[i].sender = i > 0 ? t[i - 1].sender : STR_NONE;
        else
            t[i].sender = arena_str(a, ipc_get_str(m, IDENTITY_ACCOUNT_MAX));
        if (flags & RCPT_VIA)
            t[i].via = arena_str(a, ipc_get_str(m, VIA_MAX));
    }
    if (!t || arena_exhausted(a) || ipc_end(m) != RC_OK)
        return RC_INVALID;
    *ret = t;
    *ret_n = n;
    return RC_OK;
}
