/* deliver_quota: room in the mailbox of somebody who gets a message. */
#ifndef ROLE_DELIVER_QUOTA_H
#define ROLE_DELIVER_QUOTA_H

#include "role/deliver_target.h"
#include "store/quota.h"

struct conf;

/* Whether a message of so many bytes fits now. RC_LIMIT, RC_PERM: no, with the reply in *e; RC_TEMP. */
MUST_USE enum rc deliver_room(const struct conf *c, const struct target *t, uint64_t bytes, bool asked,
                              struct err *e);
/* The same, and counts it: its file lies in tmp/ by then. */
MUST_USE enum rc deliver_take_room(const struct conf *c, const struct target *t, uint64_t bytes,
                                   struct quota_taken *ret, struct err *e);
/* kept: it is in the mailbox; else it is not counted any more. Does nothing where nothing was counted. */
void deliver_end_room(const struct conf *c, const struct target *t, struct quota_taken *taken, bool kept);

#endif
