/* flights: the deliveries that a process has under way, so that none is begun a second time beside itself:
 * when `queue` was killed, its successor asks again for what the first one may be writing still. Thread-safe.
 */
#ifndef ROLE_FLIGHTS_H
#define ROLE_FLIGHTS_H

#include "base/clock.h"
#include "base/str.h"

struct flights;

struct flight { /* of which message, and to whom, as the file's name has them */
    uint64_t id;
    uint64_t number;
};

struct flights *flights_new(void);
struct flights *flights_free(struct flights *f); /* accepts NULL */
/* Waits for the end of the same delivery, which may have been aborted, or have saved the message:
 * *ret_waited. false: it is still under way at the deadline. */
bool flights_begin(struct flights *f, const struct flight *one, msec deadline, bool *ret_waited);
void flights_end(struct flights *f, const struct flight *one);

#endif
