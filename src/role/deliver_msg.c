/* Reading a DELIVER_PREPARE, whose sender may be taken over: every number has its limit before it is used. */
#include "role/deliver_msg.h"

enum rc deliver_request_get(struct ipc_msg *m, struct deliver_request *ret)
{
    *ret = (struct deliver_request){.id = ipc_get_str(m, DELIVER_ID_MAX)};
    ret->commit = ipc_get_u32(m);
    ret->again = ipc_get_u32(m) == 1;
    ret->deadline = (msec)ipc_get_u64(m);
    ret->trace = ipc_get_str(m, DELIVER_TRACE_MAX);
    ret->bytes = ipc_get_u64(m);
    ret->lines = ipc_get_u64(m);
    ret->content = ipc_get_str(m, DELIVER_INLINE_MAX);
    ret->count = ipc_get_u32(m);
    ret->content_fd = m->n_fds > 0 ? ipc_take_fd(m) : -1;
    if (m->malformed || ret->count < 1 || ret->count > DELIVER_BATCH_MAX || ret->commit > DELIVER_COMMIT_EACH)
        return RC_INVALID;
    if (ret->content_fd < 0 && ret->content.n != ret->bytes)
        return RC_INVALID;
    return str_chr(ret->id, '\0') < 0 ? RC_OK : RC_INVALID;
}
