/* password: stored passwords: making one, and checking a password against all the forms that other servers
 * wrote.
 *
 * A stored password is "{SCHEME}data" as Dovecot writes it, or the bare form of crypt(3) ("$y$...") or of
 * argon2
 * ("$argon2id$..."). A bare word is never taken for a clear password. The one user of libxcrypt and
 * libargon2; thread-safe; copies of passwords are wiped. */
#ifndef ACCOUNT_PASSWORD_H
#define ACCOUNT_PASSWORD_H

#include "base/buf.h"

enum { PASSWORD_STORED_MAX = 1024 }; /* bytes of a stored form */

enum password_scheme {
    PASSWORD_YESCRYPT,
    PASSWORD_ARGON2ID,
    PASSWORD_SHA512_CRYPT,
    PASSWORD_BCRYPT,
    PASSWORD_SCRAM_SHA_256
};
/* The names that `password_scheme` in the configuration has. */
MUST_USE enum rc password_scheme_parse(str name, enum password_scheme *ret);

/* The form in which a new password is hashed (SASLprep). RC_INVALID: characters that no client could send the
 * same way (e says so); RC_LIMIT: too long; an empty one is RC_INVALID. */
MUST_USE enum rc password_prepare(str password, struct buf *ret, struct err *e);

/* Appends the stored form of a prepared password. RC_INVALID: it contains a NUL; RC_LIMIT: too long for the
 * scheme. */
MUST_USE enum rc password_hash(enum password_scheme scheme, str prepared, struct buf *ret);

/* The same in the scheme that Dovecot calls so ("SSHA512", any case), of the password as it is, with the
 * scheme's name in front. rounds: of schemes of crypt(3); 0: as they come. RC_GONE: there is no such scheme,
 * or it is checked but not made; RC_PERM: not with these rounds; RC_INVALID, RC_LIMIT as above. */
MUST_USE enum rc password_make(str scheme, str password, unsigned rounds, struct buf *ret);
void password_each_maker(void (*fn)(void *ctx, const char *name), void *ctx); /* their names, sorted */

/* Whether the password, as typed or prepared, is the stored one.
 * RC_OK; RC_PERM: it is not; RC_INVALID: the stored form is of no known scheme or is damaged. */
MUST_USE enum rc password_verify(str stored, str password);

/* Whether whoever reads the stored form has the password at once, or soon: clear ones, and digests that are
 * made fast. */
bool password_is_weak(str stored);

/* Whether this is a stored form that password_verify knows, so that a pasted hash can be checked when it is
 * added. */
bool password_is_stored_form(str stored);

#endif
