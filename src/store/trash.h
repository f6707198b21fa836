/* trash: the oldest messages of some mailboxes go where somebody would be refused for lack of room, as with
 * Dovecot's plugin trash. They go as when another program removes them; sessions see that at their next look.
 * Internal to the quota. */
#ifndef STORE_TRASH_H
#define STORE_TRASH_H

#include "store/quota.h"

struct trash_wish {
    /* Whether there is room once the account has no more than this. */
    bool (*fits)(void *ctx, const struct quota_use *use);
    void *ctx;
    bool asked; /* nothing is removed */
};

/* Removes messages of q->trash, from the mailbox with the lowest number on and the oldest of those with one
 * number first, until it fits; none where all of them would not do. What is in \Deleted or unread makes no
 * difference. use: what there is. Whether it fits now, or would. */
bool trash_empty(int root_fd, const struct quota_terms *q, const struct trash_wish *w,
                 const struct quota_use *use);

#endif
