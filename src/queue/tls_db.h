/* tls_db: what is remembered of TLS at other domains: their MTA-STS policies (RFC 8461 §5), and how sessions
 * with their servers went, for reports (RFC 8460). A database of its own beside the queue's; thread-safe.
 *
 * Losing it costs nothing but protection against somebody who is in between at that very time, so writes are
 * not synced one by one. Times are seconds since 1970. */
#ifndef QUEUE_TLS_DB_H
#define QUEUE_TLS_DB_H

#include "base/arena.h"
#include "fmt/mta_sts.h"
#include "fmt/tlsrpt.h"

struct tls_db;

enum { TLS_DB_POLICIES_MAX = 10000, TLS_DB_COUNTS_MAX = 50000, TLS_DB_DAYS = 15 };

MUST_USE enum rc tls_db_open(const char *path, struct tls_db **ret, struct err *e);
struct tls_db *tls_db_close(struct tls_db *t); /* accepts NULL, returns NULL */
void tls_db_closep(struct tls_db **t);

/* --- policies --- */

struct tls_db_policy {
    str domain, id, text;     /* text: as mta_sts_format makes it */
    int64_t expires, refresh; /* refresh: when it is to be fetched again, whether it is used or not */
};

/* The policy of a domain, in the arena. RC_GONE: none is known. */
MUST_USE enum rc tls_db_find(struct tls_db *t, str domain, struct arena *a, struct tls_db_policy *ret,
                             struct err *e);
/* The policy to be fetched again first, now or later; what has expired before `now` is forgotten. */
MUST_USE enum rc tls_db_find_due(struct tls_db *t, int64_t now, struct arena *a, struct tls_db_policy *ret,
                                 struct err *e);
/* Keeps it in place of what was known of the domain. RC_LIMIT: there are too many of other domains. */
MUST_USE enum rc tls_db_put(struct tls_db *t, const struct tls_db_policy *p, struct err *e);

/* --- counts --- */

struct tls_db_count {
    int64_t day; /* since 1970, UTC */
    str domain;  /* the policy's */
    enum tlsrpt_policy policy;
    enum tlsrpt_result result;
    str mx; /* the host, "" when the failure came before there was one */
    int64_t sessions;
};

/* One session more. Days older than TLS_DB_DAYS are forgotten. RC_LIMIT: there are too many rows. */
MUST_USE enum rc tls_db_add(struct tls_db *t, const struct tls_db_count *c, struct err *e);
/* Calls fn for every count, the latest day first. Texts are valid during the call. */
MUST_USE enum rc tls_db_each(struct tls_db *t, void (*fn)(void *ctx, const struct tls_db_count *c), void *ctx,
                             struct err *e);

#endif
