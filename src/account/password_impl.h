/* password_impl: what password.c, the one user of libxcrypt and libargon2, does for password_make.c. */
#ifndef ACCOUNT_PASSWORD_IMPL_H
#define ACCOUNT_PASSWORD_IMPL_H

#include "account/password.h"

/* Appends the hash of crypt(3), without a scheme's name; prefix: "$6$", rounds: 0 for the usual number.
 * RC_INVALID: a NUL in the password; RC_LIMIT: too long; RC_PERM: not with these rounds. */
MUST_USE enum rc password_crypt(const char *prefix, unsigned rounds, str password, struct buf *ret);
/* Appends "{ARGON2ID}$argon2id$...". */
MUST_USE enum rc password_argon2id(str password, struct buf *ret);

#endif
