/* rcpt_targets: what RCPT_REPLY says behind its err: where an address leads. */
#ifndef ROLE_RCPT_TARGETS_H
#define ROLE_RCPT_TARGETS_H

#include "os/ipc.h"
#include "smtp/smtp_env.h"

enum rcpt_flag {
    RCPT_REMOTE = 1,
    RCPT_OWNER_AS_BEFORE = 2, /* the list has the owner of the target before this one: it is not repeated */
    RCPT_VIA = 4,             /* its via follows */
    RCPT_LIMITED = 8          /* the mailbox has a quota */
};

/* At least one target, in the arena; RC_INVALID when malformed. */
MUST_USE enum rc rcpt_targets_get(struct ipc_msg *m, struct arena *a, struct smtp_target **ret,
                                  size_t *ret_n);

#endif
