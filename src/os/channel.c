/* Channels over links: the asking side's pool and the answering side's threads.
 *
 * Every channel belongs to one generation of its link; when the link is replaced, idle channels of older
 * generations are closed and busy ones when they are released. */
#include "os/channel.h"

#include "base/log.h"
#include "os/file.h"
#include "os/thread.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ASK_AGAIN_MAX = 2 };

struct channel {
    struct channel_pool *pool;
    struct channel *next;
    int fd;
    unsigned generation;
};

struct channel_pool {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a channel came back, or the link changed */
    int link;
    unsigned generation;
    unsigned open, max;
    msec link_wait;
    struct channel *idle;
};

struct channel_pool *channel_pool_new(unsigned max_channels, msec link_wait_ms)
{
    struct channel_pool *p = calloc(1, sizeof *p);
    must(p);
    must(pthread_mutex_init(&p->lock, NULL) == 0 && thread_cond_init(&p->changed) == RC_OK);
    p->link = -1;
    p->max = max_channels;
    p->link_wait = link_wait_ms;
    return p;
}

static void channel_close(struct channel *c)
{
    c->pool->open--;
    close(c->fd);
    free(c);
}

void channel_pool_set_link(struct channel_pool *p, int link_fd)
{
    pthread_mutex_lock(&p->lock);
    fd_closep(&p->link);
    p->link = link_fd;
    p->generation++;
    while (p->idle) {
        struct channel *c = p->idle;
        p->idle = c->next;
        channel_close(c);
    }
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

struct channel_pool *channel_pool_free(struct channel_pool *p)
{
    if (!p)
        return NULL;
    channel_pool_set_link(p, -1);
    must(p->open == 0);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
    return NULL;
}

bool channel_pool_has_link(struct channel_pool *p)
{
    pthread_mutex_lock(&p->lock);
    bool has = p->link >= 0;
    pthread_mutex_unlock(&p->lock);
    return has;
}

/* Whether the other side of an idle channel still lives. Nothing may be waiting on it. */
static bool channel_alive(const struct channel *c)
{
    char byte;
    return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* Opens a channel's pair over the link; called with the lock held. */
static enum rc open_pair(struct channel_pool *p, int *ret_fd)
{
    int fd[2];
    if (ipc_pair(fd) != RC_OK)
        return RC_TEMP;
    struct buf b = BUF_INIT(64);
    ipc_begin(&b, IPC_CHANNEL_OPEN);
    enum rc rc = ipc_send(p->link, &b, &fd[1], 1, IPC_NOWAIT);
    buf_deinit(&b);
    close(fd[1]);
    if (rc != RC_OK) {
        close(fd[0]);
        if (rc == RC_GONE) {
            ipc_end_if_refused(p->link);
            fd_closep(&p->link); /* the master will hand over another */
        }
        return rc;
    }
    *ret_fd = fd[0];
    return RC_OK;
}

static enum rc channel_open(struct channel_pool *p, struct channel **ret)
{
    int fd;
    enum rc rc = open_pair(p, &fd);
    if (rc != RC_OK)
        return rc;
    struct channel *c = calloc(1, sizeof *c);
    must(c);
    c->pool = p;
    c->fd = fd;
    c->generation = p->generation;
    p->open++;
    *ret = c;
    return RC_OK;
}

int channel_pool_lend(struct channel_pool *p)
{
    int fd = -1;
    pthread_mutex_lock(&p->lock);
    if (p->link >= 0 && open_pair(p, &fd) != RC_OK)
        fd = -1;
    pthread_mutex_unlock(&p->lock);
    return fd;
}

enum rc channel_take(struct channel_pool *p, struct channel **ret, msec deadline)
{
    msec link_deadline = clock_mono() + p->link_wait;
    enum rc rc = RC_TEMP;
    struct channel *c = NULL;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        if (p->idle) {
            c = p->idle;
            p->idle = c->next;
            if (channel_alive(c))
                break;
            ipc_end_if_refused(c->fd);
            channel_close(c);
            c = NULL;
            continue;
        }
        bool can_open = p->link >= 0 && p->open < p->max;
        if (can_open && (rc = channel_open(p, &c)) == RC_OK)
            break;
        if (can_open && rc == RC_TEMP)
            break; /* out of descriptors: waiting does not help */
        /* RC_LIMIT: the link's queue is full for a moment; RC_GONE or no link: wait for the master */
        msec until = p->link < 0 && link_deadline < deadline ? link_deadline : deadline;
        if (can_open && rc == RC_LIMIT && clock_mono() + 20 < until)
            until = clock_mono() + 20;
        if (!thread_cond_wait(&p->changed, &p->lock, until) &&
            clock_mono() >= (p->link < 0 ? link_deadline : deadline))
            break;
    }
    pthread_mutex_unlock(&p->lock);
    if (!c)
        return RC_TEMP;
    *ret = c;
    return RC_OK;
}

enum rc channel_call(struct channel *c, struct buf *b, const int *fds, unsigned n_fds, uint16_t reply_type,
                     struct ipc_msg *ret, msec deadline)
{
    enum rc rc = ipc_call(c->fd, b, fds, n_fds, reply_type, ret, deadline);
    if (rc == RC_INVALID)
        log_error("malformed answer on a channel (reply %u expected)", reply_type);
    return rc;
}

void channel_release(struct channel **cp, bool broken)
{
    struct channel *c = *cp;
    if (!c)
        return;
    struct channel_pool *p = c->pool;
    pthread_mutex_lock(&p->lock);
    if (broken || c->generation != p->generation) {
        channel_close(c);
    } else {
        c->next = p->idle;
        p->idle = c;
    }
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    *cp = NULL;
}

/* RC_GONE: the other side ended before it answered. */
static enum rc call_once(struct channel_pool *p, struct buf *b, const int *fds, unsigned n_fds,
                         uint16_t reply_type, struct ipc_msg *ret, msec deadline)
{
    struct channel *c = NULL;
    enum rc rc = channel_take(p, &c, deadline);
    if (rc != RC_OK)
        return rc;
    rc = channel_call(c, b, fds, n_fds, reply_type, ret, deadline);
    channel_release(&c, rc != RC_OK);
    return rc == RC_OK || rc == RC_GONE ? rc : RC_TEMP;
}

enum rc channel_pool_call(struct channel_pool *p, struct buf *b, const int *fds, unsigned n_fds,
                          uint16_t reply_type, struct ipc_msg *ret, msec deadline)
{
    enum rc rc = call_once(p, b, fds, n_fds, reply_type, ret, deadline);
    return rc == RC_OK ? RC_OK : RC_TEMP;
}

enum rc channel_pool_ask(struct channel_pool *p, struct buf *b, uint16_t reply_type, struct ipc_msg *ret,
                         msec deadline)
{
    AUTO(buf_deinit) struct buf question = BUF_INIT(IPC_MAX);
    buf_puts(&question, buf_str(b)); /* the answer comes into b */
    enum rc rc = call_once(p, b, NULL, 0, reply_type, ret, deadline);
    for (int again = 0; rc == RC_GONE && again < ASK_AGAIN_MAX; again++) {
        buf_reset(b);
        buf_puts(b, buf_str(&question));
        rc = call_once(p, b, NULL, 0, reply_type, ret, deadline);
    }
    return rc == RC_OK ? RC_OK : RC_TEMP;
}

/* --- the answering side --- */

struct server { /* one served link; channels count on it; freed with the last of them */
    struct channel_service svc;
    int link;
    unsigned users, channels; /* under lock */
    pthread_mutex_t lock;
};

struct server_channel {
    struct server *server;
    int fd;
};

static void server_unref(struct server *s, bool was_channel)
{
    pthread_mutex_lock(&s->lock);
    bool last = --s->users == 0;
    if (was_channel)
        s->channels--;
    pthread_mutex_unlock(&s->lock);
    if (last) {
        if (s->svc.link_closed)
            s->svc.link_closed(s->svc.ctx);
        pthread_mutex_destroy(&s->lock);
        free(s);
    }
}

static void *channel_main(void *arg)
{
    struct server_channel ch = *(struct server_channel *)arg;
    free(arg);
    const struct channel_service *svc = &ch.server->svc;
    const size_t most = svc->large ? IPC_LARGE_MAX : IPC_MAX;
    struct buf in = BUF_INIT(most), out = BUF_INIT(most);
    struct ipc_msg m;
    void *conn = NULL;
    enum rc rc;

    while ((rc = ipc_recv(ch.fd, &in, &m, -1)) == RC_OK) {
        int fds[IPC_FDS_MAX];
        unsigned n_fds = 0;
        buf_reset(&out);
        rc = svc->handle(svc->ctx, &conn, &m, &out, fds, &n_fds);
        ipc_msg_deinit(&m);
        if (rc == RC_OK)
            rc = ipc_send(ch.fd, &out, fds, n_fds, 0);
        while (n_fds > 0)
            close(fds[--n_fds]);
        if (rc != RC_OK)
            break;
    }
    if (rc == RC_INVALID) {
        log_error("malformed request on a channel: closing it");
        ipc_refuse(ch.fd);
    }
    if (conn && svc->closed)
        svc->closed(svc->ctx, conn);
    buf_wipe(&in);
    buf_wipe(&out);
    close(ch.fd);
    server_unref(ch.server, true);
    return NULL;
}

static void server_accept(struct server *s, int fd)
{
    pthread_mutex_lock(&s->lock);
    bool room = s->channels < s->svc.max_channels;
    if (room) {
        s->channels++;
        s->users++;
    }
    pthread_mutex_unlock(&s->lock);
    if (!room) {
        log_warn("more than %u channels at once: refusing one", s->svc.max_channels);
        close(fd);
        return;
    }
    struct server_channel *ch = calloc(1, sizeof *ch);
    must(ch);
    ch->server = s;
    ch->fd = fd;
    if (thread_start(channel_main, ch, s->svc.stack_size, "channel") != RC_OK) {
        close(fd);
        free(ch);
        server_unref(s, true);
    }
}

static void *server_main(void *arg)
{
    struct server *s = arg;
    struct buf in = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    enum rc rc;
    while ((rc = ipc_recv(s->link, &in, &m, -1)) == RC_OK || rc == RC_LIMIT) {
        if (rc == RC_LIMIT) { /* that channel is closed by the loss; its asker gets RC_TEMP */
            log_error("no descriptors left for a channel");
            continue;
        }
        int fd = m.type == IPC_CHANNEL_OPEN ? ipc_take_fd(&m) : -1;
        if (fd < 0 || ipc_end(&m) != RC_OK) {
            ipc_msg_deinit(&m);
            fd_closep(&fd);
            rc = RC_INVALID;
            break;
        }
        server_accept(s, fd);
    }
    if (rc == RC_INVALID) {
        log_error("malformed message on a link: closing it");
        ipc_refuse(s->link);
    }
    buf_deinit(&in);
    close(s->link);
    server_unref(s, false);
    return NULL;
}

enum rc channel_serve(int link_fd, const struct channel_service *svc)
{
    struct server *s = calloc(1, sizeof *s);
    must(s);
    s->svc = *svc;
    s->link = link_fd;
    s->users = 1;
    must(pthread_mutex_init(&s->lock, NULL) == 0);
    enum rc rc = thread_start(server_main, s, 0, "link");
    if (rc != RC_OK) {
        close(link_fd);
        server_unref(s, false);
    }
    return rc;
}
