/* Names of messages, and struct err on the wire. */
#include "role/ipc.h"

const char *ipc_type_name(uint16_t type)
{
    switch (type) {
#define IPC(number, name, sender, receiver, fields, permitted) \
    case number:                                               \
        return #name;
#include "role/ipc.def"
#undef IPC
    default:
        return "?";
    }
}

void ipc_put_err(struct buf *b, const struct err *e)
{
    ipc_put_u32(b, (uint32_t)e->rc);
    ipc_put_u32(b, (uint32_t)e->code);
    ipc_put_str(b, str_c(e->enhanced));
    ipc_put_str(b, str_c(e->peer));
    ipc_put_str(b, str_c(e->log));
}

void ipc_get_err(struct ipc_msg *m, struct err *ret)
{
    struct err e = {0};
    uint32_t rc = ipc_get_u32(m);
    e.rc = rc <= RC_GONE ? (enum rc)rc : RC_TEMP;
    e.code = (int)(ipc_get_u32(m) % 1000);
    bool fits = str_copy(e.enhanced, sizeof e.enhanced, ipc_get_str(m, sizeof e.enhanced - 1)) == RC_OK;
    fits = str_copy(e.peer, sizeof e.peer, ipc_get_str(m, sizeof e.peer - 1)) == RC_OK && fits;
    fits = str_copy(e.log, sizeof e.log, ipc_get_str(m, sizeof e.log - 1)) == RC_OK && fits;
    if (!fits)
        m->malformed = true;
    if (m->malformed)
        e.rc = RC_TEMP;
    *ret = e;
}
