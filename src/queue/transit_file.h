/* transit_file: the file of the log of mail in transit (transit_log.h), as a file: making it, and reading
 * what a process left in it. */
#ifndef QUEUE_TRANSIT_FILE_H
#define QUEUE_TRANSIT_FILE_H

#include "base/arena.h"
#include "base/clock.h"
#include "fmt/transit_record.h"

#include <sys/types.h>

#define TRANSIT_FILE_NAME "transit.log"

enum { TRANSIT_SEGMENTS = 2 };

struct transit_file {
    int fd;
    size_t segment_size;
};

static inline off_t transit_file_at(const struct transit_file *f, unsigned segment, size_t at)
{
    return (off_t)(segment * f->segment_size + at);
}

/* Makes it in the folder of the spool, durably. -1: it cannot be made, which was logged, and there is none.
 */
int transit_file_make(int dir_fd);
/* Fills in segment_size; false: it is no such file. */
bool transit_file_measure(struct transit_file *f);

/* What an earlier process wrote: the messages that it left alive, in their order, and behind them those that
 * are gone; views into the arena. */
struct transit_left {
    struct transit_record *v;
    size_t n, n_gone;
};

/* RC_TEMP: it cannot be read. */
MUST_USE enum rc transit_file_read(const struct transit_file *f, struct arena *a, struct transit_left *ret);

/* For another process, which looks at the tables: waits until the messages that are in the log now have left,
 * or are in the tables. false: not within so long, as when no queue runs. */
bool transit_file_await(int dir_fd, msec wait_ms);

#endif
