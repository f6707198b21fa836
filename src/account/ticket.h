/* ticket: 128 random bits that stand for an identity on its way from `auth` through `login` to `mailbox`
 * (design §2).
 *
 * A ticket is valid 10 s, once, and only from the login process that it was given to. The table lies in pages
 * that children do not inherit; what was redeemed or has expired is wiped. Thread-safe; time is handed in. */
#ifndef ACCOUNT_TICKET_H
#define ACCOUNT_TICKET_H

#include "account/identity.h"
#include "base/clock.h"

enum { TICKET_SIZE = 16, TICKET_TTL_MS = 10000 };

struct ticket_table;

struct ticket_table *ticket_table_new(size_t capacity);
struct ticket_table *ticket_table_free(struct ticket_table *t); /* accepts NULL, returns NULL */
/* login: number of the login process. RC_LIMIT: capacity tickets wait to be redeemed. */
MUST_USE enum rc ticket_issue(struct ticket_table *t, const struct account_identity *identity, uint32_t login,
                              msec now, unsigned char ret_ticket[TICKET_SIZE]);
/* RC_GONE: no such ticket, expired, redeemed before, or of another login process (which ends it, too). */
MUST_USE enum rc ticket_redeem(struct ticket_table *t, str ticket, uint32_t login, msec now,
                               struct account_identity *ret);

#endif
