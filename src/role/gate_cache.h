/* gate_cache: what clients have passed at the gate, in a file of fixed size that smtpd maps before it is
 * locked in. So a known client costs no question to another process, and what is known outlives the process.
 *
 * The file state_dir/gate-cache:
 *
 *   OFFSET SIZE MEANING
 *        0   16 "malle gate 1", a LF, zeroes
 *       16   16 the key of the hashes, random
 *       32    8 the number of buckets, little-endian
 *       40   24 zeroes
 *       64  512 a bucket: eight records (fmt/gate_record.h); further ones follow
 *
 * The keyed hash of an address says which bucket its record lies in; a record that is not whole is free. In a
 * full bucket the one goes that expires first. A file that is not as it should be is made anew. Thread-safe;
 * two processes at once may lose a record, but do not make one up. */
#ifndef ROLE_GATE_CACHE_H
#define ROLE_GATE_CACHE_H

#include "fmt/gate_record.h"

struct gate_cache;

/* Before the sandbox. entries: at least so many clients fit, or 0: the result is NULL. Without a state_dir
 * (NULL), and when its file cannot be used, which is logged, the cache lasts as long as the process. */
struct gate_cache *gate_cache_open(const char *state_dir, size_t entries);
struct gate_cache *gate_cache_close(struct gate_cache *c); /* accepts NULL, returns NULL */

/* RC_GONE: the client is not known. c may be NULL. */
MUST_USE enum rc gate_cache_find(struct gate_cache *c, const uint8_t address[16], struct gate_record *ret);
void gate_cache_put(struct gate_cache *c, const struct gate_record *r);

#endif
