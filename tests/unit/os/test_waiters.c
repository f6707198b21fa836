/* Threads of which one works for all that wait: each is answered once, and one works at a time. */
#include "os/waiters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { THREADS = 12, ROUNDS = 2000, AT_ONCE = 5 };

struct asker {
    struct waiter waiter;
    int question, answer;
};

static struct waiters waiters;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int working;
static int turns;

/* With the lock, which it opens twice. */
static void work(void)
{
    size_t n = 0;
    waiters.busy = true;
    for (const struct waiter *w = waiters.first; w && n < AT_ONCE; w = w->next)
        n++;
    pthread_mutex_unlock(&lock);
    must(atomic_fetch_add(&working, 1) == 0);
    atomic_fetch_sub(&working, 1);
    pthread_mutex_lock(&lock);
    struct waiter *w = waiters.first;
    for (size_t i = 0; i < n; i++, w = w->next)
        ((struct asker *)w)->answer = 2 * ((struct asker *)w)->question;
    w = waiters_answer(&waiters, n);
    turns++;
    waiters_done(&waiters);
    pthread_mutex_unlock(&lock);
    waiters_wake(w);
}

static void *ask(void *arg)
{
    for (int i = 1; i <= ROUNDS; i++) {
        struct asker a = {.question = i};
        pthread_mutex_lock(&lock);
        if (waiters_wait(&waiters, &a.waiter, &lock))
            work();
        must(a.answer == 2 * i);
    }
    return NULL;
}

static void each_is_answered(void **state)
{
    pthread_t threads[THREADS];
    waiters_init(&waiters);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_null(waiters.first);
    assert_in_range(turns, THREADS * ROUNDS / AT_ONCE, THREADS * ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_is_answered)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
