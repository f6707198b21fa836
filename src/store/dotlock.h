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

/* The file that becomes the lock, made once and kept from lock to lock: a file made and removed for each
 * would make every later one in its part of the disk slower (ext4 passes over what was removed lately). It
 * lies in tmp/ of the folder locked last. One lock is held at a time. */
struct dotlock_file {
    int tmp_fd, fd; /* the folder tmp/ and the file; fd < 0: there is none */
    bool held;
    char name[40];
};
#define DOTLOCK_FILE_INIT \
    {                     \
        -1, -1, false, "" \
    }
void dotlock_file_remove(struct dotlock_file *f);

struct dotlock {
    int dir_fd;
    struct dotlock_file *file; /* NULL: not held */
    char name[40];
};
#define DOTLOCK_INIT \
    {                \
        -1, NULL, "" \
    }

/* Locks `file` in dir_fd, which has a folder tmp/ and stays open while the lock is held, as `own` does. Waits
 * until the lock is free or stale. RC_PERM: the folder may not be written; RC_TEMP: time-out or disk. */
MUST_USE enum rc dotlock_take(struct dotlock_file *own, int dir_fd, const char *file, struct dotlock *ret,
                              struct err *e);
void dotlock_drop(struct dotlock *l); /* does nothing when not held; for AUTO */
static inline bool dotlock_held(const struct dotlock *l)
{
    return l->file != NULL;
}

#endif
