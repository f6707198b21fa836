/* Shared by the files of the journal only. */
#ifndef STORE_JOURNAL_IMPL_H
#define STORE_JOURNAL_IMPL_H

#include "os/waiters.h"
#include "store/journal.h"

#include <pthread.h>
#include <stdatomic.h>

enum { JOURNAL_SEGMENTS = 2, JOURNAL_SEGMENT_SIZE = 8 << 20, JOURNAL_KEEP_MS = 1000 };

struct journal_waiter { /* one thread in journal_commit */
    struct waiter waiter;
    struct buf *const *records;
    size_t n, bytes;
    bool ok;          /* the answer: they were written */
    unsigned segment; /* and where */
};

struct journal_segment {
    uint64_t generation;
    size_t end; /* where the next group goes */
    uint32_t records;
    msec first;          /* when its first record was written */
    bool filled;         /* to be synced and emptied before it is written again */
    bool busy;           /* a group is on its way into it */
    unsigned unreleased; /* tickets */
};

struct journal {
    int fd, root_fd;
    int header_fd; /* the file opened once more, for who empties segments: an error of the disk is told once
                    * for each opening, and no group may miss it because the other heard of it */
    dev_t device;
    const char *root;
    struct journal_header header; /* generation: the last one that was given out */
    pthread_mutex_t lock;         /* all below */
    pthread_cond_t work;          /* for the syncing thread */
    pthread_cond_t calm;          /* a write ended, or a segment was emptied, or the thread ended */
    struct journal_segment segment[JOURNAL_SEGMENTS];
    unsigned active; /* the segment that is written */
    struct waiters waiters;
    bool closing, thread_ended;
    atomic_bool ready, failed; /* changed under the lock, or before the thread runs */
};

/* journal_file.c: all false with errno. */
bool journal_file_open(struct journal *j);                      /* fd, the file whole and ours */
bool journal_file_reset(struct journal *j, unsigned segment);   /* durably empty, with a new generation */
bool journal_file_suspect(struct journal *j, unsigned segment); /* to be replayed whatever boot runs */
bool journal_file_system_trusted(int fd);
/* Replays what another boot left, syncs, and empties both segments. */
MUST_USE enum rc journal_file_recover(struct journal *j, struct err *e);

/* journal_replay.c: writes the files of the segments' records again that are missing or differ, each durable.
 * RC_OK also when Maildirs are gone. */
MUST_USE enum rc journal_replay(const char *root, const str segments[JOURNAL_SEGMENTS],
                                unsigned *ret_restored, struct err *e);

#endif
