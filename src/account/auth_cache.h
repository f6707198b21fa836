/* auth_cache: passwords that were verified lately, as keyed hashes, so that a client that logs in often does
 * not cost a password hash each time.
 *
 * The stored form is part of the hash: a changed password never matches what was remembered before. Only
 * successes are kept. Secret pages, wiped at the end; not thread-safe; time is handed in. */
#ifndef ACCOUNT_AUTH_CACHE_H
#define ACCOUNT_AUTH_CACHE_H

#include "base/clock.h"
#include "base/str.h"

enum { AUTH_CACHE_ENTRIES = 8192, AUTH_CACHE_MAC = 32 };

struct auth_cache;

struct auth_cache *auth_cache_new(void);
struct auth_cache *auth_cache_free(struct auth_cache *c); /* accepts NULL, returns NULL */
/* The keyed hash of the three; it says nothing without the cache's key. Needs no lock. */
void auth_cache_mac(const struct auth_cache *c, str account, str stored, str password,
                    unsigned char ret[AUTH_CACHE_MAC]);
bool auth_cache_has(const struct auth_cache *c, const unsigned char mac[AUTH_CACHE_MAC], msec now);
void auth_cache_put(struct auth_cache *c, const unsigned char mac[AUTH_CACHE_MAC], msec expires);
void auth_cache_clear(struct auth_cache *c);

#endif
