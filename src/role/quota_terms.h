/* quota_terms: what holds for one account's quota, by the settings and its own rules. */
#ifndef ROLE_QUOTA_TERMS_H
#define ROLE_QUOTA_TERMS_H

#include "account/identity.h"
#include "conf/conf.h"
#include "store/quota.h"

enum { MAIL_COUNTS_MAX = 64 }; /* accounts in one MAIL_COUNTS */

/* own: account_identity.quota. *ret holds views of all that is handed in; rules, created with
 * QUOTA_RULES_BYTES, gets the account's rules. */
void quota_terms_fill(const struct conf *c, const char *account, const char *own, struct buf *rules,
                      struct quota_terms *ret);

/* Where there are programs for warnings, has mailbox asked for them over its link, of which *link is the
 * descriptor, as long as *q is used. */
void quota_terms_run(const struct conf *c, int *link, struct quota_terms *q);

/* What its domain has together (auth opened the file; -1: nothing is counted) bounds the account, too; what
 * the account has is told to mailbox over its link. Both descriptors are used as long as *q is. */
void quota_terms_domain(const struct conf *c, const int *total, int *link, struct quota_terms *q);

#endif
