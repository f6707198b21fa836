/* thread: detached threads with small stacks. A role that has threads never forks without exec. */
#ifndef OS_THREAD_H
#define OS_THREAD_H

#include "base/clock.h"
#include "base/err.h"

#include <pthread.h>

/* Starts fn(arg) detached, signals blocked. RC_TEMP when the system refuses. stack_size 0: 256 KiB. name: at
 * most 15 bytes, a literal. */
MUST_USE enum rc thread_start(void *(*fn)(void *), void *arg, size_t stack_size, const char *name);

/* A mutex for short sections that many threads enter: a waiter spins a little before it sleeps. */
MUST_USE enum rc thread_mutex_init(pthread_mutex_t *ret);

/* A condition whose time-outs go by the monotonic clock. */
MUST_USE enum rc thread_cond_init(pthread_cond_t *ret);
/* Waits for such a one; false: it is later than the deadline, of clock_mono, which a test may have shifted.
 */
bool thread_cond_wait(pthread_cond_t *c, pthread_mutex_t *locked, msec deadline);

#endif
