/* quota_recount: an account's messages and their bytes, from the names of its files. Internal to the quota.
 */
#ifndef STORE_QUOTA_RECOUNT_H
#define STORE_QUOTA_RECOUNT_H

#include "store/quota.h"

/* Counts all mailboxes but those that a rule ignores. *ret_still: nothing changed meanwhile. */
MUST_USE enum rc quota_sum(int root_fd, const struct quota_terms *q, struct quota_use *ret, bool *ret_still,
                           struct err *e);

#endif
