/* pam: passwords of users of the system through PAM, and their passwd entries. Only for the single-threaded
 * role auth-worker, which runs administrators' modules and is not confined. */
#ifndef ACCOUNT_PAM_H
#define ACCOUNT_PAM_H

#include "account/identity.h"

enum { PAM_USER_MAX = 64, PAM_PASSWORD_MAX = 256 };

/* RC_OK: the password is right and the account may be used now. RC_PERM: it is not; RC_TEMP: PAM failed;
 * e->log says why. Delays of PAM modules are switched off: `auth` holds answers back itself. */
MUST_USE enum rc pam_check(const char *service, str user, str password, str client_ip, struct err *e);

/* Fills account, system, uid, gid, groups (never root's) and home. RC_GONE: no such user; RC_PERM: an entry
 * that gives no usable home or ids, e says why; RC_TEMP. The uid is not judged here. */
MUST_USE enum rc passwd_find(str user, struct account_identity *ret, struct err *e);

/* The name of the user with that uid. RC_GONE: none, or longer than PAM_USER_MAX; RC_TEMP with e. */
MUST_USE enum rc passwd_name(uid_t uid, char ret[PAM_USER_MAX + 1], struct err *e);

#endif
