/* mask: addresses of the account database that stand alone: masked ones, which lead to an account without
 * telling anybody which, and blocked ones, for which mail is refused although the catch-all or a table would
 * take it. Results as in account.h. */
#ifndef ACCOUNT_MASK_H
#define ACCOUNT_MASK_H

#include "account/account.h"

enum { MASK_NOTE_MAX = 200 };

struct mask {
    char address[ADDRESS_MAX + 1];
    char account[ADDRESS_MAX + 1]; /* "": blocked */
    char note[MASK_NOTE_MAX +
              1]; /* whose the address is; of a blocked one the words of the refusal; may be empty */
    int64_t created, expires; /* seconds since 1970; expires 0: never */
    bool enabled;
};

/* A random address in the account's domain. RC_GONE: no such account. */
MUST_USE enum rc mask_make(struct account_db *db, str account, str note, int64_t expires, struct mask *ret,
                           struct err *e);
/* RC_PERM: it is masked or blocked already. */
MUST_USE enum rc mask_block(struct account_db *db, str address, str note, struct err *e);
MUST_USE enum rc mask_find(struct account_db *db, const struct address_key *key, struct mask *ret,
                           struct err *e);
MUST_USE enum rc mask_set_enabled(struct account_db *db, str address, bool enabled, struct err *e);
MUST_USE enum rc mask_del(struct account_db *db, str address, struct err *e);
/* Each in order of address, of one domain or (domain empty) of all. fn must not use db. */
MUST_USE enum rc mask_each(struct account_db *db, str domain, void (*fn)(void *ctx, const struct mask *m),
                           void *ctx, struct err *e);
/* Whether mail for it is taken now. */
bool mask_is_open(const struct mask *m, int64_t now);

#endif
