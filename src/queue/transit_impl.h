/* What the files of mail in transit share, and nobody else sees. */
#ifndef QUEUE_TRANSIT_IMPL_H
#define QUEUE_TRANSIT_IMPL_H

#include "queue/transit.h"
#include "queue/transit_log.h"

#include <stdatomic.h>

struct leaving;

struct transit {
    struct transit_log *log;
    struct map *ids;                      /* messages by id */
    struct transit_message *first, *last; /* all, oldest first */
    size_t n, bytes;
    pthread_cond_t wanted; /* with queue.lock: for the thread */
    atomic_bool asleep;    /* it waits until it is wanted */
    bool ending;
    pthread_t thread;
    pthread_mutex_t leaving_lock;
    struct leaving *leaving, **leaving_end;
    atomic_uint n_leaving;
};

/* The thread, with queue.lock. */
static inline void transit_wake(struct transit *t)
{
    pthread_cond_signal(&t->wanted);
}
/* From anywhere in its site's queue; with queue.lock. */
void transit_leave_site(struct transit_message *m);
void transit_free(struct transit_message *m);
/* Lets go of up to so many files of messages that are gone for good. */
void transit_release_files(struct queue *q, unsigned most);

#endif
