/* dotlock: lock files as Dovecot makes them ("dovecot-uidlist.lock"), so that both programs keep out of each
 * other's way.
 *
 * The lock exists while the file does. It holds "pid:host". A holder of ours has mode 0400 and keeps a flock
 * on it: when the flock is free the holder died and the lock is removed at once. A foreign lock is stale when
 * neither it nor the file it protects changed for 120 seconds (Dovecot's rule). */
#ifndef STORE_DOTLOCK_H
#define STORE_DOTLOCK_H

#include "base/str.h"

enum { DOTLOCK_STALE_SECONDS = 120 };

struct dotlock {
    int dir_fd, fd; /* fd < 0: not held */
    char name[40];
};
#define DOTLOCK_INIT \
    {                \
        -1, -1, ""   \
    }

/* Locks `file` in dir_fd, which has a folder tmp/ and stays open while the lock is held. Waits until the lock
 * is free or stale. RC_PERM: the folder may not be written; RC_TEMP: time-out or disk. */
MUST_USE enum rc dotlock_take(int dir_fd, const char *file, struct dotlock *ret, struct err *e);
void dotlock_drop(struct dotlock *l); /* does nothing when not held; for AUTO */
static inline bool dotlock_held(const struct dotlock *l)
{
    return l->fd >= 0;
}

#endif
