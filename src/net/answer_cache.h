/* answer_cache: answers of the DNS by question, and who waits for them. Thread-safe.
 *
 * States of a question: pending (asked, nobody knows), answered, failed; answered and failed ones are
 * forgotten when they expire, or earlier when there are too many. Its life: cache_ask makes it pending and
 * says `asks` to the one thread that must really ask; cache_settle answers it; every cache_ask ends with
 * cache_wait, whose deadline may be over. */
#ifndef NET_ANSWER_CACHE_H
#define NET_ANSWER_CACHE_H

#include "net/resolver.h"

struct answer_cache;
struct question;

struct cache_limits {
    size_t questions; /* remembered in all */
    size_t pending;   /* of these */
    size_t bytes;     /* of all answers */
};

struct answer_cache *answer_cache_new(struct cache_limits limits);
struct answer_cache *answer_cache_free(struct answer_cache *c); /* nobody waits; accepts NULL, returns NULL */

/* Finds or makes the question. RC_LIMIT: too many are pending. */
MUST_USE enum rc cache_ask(struct answer_cache *c, str name, enum dns_type type, struct question **ret,
                           bool *ret_asks);
/* Waits until the question is settled, and lets go of it. RC_TEMP: not before the deadline, or it failed. */
MUST_USE enum rc cache_wait(struct answer_cache *c, struct question *q, msec deadline,
                            const struct dns_answer **ret);
/* Whether it is settled, so that cache_wait would not wait. */
bool cache_is_settled(struct answer_cache *c, const struct question *q);
/* The answer (the cache's from here on), or NULL for a failure, to be remembered for ttl. */
void cache_settle(struct answer_cache *c, struct question *q, struct dns_answer *answer, msec ttl);

/* Copies records into a new answer. */
struct dns_answer *dns_answer_new(enum dns_security security, bool nxdomain, const str *rdata, size_t n,
                                  str why);

#endif
