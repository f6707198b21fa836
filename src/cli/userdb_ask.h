/* userdb_ask: who a user is, for programs that are not root: asked of the running server over its listener of
 * the protocol auth-userdb, which tells everybody of itself, and its owner of all. */
#ifndef CLI_USERDB_ASK_H
#define CLI_USERDB_ASK_H

#include "account/identity.h"
#include "conf/conf.h"

/* RC_OK; RC_GONE: there is no such user, or not for who asks; RC_TEMP with e: there is no such listener, it
 * cannot be reached, or it has no answer now. The groups are those that the process has. */
MUST_USE enum rc userdb_ask(const struct conf *c, const char *name, struct account_identity *ret,
                            struct err *e);

#endif
