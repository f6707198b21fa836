/* departed: messages of an earlier process that were in transit, or left the queue soon after this one had
 * opened it. Who put one of them and was not answered before that process died puts it again, and must not
 * have it delivered twice. Thread-safe. */
#ifndef QUEUE_DEPARTED_H
#define QUEUE_DEPARTED_H

#include "base/clock.h"
#include "base/str.h"

enum { DEPARTED_MS = 60000, DEPARTED_MAX = 100000 }; /* longer than anybody tries to put a message again */

struct departed;

struct departed *departed_new(msec now);
struct departed *departed_free(struct departed *d); /* accepts NULL */
/* Notes an id; past DEPARTED_MS or DEPARTED_MAX nothing. */
void departed_note(struct departed *d, str id, msec now);
bool departed_has(struct departed *d, str id);

#endif
