/* transit_log: the file of mail in transit (transit.h), with one disk flush for all that wait at that moment.
 * Two segments, of fmt/transit_record.h's format, written in turn: one may be emptied when none of its
 * messages is alive, since the records that say so are in this segment or in a younger one. Its blocks were
 * written when it was made, so a flush changes nothing of the file system. Thread-safe. */
#ifndef QUEUE_TRANSIT_LOG_H
#define QUEUE_TRANSIT_LOG_H

#include "base/clock.h"
#include "queue/transit_file.h"

struct transit_log;

/* Opens the file in the folder of the spool and reads it; it is made when missing and there is room for it.
 * NULL: there cannot be one, which was logged. RC_TEMP: there is one, and it cannot be read. The file stays
 * as it is until transit_log_begin. */
MUST_USE enum rc transit_log_open(int dir_fd, bool may_make, struct arena *a, struct transit_log **ret,
                                  struct transit_left *ret_left, struct err *e);
/* Empties it: what was left is elsewhere, and lasts there. */
MUST_USE enum rc transit_log_begin(struct transit_log *log, struct err *e);
struct transit_log *transit_log_close(struct transit_log *log); /* accepts NULL, returns NULL */

/* Writes a message's record. RC_OK: it lasts, in segment *ret_segment, and counts as alive. RC_LIMIT: the
 * segments are full, or the disk failed: it is not there. */
MUST_USE enum rc transit_log_put(struct transit_log *log, const struct transit_record *r,
                                 unsigned *ret_segment);
/* The message of this number is no more, or elsewhere. It is written with the next message, or by
 * transit_log_flush; it lasts when transit_log_state says so of the ticket that this returns. */
uint64_t transit_log_gone(struct transit_log *log, int64_t number, unsigned segment);
/* Writes what is gone; lasting: and makes it last. */
void transit_log_flush(struct transit_log *log, bool lasting);

enum { TRANSIT_NO_SEGMENT = -1 };
struct transit_log_state {
    size_t unwritten;     /* that are gone */
    msec unwritten_since; /* clock_mono() */
    msec unsynced_since;  /* something was written that does not last; 0: all does */
    uint64_t lasting;     /* tickets up to this one */
    int full;             /* the segment that has to get empty before there is room, or TRANSIT_NO_SEGMENT */
};
struct transit_log_state transit_log_state(struct transit_log *log);

#endif
