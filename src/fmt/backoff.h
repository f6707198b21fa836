/* backoff: when a deferred recipient is tried again (RFC 5321 §4.5.4.1). */
#ifndef FMT_BACKOFF_H
#define FMT_BACKOFF_H

#include "base/clock.h"

struct backoff {
    msec minimal, maximal; /* 0 < minimal <= maximal */
};

/* The time from now to the next attempt. age: since the message arrived, at least 0; attempts: made so far,
 * with the one that just failed, at least 1; random: evenly distributed in [0, 1).
 *
 * minimal, doubled by each attempt after the first; or the age, where that is longer, so that what lay still
 * while the server was down does not begin anew. Spread by a quarter up and down, so that what failed
 * together does not come back together. Always within [minimal, maximal]; for one random it never falls when
 * age or attempts grow. */
msec backoff_next(const struct backoff *b, msec age, unsigned attempts, double random);

#endif
