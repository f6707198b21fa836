/* shared_msg: names of accounts in the messages about mailboxes that users share: u32 count, count times s.
 */
#ifndef ROLE_SHARED_MSG_H
#define ROLE_SHARED_MSG_H

#include "base/arena.h"
#include "os/ipc.h"

enum { SHARED_NAMES_MAX = 200 };

void shared_put_names(struct buf *b, const str *names, size_t n); /* at most SHARED_NAMES_MAX */
/* In the arena. RC_INVALID: malformed. */
MUST_USE enum rc shared_get_names(struct ipc_msg *m, struct arena *a, str **ret, size_t *ret_n);

#endif
