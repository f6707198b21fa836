/* account: the account database (domains, accounts, aliases) and what an address leads to.
 *
 * One SQLite file that belongs to the role `auth`; the command line opens it too, and the server sees changes
 * at once. All functions are thread-safe (one lock per handle). Addresses are taken in any form and stored as
 * account/address says. Results: RC_OK; RC_GONE not there; RC_PERM refused, e says why in words for an
 * administrator; RC_INVALID no address; RC_TEMP or RC_LIMIT the database failed. */
#ifndef ACCOUNT_ACCOUNT_H
#define ACCOUNT_ACCOUNT_H

#include "account/address.h"
#include "account/password.h"
#include "base/arena.h"

struct conf;
struct account_db;

/* --- the database --- */
#define ACCOUNT_DB_NAME "accounts.db" /* in the folder `auth` of state_dir */
/* create: makes the file (0600) when missing; without it RC_GONE. */
MUST_USE enum rc account_db_open(const char *path, bool create, struct account_db **ret, struct err *e);
struct account_db *account_db_close(struct account_db *db); /* accepts NULL, returns NULL */
void account_db_closep(struct account_db **db);
enum { ACCOUNT_KEY_SIZE = 32 };
/* A random key that lives as long as the database (for salts of accounts that do not exist). */
void account_db_key(const struct account_db *db, unsigned char ret[ACCOUNT_KEY_SIZE]);

/* --- accounts --- */
/* What is stored of a password. Wipe it after use: account_secret_wipe. */
struct account_secret {
    char hash[PASSWORD_STORED_MAX + 1];        /* password.h */
    char scram_sha_1[PASSWORD_STORED_MAX + 1]; /* scram_keys.h; "" for none */
    char scram_sha_256[PASSWORD_STORED_MAX + 1];
};
/* From a new password: its hash and the keys for both SCRAMs. RC_INVALID, RC_LIMIT: e says what is wrong with
 * it. */
MUST_USE enum rc account_secret_make(enum password_scheme scheme, str password, struct account_secret *ret,
                                     struct err *e);
/* From a hash of another server. RC_INVALID: of no known form. */
MUST_USE enum rc account_secret_import(str hash, struct account_secret *ret, struct err *e);
void account_secret_wipe(struct account_secret *s); /* usable with AUTO */

/* How much mail; each of both 0: as the domain says, or else the option quota_rule. */
enum { ACCOUNT_UNLIMITED = -1 };
struct account_quota {
    int64_t bytes, messages;
};

struct account {
    char address[ADDRESS_MAX + 1];
    struct account_secret secret;
    struct account_quota quota, domain_quota;
    bool enabled;
    int64_t created, changed; /* seconds since 1970 */
};
MUST_USE enum rc account_find(struct account_db *db, str address, struct account *ret, struct err *e);
/* quota: NULL, as both 0. */
MUST_USE enum rc account_add(struct account_db *db, str address, const struct account_secret *secret,
                             const struct account_quota *quota, struct err *e);
MUST_USE enum rc account_set_secret(struct account_db *db, str address, const struct account_secret *secret,
                                    struct err *e);
MUST_USE enum rc account_set_enabled(struct account_db *db, str address, bool enabled, struct err *e);
MUST_USE enum rc account_set_quota(struct account_db *db, str address, const struct account_quota *quota,
                                   struct err *e);
/* The account's rules in the form of account_identity.quota; "" when quota_rule alone counts. */
void account_put_quota(const struct conf *c, const struct account *a, struct buf *out);
MUST_USE enum rc account_del(struct account_db *db, str address, struct err *e);
/* The account that was added first, of a domain or (domain empty) of all; enabled ones only. */
MUST_USE enum rc account_first(struct account_db *db, str domain, struct address_key *ret, struct err *e);
/* Calls fn for each account in order of address, of one domain or (domain empty) of all. fn must not use db.
 */
MUST_USE enum rc account_each(struct account_db *db, str domain,
                              void (*fn)(void *ctx, const struct account *a), void *ctx, struct err *e);
/* The enabled accounts behind `after` (empty: from the first on) in order of address; *ret_n 0: those were
 * all. */
enum { ACCOUNT_PAGE = 100 };
MUST_USE enum rc account_page(struct account_db *db, str after, struct address_key ret[ACCOUNT_PAGE],
                              size_t *ret_n, struct err *e);

/* --- aliases: "local@domain", or "@domain" for whatever is not there otherwise --- */
/* target: an address, a user of the system, or "@domain" (the same local part there). */
MUST_USE enum rc alias_add(struct account_db *db, str address, str target, struct err *e);
/* One target, or (target empty) all of them. */
MUST_USE enum rc alias_del(struct account_db *db, str address, str target, struct err *e);
/* The targets, from the arena; RC_GONE when it is no alias. RC_LIMIT: more than max. */
MUST_USE enum rc alias_find(struct account_db *db, const struct address_key *key, size_t max, struct arena *a,
                            str **ret, size_t *ret_n, struct err *e);
MUST_USE enum rc alias_each(struct account_db *db, str domain, void (*fn)(void *ctx, str address, str target),
                            void *ctx, struct err *e);

/* --- domains that were added beside those of the configuration --- */
MUST_USE enum rc domain_add(struct account_db *db, str domain, struct err *e);
/* RC_PERM while it has accounts or aliases. */
MUST_USE enum rc domain_del(struct account_db *db, str domain, struct err *e);
MUST_USE enum rc domain_find(struct account_db *db, str domain, struct err *e);
/* Both 0: it is deleted. The domain need not be known. */
MUST_USE enum rc domain_set_quota(struct account_db *db, str domain, const struct account_quota *quota,
                                  struct err *e);
/* Both 0 when there is none. */
MUST_USE enum rc domain_find_quota(struct account_db *db, str domain, struct account_quota *ret,
                                   struct err *e);
MUST_USE enum rc domain_each(struct account_db *db, void (*fn)(void *ctx, str domain, int64_t created),
                             void *ctx, struct err *e);

#endif
