/* Detached threads; signals stay with the main thread. Runs in every threaded role. */
#include "os/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

enum { STACK_DEFAULT = 256 * 1024 };

struct start {
    void *(*fn)(void *);
    void *arg;
    const char *name;
};

/* A thread names itself: the id of a detached thread is not valid any more once it has ended. */
static void *named_main(void *arg)
{
    struct start s = *(struct start *)arg;
    free(arg);
    prctl(PR_SET_NAME, s.name);
    return s.fn(s.arg);
}

enum rc thread_start(void *(*fn)(void *), void *arg, size_t stack_size, const char *name)
{
    pthread_attr_t attr;
    pthread_t id;
    sigset_t all, old;
    struct start *s = malloc(sizeof *s);

    must(s && pthread_attr_init(&attr) == 0);
    *s = (struct start){fn, arg, name};
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (pthread_attr_setstacksize(&attr, stack_size ? stack_size : STACK_DEFAULT) != 0)
        pthread_attr_setstacksize(&attr, STACK_DEFAULT);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = pthread_create(&id, &attr, named_main, s);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (rc != 0) {
        free(s);
        return RC_TEMP;
    }
    return RC_OK;
}

enum rc thread_mutex_init(pthread_mutex_t *ret)
{
    pthread_mutexattr_t attr;
    must(pthread_mutexattr_init(&attr) == 0 &&
         pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP) == 0);
    int rc = pthread_mutex_init(ret, &attr);
    pthread_mutexattr_destroy(&attr);
    return rc == 0 ? RC_OK : RC_TEMP;
}

enum rc thread_cond_init(pthread_cond_t *ret)
{
    pthread_condattr_t attr;
    must(pthread_condattr_init(&attr) == 0 && pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    int rc = pthread_cond_init(ret, &attr);
    pthread_condattr_destroy(&attr);
    return rc == 0 ? RC_OK : RC_TEMP;
}

bool thread_cond_wait(pthread_cond_t *c, pthread_mutex_t *locked, msec deadline)
{
    struct timespec until;
    msec left = deadline - clock_mono();
    clock_gettime(CLOCK_MONOTONIC, &until);
    left = (left > 0 ? left : 0) + until.tv_nsec / 1000000;
    until.tv_sec += left / 1000;
    until.tv_nsec = left % 1000 * 1000000;
    return pthread_cond_timedwait(c, locked, &until) != ETIMEDOUT;
}
