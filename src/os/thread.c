/* Detached threads; signals stay with the main thread. Runs in every threaded role. */
#include "os/thread.h"

#include <pthread.h>
#include <signal.h>

enum { STACK_DEFAULT = 256 * 1024 };

enum rc thread_start(void *(*fn)(void *), void *arg, size_t stack_size, const char *name)
{
    pthread_attr_t attr;
    pthread_t id;
    sigset_t all, old;

    must(pthread_attr_init(&attr) == 0);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (pthread_attr_setstacksize(&attr, stack_size ? stack_size : STACK_DEFAULT) != 0)
        pthread_attr_setstacksize(&attr, STACK_DEFAULT);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = pthread_create(&id, &attr, fn, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (rc != 0)
        return RC_TEMP;
    pthread_setname_np(id, name);
    return RC_OK;
}
