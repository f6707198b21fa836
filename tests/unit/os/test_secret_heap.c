/* Small secret blocks: each is its taker's alone, empty when it is taken, and not there after a fork. */
#include "os/secret_heap.h"

#include "base/str.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { BLOCKS = 2000 };

static size_t size_for(size_t i)
{
    return i % 7 == 0 ? SECRET_BLOCK_MAX : 1 + i * 37 % 5000;
}

static void expect_all(const unsigned char *p, size_t n, unsigned char value)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(p[i], value);
}

static void blocks_are_apart(void **state)
{
    static unsigned char *block[BLOCKS];
    struct secret_heap *h = secret_heap_new();
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < BLOCKS; i++) {
            block[i] = secret_heap_take(h, size_for(i));
            expect_all(block[i], size_for(i), 0);
            memset(block[i], (int)(i % 255) + 1, size_for(i));
        }
        for (size_t i = 0; i < BLOCKS; i++)
            expect_all(block[i], size_for(i), (unsigned char)(i % 255 + 1));
        for (size_t i = 0; i < BLOCKS; i++)
            assert_null(secret_heap_give(h, block[i], size_for(i)));
    }
    assert_null(secret_heap_give(h, NULL, 7));
    assert_null(secret_heap_free(h));
    (void)state;
}

static void children_do_not_have_them(void **state)
{
    struct secret_heap *h = secret_heap_new();
    volatile char *p = secret_heap_take(h, 10);
    p[0] = 'x';
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        _exit(p[0] == 'x' ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    assert_int_equal(p[0], 'x');
    secret_heap_give(h, (char *)p, 10);
    secret_heap_free(h);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(blocks_are_apart),
                                       cmocka_unit_test(children_do_not_have_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
