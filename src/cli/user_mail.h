/* user_mail: the mail of one user, as programs see it that become that user: the Maildir itself, and the
 * store that sessions use. */
#ifndef CLI_USER_MAIL_H
#define CLI_USER_MAIL_H

#include "account/identity.h"
#include "conf/conf.h"
#include "store/store.h"

/* Becomes the user for good (root; anybody else must be that user already). RC_PERM with e. */
MUST_USE enum rc cli_become(const struct account_identity *id, struct err *e);

/* The same, and opens the Maildir, which is made when
 * it is missing; the descriptor is the caller's. RC_PERM: this process is somebody else; RC_TEMP. */
MUST_USE enum rc cli_open_maildir(const struct conf *c, const struct account_identity *id, int *ret_fd,
                                  struct err *e);

/* The same, and opens the store, in which quota (store/quota.h) counts, as long as it is open; NULL: none. */
MUST_USE enum rc cli_open_store(const struct conf *c, const struct account_identity *id,
                                const struct quota_terms *quota, struct store **ret, struct err *e);

#endif
