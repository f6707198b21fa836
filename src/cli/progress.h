/* progress: a line on a terminal's standard error that tells how far something is; nothing where that is
 * none. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "base/clock.h"
#include "base/str.h"

struct progress {
    str label;            /* the caller's */
    uint64_t done, total; /* total 0: not known */
    msec shown;           /* when; 0: never */
};

void progress_step(struct progress *p); /* one more is done */
void progress_end(struct progress *p);  /* leaves the terminal's line as it was */

#endif
