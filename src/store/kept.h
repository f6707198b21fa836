/* kept: expunged messages that are kept for a while (store_conf.kept_ms, in whole days), for administrators
 * to bring back. They lie in the Maildir, in `..malle-expunged/DAY/MAILBOX/`: DAY is the day (UTC) of the
 * expunge as days since 1970, MAILBOX the folder's name, "INBOX" of INBOX. No quota counts them, and no
 * session sees them. */
#ifndef STORE_KEPT_H
#define STORE_KEPT_H

#include "store/store.h"

/* Calls fn for each day and mailbox that has some, with their number. RC_TEMP with e. */
MUST_USE enum rc store_kept_each(struct store *st,
                                 void (*fn)(void *ctx, int64_t day, str mailbox, uint64_t messages),
                                 void *ctx, struct err *e);

struct undeleted {
    unsigned mailboxes;
    uint64_t messages, failed; /* failed: these stay where they are */
};
/* Puts what was expunged on that day or later back into the mailbox it was in (mailbox: that one alone,
 * STR_NONE: all), which is made where it is missing. Messages get new UIDs; their flags but \Deleted,
 * keywords and dates are those they had. Not RC_OK: e says why it broke off; *ret tells what was done before.
 */
MUST_USE enum rc store_undelete(struct store *st, str mailbox, int64_t since_day, struct undeleted *ret,
                                struct err *e);

#endif
