#include "role/unix_connect.h"

#include "os/file.h"
#include "os/thread.h"
#include "role/ipc.h"

#include <unistd.h>

enum { ANSWER_MS = 5000, PATH_MAX_BYTES = 107 };

/* One question at a time; the number tells a late answer from the one that is waited for. */
static struct {
    pthread_mutex_t turn, lock;
    pthread_cond_t answered;
    uint64_t number;
    bool done;
    struct err e;
    int fd;
} asking = {.turn = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

void unix_connect_init(void)
{
    must(thread_cond_init(&asking.answered) == RC_OK);
}

static bool ask(const struct role *r, str path)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(1024);
    ipc_begin(&b, MSG_CONTROL_CONNECT);
    ipc_put_u64(&b, asking.number);
    ipc_put_str(&b, path);
    return ipc_send(r->control, &b, NULL, 0, IPC_NOWAIT) == RC_OK;
}

/* With the lock held. */
static bool wait_for_answer(void)
{
    msec end = clock_mono() + ANSWER_MS;
    while (!asking.done && thread_cond_wait(&asking.answered, &asking.lock, end))
        ;
    return asking.done;
}

enum rc unix_connect(const struct role *r, str path, int *ret_fd, struct err *e)
{
    if (path.n > PATH_MAX_BYTES)
        return err_set(e, RC_TEMP, 0, "4.4.1", "connect to " STR_FMT ": the path is too long", STR_ARG(path));
    pthread_mutex_lock(&asking.turn);
    pthread_mutex_lock(&asking.lock);
    asking.number++;
    asking.done = false;
    asking.e = (struct err){0};
    if (!ask(r, path) || !wait_for_answer())
        (void)err_set(&asking.e, RC_TEMP, 0, "4.4.1", "connect to " STR_FMT ": the master does not answer",
                      STR_ARG(path));
    asking.done = true; /* whatever comes now is late */
    *e = asking.e;
    *ret_fd = asking.fd;
    asking.fd = -1;
    pthread_mutex_unlock(&asking.lock);
    pthread_mutex_unlock(&asking.turn);
    return *ret_fd >= 0 ? RC_OK : RC_TEMP;
}

void unix_connect_done(struct role *r, uint64_t number, const struct err *e, int fd)
{
    pthread_mutex_lock(&asking.lock);
    if (number == asking.number && !asking.done) {
        asking.e = *e;
        asking.fd = fd;
        asking.done = true;
        pthread_cond_signal(&asking.answered);
    } else if (fd >= 0) {
        close(fd);
    }
    pthread_mutex_unlock(&asking.lock);
}
