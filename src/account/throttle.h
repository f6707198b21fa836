/* throttle: how often something happened lately, for very many keys in fixed memory.
 *
 * A key's level is a time span that runs off by itself (a leaky bucket): an event adds to it, and the caller
 * refuses at its limit. When the table is full the key with the lowest level of its row is forgotten. Time is
 * handed in. Not thread-safe. */
#ifndef ACCOUNT_THROTTLE_H
#define ACCOUNT_THROTTLE_H

#include "base/clock.h"
#include "base/str.h"

enum { THROTTLE_ROWS = 4096, THROTTLE_WAYS = 4 };

struct throttle;

struct throttle *throttle_new(void);
struct throttle *throttle_free(struct throttle *t); /* accepts NULL, returns NULL */
/* What is left of the key's span at now; 0: nothing. */
msec throttle_level(const struct throttle *t, uint64_t key, msec now);
/* Adds span, up to max in all. */
void throttle_add(struct throttle *t, uint64_t key, msec now, msec span, msec max);
void throttle_clear(struct throttle *t, uint64_t key);

#endif
