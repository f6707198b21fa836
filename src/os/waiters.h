/* waiters: threads of which one works for all that wait at that moment, as for a group commit. The first who
 * waits works; when it is done it wakes those it worked for, and the first of those who came meanwhile works
 * next. Each sleeps at a semaphore of its own, and does not need the lock once it has its answer. All is
 * under a lock of the caller's but where it says otherwise. */
#ifndef OS_WAITERS_H
#define OS_WAITERS_H

#include "base/err.h"

#include <pthread.h>
#include <semaphore.h>

struct waiter { /* first in what the caller puts on its stack */
    sem_t turn;
    bool answered;
    struct waiter *next;
};

struct waiters {
    struct waiter *first, **last; /* who waits, in order of their coming */
    bool busy;                    /* somebody works, with the lock open */
};

void waiters_init(struct waiters *ws);
/* Joins and waits. true: w is the first, nobody works, and the lock is held: it is to work, and to answer
 * itself among others. false: somebody else has answered it; the lock is not held. */
bool waiters_wait(struct waiters *ws, struct waiter *w, pthread_mutex_t *locked);
/* The first n, one at least, wait no more; returns them, in order. What they are told was written to them
 * before. */
struct waiter *waiters_answer(struct waiters *ws, size_t n);
/* Nobody works any more: wakes the first who waits now. */
void waiters_done(struct waiters *ws);
/* Without the lock: wakes those who were answered but the first, who is the caller; they may be gone then. */
void waiters_wake(struct waiter *answered);

#endif
