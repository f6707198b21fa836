/* rcpt_cache: where auth said, within the last second, that addresses lead. Bursts of mail to the same
 * recipients then cost one question a second each instead of two switches between processes a message. That
 * an address is nobody's here is not kept: one that was just added counts at once. One that was just removed
 * is refused a second later, and by deliver; a domain that was just added is ours a second later for
 * addresses that were asked for just before. Thread-safe; fixed size. */
#ifndef ROLE_RCPT_CACHE_H
#define ROLE_RCPT_CACHE_H

#include "base/buf.h"
#include "base/clock.h"

enum { RCPT_CACHE_TTL_MS = 1000, RCPT_CACHE_ANSWER_MAX = 768, RCPT_CACHE_ADDRESS_MAX = 255 };

struct rcpt_cache;

struct rcpt_cache *rcpt_cache_new(void);
struct rcpt_cache *rcpt_cache_free(struct rcpt_cache *c); /* accepts NULL, returns NULL */
/* Appends the answer's bytes to out; false when it is not known. *ret_rc: RC_OK, it is here; RC_GONE,
 * elsewhere. */
bool rcpt_cache_find(struct rcpt_cache *c, str address, msec now, struct buf *out, enum rc *ret_rc);
/* Keeps it, unless one of both is longer than the limits above. */
void rcpt_cache_put(struct rcpt_cache *c, str address, enum rc rc, str answer, msec now);
void rcpt_cache_clear(struct rcpt_cache *c);

#endif
