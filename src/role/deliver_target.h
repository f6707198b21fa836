/* deliver_target: the Maildirs that this deliver process writes to, by account, kept open for some seconds.
 * Who an account is comes from auth, never from the process that asks for the delivery. Thread-safe. */
#ifndef ROLE_DELIVER_TARGET_H
#define ROLE_DELIVER_TARGET_H

#include "account/identity.h"

struct target_cache;
struct target;

/* uid: the only one whose accounts are accepted. root: the folder that this process has as its root from here
 * on; mail_root: the one below which the mail of the uid lies; both must outlive the cache. */
struct target_cache *target_cache_new(uid_t uid, const char *root, const char *mail_root);
/* A channel to auth, owned by the cache from here on; replaces the one before. */
void target_cache_set_auth(struct target_cache *tc, int fd);

/* The account's Maildir, opened and made when missing. RC_PERM: no such account here; RC_TEMP. */
MUST_USE enum rc target_find(struct target_cache *tc, str account, struct target **ret, struct err *e);
void target_forget(struct target_cache *tc, str account);
void target_release(struct target **t); /* accepts NULL */
int target_dir(const struct target *t);
/* The Maildir below the mail root, "" when it is the mail root itself or lies elsewhere. */
str target_path(const struct target *t);
/* The device of tmp/, new/ and cur/; 0 when they lie on several. */
dev_t target_device(const struct target *t);
const char *target_account(const struct target *t);
const char *target_quota(const struct target *t); /* account_identity.quota */
/* What its domain has together (quota_terms_domain). */
const int *target_domain_total(const struct target *t);

#endif
