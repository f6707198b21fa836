#include "os/waiters.h"

#include <errno.h>

void waiters_init(struct waiters *ws)
{
    *ws = (struct waiters){.last = &ws->first};
}

static void sleep_until_woken(struct waiter *w)
{
    while (sem_wait(&w->turn) != 0)
        must(errno == EINTR);
}

bool waiters_wait(struct waiters *ws, struct waiter *w, pthread_mutex_t *locked)
{
    must(sem_init(&w->turn, 0, 0) == 0);
    w->answered = false;
    w->next = NULL;
    *ws->last = w;
    ws->last = &w->next;
    while (ws->busy || ws->first != w) {
        pthread_mutex_unlock(locked);
        sleep_until_woken(w);
        if (w->answered) {
            sem_destroy(&w->turn);
            return false;
        }
        pthread_mutex_lock(locked);
    }
    return true;
}

struct waiter *waiters_answer(struct waiters *ws, size_t n)
{
    struct waiter *answered = ws->first, **end = &ws->first;
    must(n > 0);
    for (; n > 0; n--) {
        (*end)->answered = true;
        end = &(*end)->next;
    }
    ws->first = *end;
    *end = NULL;
    if (!ws->first)
        ws->last = &ws->first;
    return answered;
}

void waiters_done(struct waiters *ws)
{
    ws->busy = false;
    if (ws->first)
        sem_post(&ws->first->turn);
}

void waiters_wake(struct waiter *answered)
{
    for (struct waiter *w = answered->next, *next; w; w = next) {
        next = w->next;
        sem_post(&w->turn);
    }
    sem_destroy(&answered->turn);
}
