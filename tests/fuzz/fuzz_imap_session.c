/* A whole IMAP session with the input as its client, over a store in memory. The session must end, and every
 * line it sends must be one that a client can read: this is left to the sanitizers and to must() in the
 * session. */
#include "imap/session.h"
#include "mem_store.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *drain(void *arg)
{
    char sink[4096];
    while (read(*(int *)arg, sink, sizeof sink) > 0) {
    }
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fds[2];
    pthread_t reader;
    if (size > 32768)
        return 0;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    must(size == 0 || write(fds[0], data, size) == (ssize_t)size);
    shutdown(fds[0], SHUT_WR);
    must(pthread_create(&reader, NULL, drain, &fds[0]) == 0);
    struct imap_start start = {.stream = stream_new(fds[1], 4096),
                               .store = mem_store_new(),
                               .tag = S("t"),
                               .account = S("demo"),
                               .separator = '/',
                               .append_max = 1000,
                               .limits = {.bad_max = 1000},
                               .ops.wake_fd = -1};
    must(imap_session(&start) == 0);
    stream_freep(&start.stream);
    pthread_join(reader, NULL);
    close(fds[0]);
    store_close(start.store);
    return 0;
}
