/* The pump's loop (login_pump.h): level-triggered epoll over both ends of every connection.
 *
 * Any event on a connection lets it step: each way moves until a side would block or its share of the turn is
 * used up. Bytes that OpenSSL or the stream already holds raise no event, so a connection that stopped for
 * fairness is stepped again before the next wait. An end of which nothing is wanted is taken out of epoll,
 * because a hang-up would be reported for it without end. Connections that are over are freed after the
 * batch: it may name them once more.
 *
 * A connection is given back by one byte that carries a descriptor, which is how it differs from output;
 * Linux ends a read of a Unix socket behind it. What follows on that socket is unread input, up to its end.
 */
#include "role/login_pump.h"

#include "os/file.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BLOCK = 16384,
    TURN_BLOCKS = 8, /* blocks a way may move before others have their turn */
    EVENTS_MAX = 256,
    UNREAD_MAX = 16384, /* commands that came too early for the next log-in */
    GIVE_BACK_MS = 10000
};

enum waits { WAITS_NOTHING, WAITS_READ, WAITS_WRITE, WAITS_TURN };

struct way {
    char *rest; /* n bytes that the target did not take yet; NULL when there are none */
    size_t n;
    bool source_ended, ended;
    enum waits waits;
    uint64_t bytes;
};

struct conn {
    struct conn *next; /* in one of the pump's lists */
    struct stream *client;
    int session_fd;
    struct way up, down;                     /* client to session, session to client */
    short client_reads_on, client_writes_on; /* TLS may need the other direction */
    uint32_t client_events, session_events;  /* registered */
    bool listed, over;
    bool given_back, whole; /* by the session; and all that it had not read is in unread */
    struct buf unread;
    void (*ended)(void *ctx, const struct pump_traffic *traffic, struct stream *client);
    void *ctx;
    struct conn *prev_all, *next_all;
};

struct pump {
    int epoll_fd, wake_fd;
    atomic_bool stopping;
    pthread_mutex_t lock;
    struct conn *added;    /* under lock: not yet seen by the loop */
    struct conn *ready;    /* to be stepped before the next wait */
    struct conn *finished; /* freed after the batch */
    struct conn *all;
    char block[BLOCK];
};

enum rc pump_new(struct pump **ret)
{
    struct pump *p = calloc(1, sizeof *p);
    must(p && pthread_mutex_init(&p->lock, NULL) == 0);
    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event wake = {.events = EPOLLIN, .data.ptr = NULL};
    if (p->epoll_fd < 0 || p->wake_fd < 0 || epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, p->wake_fd, &wake) < 0) {
        pump_free(p);
        return RC_TEMP;
    }
    *ret = p;
    return RC_OK;
}

struct pump *pump_free(struct pump *p)
{
    must(!p->all && !p->added);
    fd_closep(&p->epoll_fd);
    fd_closep(&p->wake_fd);
    pthread_mutex_destroy(&p->lock);
    free(p);
    return NULL;
}

static void wake(struct pump *p)
{
    uint64_t one = 1;
    while (write(p->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void pump_stop(struct pump *p)
{
    atomic_store(&p->stopping, true);
    wake(p);
}

void pump_add(struct pump *p, struct stream *client, int session_fd,
              void (*ended)(void *ctx, const struct pump_traffic *traffic, struct stream *client), void *ctx)
{
    struct conn *c = calloc(1, sizeof *c);
    must(c && fd_set_nonblocking(session_fd, true) == RC_OK);
    c->client = client;
    c->session_fd = session_fd;
    c->ended = ended;
    c->ctx = ctx;
    buf_init(&c->unread, UNREAD_MAX);
    pthread_mutex_lock(&p->lock);
    c->next = p->added;
    p->added = c;
    pthread_mutex_unlock(&p->lock);
    wake(p);
}

/* --- one connection --- */

static enum rc fd_result(ssize_t n, size_t *ret_n)
{
    if (n > 0) {
        *ret_n = (size_t)n;
        return RC_OK;
    }
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? RC_TEMP : RC_GONE;
}

/* The session wants no more, and what it was not given is the first that nobody read. */
static void begin_giving_back(struct conn *c)
{
    c->given_back = c->up.ended = true;
    c->up.waits = WAITS_NOTHING;
    shutdown(c->session_fd, SHUT_WR);
}

/* Closes descriptors that came along. */
static bool take_fds(struct msghdr *m)
{
    bool any = false;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; at + CMSG_LEN(sizeof(int)) <= h->cmsg_len; at += sizeof(int)) {
            int fd;
            memcpy(&fd, CMSG_DATA(h) + at, sizeof fd);
            close(fd);
            any = true;
        }
    }
    return any || (m->msg_flags & MSG_CTRUNC);
}

static enum rc session_read(struct conn *c, char *p, size_t n, size_t *ret_n)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = {p, n};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    enum rc rc = fd_result(recvmsg(c->session_fd, &m, MSG_CMSG_CLOEXEC), ret_n);
    if (rc != RC_OK || !take_fds(&m))
        return rc;
    begin_giving_back(c);
    *ret_n -= 1;
    return RC_OK;
}

static enum rc source_read(struct conn *c, const struct way *w, char *p, size_t n, size_t *ret_n)
{
    if (w == &c->up) {
        c->client_reads_on = POLLIN;
        return stream_try_read(c->client, p, n, ret_n, &c->client_reads_on);
    }
    return session_read(c, p, n, ret_n);
}

static enum rc target_write(struct conn *c, const struct way *w, const char *p, size_t n, size_t *ret_n)
{
    if (w == &c->down) {
        c->client_writes_on = POLLOUT;
        return stream_try_write(c->client, p, n, ret_n, &c->client_writes_on);
    }
    return fd_result(send(c->session_fd, p, n, MSG_NOSIGNAL), ret_n);
}

/* The source has ended and all of it was passed on. */
static void way_end(struct conn *c, struct way *w)
{
    w->ended = true;
    w->waits = WAITS_NOTHING;
    if (w == &c->up)
        shutdown(c->session_fd, SHUT_WR);
    else
        c->over = true; /* the session said all it had to say */
}

/* Nobody takes what this way brings: a client that is gone ends the connection; a session that no longer
 * listens may still have a last word. */
static void way_break(struct conn *c, struct way *w)
{
    free(w->rest);
    w->rest = NULL;
    w->n = 0;
    w->ended = true;
    w->waits = WAITS_NOTHING;
    if (w == &c->down)
        c->over = true;
}

/* Writes n bytes and keeps what is not taken. False: nothing more can be moved now. */
static bool way_put(struct conn *c, struct way *w, const char *p, size_t n)
{
    size_t sent = 0;
    enum rc rc = target_write(c, w, p, n, &sent);
    if (rc != RC_OK && rc != RC_TEMP) {
        way_break(c, w);
        return false;
    }
    w->bytes += sent;
    if (w->rest) {
        memmove(w->rest, w->rest + sent, n - sent);
    } else if (sent < n) {
        w->rest = malloc(n - sent);
        must(w->rest);
        memcpy(w->rest, p + sent, n - sent);
    }
    w->n = n - sent;
    if (w->n == 0) {
        free(w->rest);
        w->rest = NULL;
    }
    w->waits = WAITS_WRITE;
    return rc == RC_OK;
}

/* A block of what the session had not read. */
static bool take_unread(struct pump *p, struct conn *c)
{
    size_t got = 0;
    enum rc rc = fd_result(recv(c->session_fd, p->block, sizeof p->block, 0), &got);
    c->down.waits = WAITS_READ;
    if (rc == RC_OK)
        buf_put(&c->unread, p->block, got);
    if (rc == RC_OK || rc == RC_TEMP)
        return rc == RC_OK;
    buf_put(&c->unread, c->up.rest, c->up.n);
    c->over = c->whole = true;
    return false;
}

/* Reads one block and passes it on. False: nothing more can be moved now. */
static bool way_take(struct pump *p, struct conn *c, struct way *w)
{
    size_t got = 0;
    if (w == &c->down && c->given_back)
        return take_unread(p, c);
    enum rc rc = source_read(c, w, p->block, sizeof p->block, &got);
    if (rc == RC_OK)
        return got == 0 || way_put(c, w, p->block, got);
    w->waits = WAITS_READ;
    w->source_ended = rc != RC_TEMP;
    return w->source_ended;
}

static void way_step(struct pump *p, struct conn *c, struct way *w)
{
    for (int i = 0; i < TURN_BLOCKS && !w->ended && !c->over; i++) {
        bool moved = true;
        if (w->n > 0)
            moved = way_put(c, w, w->rest, w->n);
        else if (w->source_ended)
            way_end(c, w);
        else
            moved = way_take(p, c, w);
        if (!moved)
            return;
    }
    w->waits = w->ended ? WAITS_NOTHING : WAITS_TURN;
}

static void watch(struct pump *p, struct conn *c, int fd, uint32_t events, uint32_t *registered)
{
    if (events == *registered)
        return;
    int op = events == 0 ? EPOLL_CTL_DEL : *registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    struct epoll_event e = {.events = events, .data.ptr = c};
    if (epoll_ctl(p->epoll_fd, op, fd, &e) < 0)
        c->over = true; /* fs.epoll.max_user_watches: this connection cannot be served */
    else
        *registered = events;
}

static void watch_both(struct pump *p, struct conn *c)
{
    short client = (short)((c->up.waits == WAITS_READ ? c->client_reads_on : 0) |
                           (c->down.waits == WAITS_WRITE ? c->client_writes_on : 0));
    short session =
        (short)((c->down.waits == WAITS_READ ? POLLIN : 0) | (c->up.waits == WAITS_WRITE ? POLLOUT : 0));
    watch(p, c, stream_fd(c->client), (uint32_t)client, &c->client_events); /* EPOLLIN is POLLIN on Linux */
    watch(p, c, c->session_fd, (uint32_t)session, &c->session_events);
}

static void put_in(struct conn **list, struct conn *c)
{
    c->next = *list;
    *list = c;
    c->listed = true;
}

static void conn_step(struct pump *p, struct conn *c)
{
    if (c->over || c->listed)
        return;
    way_step(p, c, &c->up);
    way_step(p, c, &c->down);
    if (!c->over)
        watch_both(p, c);
    if (c->over) {
        put_in(&p->finished, c);
    } else if (c->up.waits == WAITS_TURN || c->down.waits == WAITS_TURN) {
        put_in(&p->ready, c);
    } else if (c->up.n == 0 && c->down.n == 0) {
        stream_release_buffers(c->client);
    }
}

static void conn_finish(struct pump *p, struct conn *c)
{
    struct pump_traffic traffic = {.in = c->up.bytes, .out = c->down.bytes};
    if (c->prev_all)
        c->prev_all->next_all = c->next_all;
    else
        p->all = c->next_all;
    if (c->next_all)
        c->next_all->prev_all = c->prev_all;
    if (c->whole && stream_unread(c->client, buf_str(&c->unread)) == RC_OK && !c->unread.overflow)
        watch(p, c, stream_fd(c->client), 0, &c->client_events);
    else
        stream_freep(&c->client); /* closing takes both out of epoll */
    fd_closep(&c->session_fd);
    free(c->up.rest);
    free(c->down.rest);
    buf_wipe(&c->unread); /* may hold a password */
    c->ended(c->ctx, &traffic, c->client);
    free(c);
}

/* --- the loop --- */

static struct conn *take_list(struct conn **list)
{
    struct conn *first = *list;
    *list = NULL;
    return first;
}

static void take_added(struct pump *p)
{
    uint64_t count;
    while (read(p->wake_fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&p->lock);
    struct conn *c = take_list(&p->added), *next;
    pthread_mutex_unlock(&p->lock);
    for (; c; c = next) {
        next = c->next;
        c->next_all = p->all;
        if (p->all)
            p->all->prev_all = c;
        p->all = c;
        conn_step(p, c);
    }
}

static void step_ready(struct pump *p)
{
    struct conn *c = take_list(&p->ready), *next;
    for (; c; c = next) {
        next = c->next;
        c->listed = false;
        conn_step(p, c);
    }
}

static void free_finished(struct pump *p)
{
    struct conn *c = take_list(&p->finished), *next;
    for (; c; c = next) {
        next = c->next;
        conn_finish(p, c);
    }
}

void *pump_run(void *arg)
{
    struct pump *p = arg;
    struct epoll_event events[EVENTS_MAX];
    while (!atomic_load(&p->stopping)) {
        int n = epoll_wait(p->epoll_fd, events, EVENTS_MAX, p->ready ? 0 : -1);
        must(n >= 0 || errno == EINTR);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                conn_step(p, events[i].data.ptr);
            else
                take_added(p);
        }
        step_ready(p);
        free_finished(p);
    }
    take_added(p);
    free_finished(p);
    while (p->all)
        conn_finish(p, p->all);
    return NULL;
}

/* --- in the session's process --- */

static enum rc send_mark(struct stream *io)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec iov = {"-", 1};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    int any = STDERR_FILENO; /* it is closed where it arrives */
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof any);
    memcpy(CMSG_DATA(h), &any, sizeof any);
    struct pollfd p = {.fd = stream_fd(io), .events = POLLOUT};
    return poll(&p, 1, GIVE_BACK_MS) == 1 && sendmsg(stream_fd(io), &m, MSG_NOSIGNAL) == 1 ? RC_OK : RC_GONE;
}

void pump_give_back(struct stream *io)
{
    str in;
    stream_set_deadline(io, clock_mono() + GIVE_BACK_MS);
    enum rc rc = stream_flush(io);
    if (rc == RC_OK)
        rc = send_mark(io);
    while (rc == RC_OK && (rc = stream_read(io, &in)) == RC_OK) {
        stream_write(io, in);
        stream_consume(io, in.n);
        rc = stream_flush(io);
    }
}
