/* domain_total: how much mail all accounts of a domain may have together, and have.
 *
 * What each account has comes from whoever changed it, as a whole and not as a difference: so what was lost
 * on the way comes with its next change. The sum lies in a file for each domain, too, of which processes that
 * may not ask for it hold a descriptor (store/quota.h). Thread-safe; results as in account.h. */
#ifndef ACCOUNT_DOMAIN_TOTAL_H
#define ACCOUNT_DOMAIN_TOTAL_H

#include "account/account.h"
#include "fmt/quota_rule.h"

struct domain_total {
    struct quota_limits limits; /* 0: none */
    struct quota_use used;
};
struct account_use {
    str account;
    struct quota_use use;
};

/* Of all accounts of the domain, these have mail. Without a limit the domain has no total any more. The
 * domain need not be known. */
MUST_USE enum rc domain_total_set(struct account_db *db, str domain, const struct quota_limits *limits,
                                  const struct account_use *v, size_t n, struct err *e);
/* RC_GONE: it has none. */
MUST_USE enum rc domain_total_find(struct account_db *db, str domain, struct domain_total *ret,
                                   struct err *e);
/* The same of the account's domain. */
MUST_USE enum rc domain_total_of(struct account_db *db, str account, struct domain_total *ret, struct err *e);

/* What these accounts have now; those of domains without a total do not count. fn (or NULL) is called for
 * each that counts with the total before and after it, and must not use db. Not durable. */
MUST_USE enum rc domain_total_note(struct account_db *db, const struct account_use *v, size_t n,
                                   void (*fn)(void *ctx, str domain, const struct domain_total *before,
                                              const struct domain_total *after),
                                   void *ctx, struct err *e);

/* The file of the account's domain (fmt/maildirsize.h, maildirsize_put_total), read-only and the caller's;
 * -1: its domain has no total, or *e says why there is none to be had. */
int domain_total_open(struct account_db *db, str account, struct err *e);

#endif
