/* The messages between roles, numbered as in ipc.def. */
#ifndef ROLE_IPC_H
#define ROLE_IPC_H

#include "os/ipc.h"

enum ipc_type {
#define IPC(number, name, sender, receiver, fields, permitted) MSG_##name = number,
#include "role/ipc.def"
#undef IPC
};

/* "RCPT_LOOKUP", or "?" */
const char *ipc_type_name(uint16_t type);

/* struct err as the table calls it: u32 rc, u32 code, s enhanced, s peer, s log. */
void ipc_put_err(struct buf *b, const struct err *e);
void ipc_get_err(struct ipc_msg *m, struct err *ret); /* a malformed or unknown rc reads as RC_TEMP */

#endif
