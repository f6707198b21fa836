/* shared_with: which accounts share mailboxes with whom, as their sessions said it last. It is no more than
 * where to look: what somebody may do there is looked up with the owner's mail. Thread-safe; results as in
 * account.h. */
#ifndef ACCOUNT_SHARED_WITH_H
#define ACCOUNT_SHARED_WITH_H

#include "account/account.h"

/* All with whom `owner` shares any; "anyone" is everybody. Not durable. */
MUST_USE enum rc shared_with_set(struct account_db *db, str owner, const str *users, size_t n, struct err *e);
/* At most max other accounts that share with the user, in order; in the arena. */
MUST_USE enum rc shared_with_find(struct account_db *db, str user, size_t max, struct arena *a, str **ret,
                                  size_t *ret_n, struct err *e);

#endif
