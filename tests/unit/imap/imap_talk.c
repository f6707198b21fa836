/* imap_talk: the session reads and writes while the client does: a thread for the session, poll for the
 * client. */
#include "imap_talk.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 4 << 20, WAIT_MS = 10000 };

struct imap_talk {
    int fd;
    pthread_t thread;
    struct imap_start start;
    struct buf got;
    struct buf part;
};

static void *serve(void *arg)
{
    struct imap_talk *t = arg;
    must(imap_session(&t->start) == 0);
    stream_freep(&t->start.stream);
    return NULL;
}

/* False at the end of the answers. */
static bool collect(struct imap_talk *t)
{
    char chunk[4096];
    struct pollfd p = {.fd = t->fd, .events = POLLIN};
    must(poll(&p, 1, WAIT_MS) == 1);
    ssize_t n = read(t->fd, chunk, sizeof chunk);
    if (n <= 0)
        return false;
    buf_put(&t->got, chunk, (size_t)n);
    return true;
}

struct imap_talk *imap_talk_begin(const struct imap_start *start)
{
    int fds[2];
    struct imap_talk *t = calloc(1, sizeof *t);
    must(t && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    *t = (struct imap_talk){
        .fd = fds[0], .start = *start, .got = BUF_INIT(ANSWER_MAX), .part = BUF_INIT(ANSWER_MAX)};
    t->start.stream = stream_new(fds[1], 64 << 10);
    t->start.tag = S("t");
    t->start.account = S("demo");
    t->start.separator = '/';
    if (!t->start.append_max)
        t->start.append_max = 100;
    must(pthread_create(&t->thread, NULL, serve, t) == 0);
    imap_talk_until(t, "Logged in\r\n");
    return t;
}

/* A session that has ended takes no more input: what is left is not sent. */
static void send_all(struct imap_talk *t, str input)
{
    while (input.n > 0) {
        struct pollfd p = {.fd = t->fd, .events = POLLIN | POLLOUT};
        must(poll(&p, 1, WAIT_MS) == 1);
        if ((p.revents & POLLIN) && !collect(t))
            return;
        if (!(p.revents & POLLOUT))
            continue;
        ssize_t n = send(t->fd, input.p, input.n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
            return;
        input = str_from(input, (size_t)n);
    }
}

void imap_talk_send(struct imap_talk *t, const char *text)
{
    send_all(t, str_c(text));
}

const char *imap_talk_until(struct imap_talk *t, const char *end)
{
    while (!str_ends(buf_str(&t->got), str_c(end)))
        must(collect(t));
    buf_reset(&t->part);
    buf_puts(&t->part, buf_str(&t->got));
    buf_reset(&t->got);
    return buf_cstr(&t->part);
}

char *imap_talk_end(struct imap_talk *t)
{
    shutdown(t->fd, SHUT_WR);
    while (collect(t)) {
    }
    pthread_join(t->thread, NULL);
    char *all = str_dup(buf_str(&t->got));
    buf_deinit(&t->got);
    buf_deinit(&t->part);
    close(t->fd);
    free(t);
    return all;
}

char *imap_talk(const struct imap_start *start, str input)
{
    struct imap_talk *t = imap_talk_begin(start);
    send_all(t, input);
    return imap_talk_end(t);
}
