/* os/channel: requests and replies, and who ends when something is malformed. */
#include "os/channel.h"

#include "base/log.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { ASK = 1000, FORBIDDEN = 1001, ANSWER = 1002, DEADLINE_MS = 10000 };

/* Doubles the number it is asked; refuses everything else. */
static enum rc handle(void *ctx, void **conn, struct ipc_msg *m, struct buf *reply, int *fds, unsigned *n_fds)
{
    uint32_t n = ipc_get_u32(m);
    if (ctx && m->type == ASK) /* this one ends before it answers */
        _exit(0);
    if (m->type != ASK || ipc_end(m) != RC_OK)
        return RC_INVALID;
    ipc_begin(reply, ANSWER);
    ipc_put_u32(reply, 2 * n);
    return RC_OK;
}

static const struct channel_service service = {.handle = handle, .max_channels = 8},
                                    dying = {.handle = handle, .max_channels = 8, .ctx = (void *)&service};

static uint32_t ask(struct channel_pool *p, uint16_t type, uint32_t n, enum rc *ret)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    ipc_begin(&b, type);
    ipc_put_u32(&b, n);
    *ret = channel_pool_call(p, &b, NULL, 0, ANSWER, &m, clock_mono() + DEADLINE_MS);
    if (*ret != RC_OK)
        return 0;
    uint32_t answer = ipc_get_u32(&m);
    ipc_msg_deinit(&m);
    return answer;
}

static void rubbish_on_link(int link)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(64);
    char byte;
    ipc_begin(&b, FORBIDDEN);
    must(ipc_send(link, &b, NULL, 0, 0) == RC_OK);
    must(recv(link, &byte, 1, MSG_PEEK) == 1); /* refused, and closed at the next moment */
}

/* Serves the link in a process of its own: this one must stay without threads, or it could not fork safely.
 */
static pid_t start_server(int link, const struct channel_service *svc)
{
    pid_t pid = fork();
    if (pid == 0) {
        log_init("server", "test", STDERR_FILENO, LOG_TEXT, LOG_LEVEL_ERROR);
        must(channel_serve(link, svc) == RC_OK);
        for (;;)
            pause();
    }
    return pid;
}

/* The exit status of a process that asks over a link which another one serves. */
static int asker_status(void (*asks)(struct channel_pool *p, int link))
{
    int pair[2], status;
    assert_int_equal(ipc_pair(pair), RC_OK);
    pid_t asker = fork();
    if (asker == 0) {
        close(pair[0]);
        log_init("asker", "test", STDERR_FILENO, LOG_TEXT, LOG_LEVEL_ERROR);
        int link = dup(pair[1]);
        struct channel_pool *p = channel_pool_new(4, 200);
        channel_pool_set_link(p, pair[1]);
        asks(p, link);
        _exit(7);
    }
    close(pair[1]);
    pid_t server = start_server(pair[0], &service);
    close(pair[0]);
    assert_int_equal(waitpid(asker, &status, 0), asker);
    int server_status;
    assert_int_equal(waitpid(server, &server_status, WNOHANG), 0); /* whatever the asker did, it lives on */
    kill(server, SIGKILL);
    assert_int_equal(waitpid(server, NULL, 0), server);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void asks_well(struct channel_pool *p, int link)
{
    enum rc rc;
    for (uint32_t i = 0; i < 100; i++)
        must(ask(p, ASK, i, &rc) == 2 * i && rc == RC_OK);
}

static void asks_what_is_forbidden(struct channel_pool *p, int link)
{
    enum rc rc;
    (void)ask(p, FORBIDDEN, 1, &rc);
}

static void sends_rubbish(struct channel_pool *p, int link)
{
    enum rc rc;
    rubbish_on_link(link);
    for (int i = 0; i < 100; i++)
        (void)ask(p, ASK, 1, &rc);
}

static void refuses_the_server(struct channel_pool *p, int link)
{
    ipc_refuse(link);
}

static void sound_asker_goes_on(void **state)
{
    assert_int_equal(asker_status(asks_well), 7);
}

static void refused_asker_ends(void **state)
{
    assert_int_equal(asker_status(asks_what_is_forbidden), 1);
    assert_int_equal(asker_status(sends_rubbish), 1);
}

/* The answering side never obeys a refusal, and an asker whose peer merely died waits for another. */
static void others_live_on(void **state)
{
    int pair[2];
    enum rc rc;
    struct channel_pool *p = channel_pool_new(4, 100);
    assert_int_equal(ipc_pair(pair), RC_OK);
    channel_pool_set_link(p, pair[1]);
    close(pair[0]);
    (void)ask(p, ASK, 1, &rc);
    assert_int_equal(rc, RC_TEMP);
    assert_false(channel_pool_has_link(p));

    channel_pool_free(p);

    assert_int_equal(asker_status(refuses_the_server), 7);
    assert_int_equal(asker_status(asks_well), 7);
}

struct successor {
    struct channel_pool *pool;
    int link;
};

/* As the master does it. */
static void *hand_over(void *arg)
{
    const struct successor *s = arg;
    while (channel_pool_has_link(s->pool))
        usleep(1000);
    channel_pool_set_link(s->pool, s->link);
    return NULL;
}

/* A question that may be asked twice is answered by the successor of who ended over it; another one is not.
 */
static void asked_again(void **state)
{
    for (int asks = 0; asks < 2; asks++) {
        struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
        struct successor next = {.pool = channel_pool_new(4, DEADLINE_MS)};
        pthread_t thread;
        struct ipc_msg m;
        int first[2], second[2];
        pid_t pids[2]; /* neither inherits the other's end */
        assert_int_equal(ipc_pair(first), RC_OK);
        pids[0] = start_server(first[0], &dying);
        close(first[0]);
        assert_int_equal(ipc_pair(second), RC_OK);
        pids[1] = start_server(second[0], &service);
        close(second[0]);
        next.link = second[1];
        channel_pool_set_link(next.pool, first[1]);
        assert_int_equal(pthread_create(&thread, NULL, hand_over, &next), 0);
        ipc_begin(&b, ASK);
        ipc_put_u32(&b, 21);
        msec deadline = clock_mono() + DEADLINE_MS;
        if (asks) {
            assert_int_equal(channel_pool_ask(next.pool, &b, ANSWER, &m, deadline), RC_OK);
            assert_int_equal(ipc_get_u32(&m), 42);
            ipc_msg_deinit(&m);
        } else {
            assert_int_equal(channel_pool_call(next.pool, &b, NULL, 0, ANSWER, &m, deadline), RC_TEMP);
            channel_pool_set_link(next.pool, -1);
        }
        assert_int_equal(pthread_join(thread, NULL), 0);
        next.pool = channel_pool_free(next.pool);
        for (int i = 0; i < 2; i++) {
            kill(pids[i], SIGKILL);
            assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
        }
    }
}

/* The kernel tells whoever wrote to a socket that was closed unread so before it gives what came from there.
 */
static void last_words_are_heard(void **state)
{
    int pair[2];
    struct buf b = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    assert_int_equal(ipc_pair(pair), RC_OK);
    ipc_begin(&b, ASK);
    assert_int_equal(ipc_send(pair[0], &b, NULL, 0, 0), RC_OK);
    ipc_begin(&b, ANSWER);
    assert_int_equal(ipc_send(pair[1], &b, NULL, 0, 0), RC_OK);
    close(pair[1]);
    assert_int_equal(ipc_recv(pair[0], &b, &m, 0), RC_OK);
    assert_int_equal(m.type, ANSWER);
    assert_int_equal(ipc_recv(pair[0], &b, &m, 0), RC_GONE);
    close(pair[0]);
    buf_deinit(&b);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_asker_goes_on),  cmocka_unit_test(refused_asker_ends),
        cmocka_unit_test(others_live_on),       cmocka_unit_test(asked_again),
        cmocka_unit_test(last_words_are_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
