/* Sessions that are parked (doc/architecture.md, *Parking*): their processes have ended, login still has the
 * connections, and what there is to go on with is here: the identity that was redeemed at log-in, a record
 * that is not read here, and the stream, of which no byte is taken. So nobody can say for whom a record is,
 * and what a client sends waits in the stream for the process that goes on. */
#include "base/log.h"
#include "os/file.h"
#include "role/mailbox_impl.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { SIGN_MAX = 100, END_MAX = 1000, LOOK_AGAIN_MS = 1000, HOUR_MS = 3600 * 1000, LIST_MAX = 3 << 20 };

struct park { /* the fields of PARK */
    str record, sign, end;
    msec deadline;
    bool idling;
    uint32_t sign_ms;
};

static void park_get(struct ipc_msg *m, struct park *ret)
{
    ret->record = ipc_get_str(m, PARKED_MAX);
    ret->deadline = (msec)(ipc_get_u64(m) & INT64_MAX);
    ret->idling = ipc_get_u32(m) == 1;
    ret->sign_ms = ipc_get_u32(m);
    ret->sign = ipc_get_str(m, SIGN_MAX);
    ret->end = ipc_get_str(m, END_MAX);
}

static struct park park_of(const struct session *s)
{
    struct ipc_msg m = {.fields = str_mem(s->secret + s->identity_bytes, s->park_bytes)};
    struct park p;
    park_get(&m, &p);
    must(!m.malformed);
    return p;
}

str park_record(const struct session *s)
{
    return s->park_bytes > 0 ? park_of(s).record : STR_NONE;
}

/* One descriptor each; most of the others are for those that are served. */
bool park_room(const struct mailbox *mb)
{
    struct rlimit lim;
    return getrlimit(RLIMIT_NOFILE, &lim) == 0 && mb->n_parked < lim.rlim_cur / 4 * 3;
}

/* --- a session parks --- */

static void keep(struct mailbox *mb, struct session *s, str fields)
{
    char *both = secret_heap_take(mb->secrets, s->identity_bytes + fields.n);
    memcpy(both, s->secret, s->identity_bytes);
    memcpy(both + s->identity_bytes, fields.p, fields.n);
    secret_heap_give(mb->secrets, s->secret, s->identity_bytes + s->park_bytes);
    s->secret = both;
    s->park_bytes = fields.n;
}

bool park_message(struct mailbox *mb, struct session *s, struct ipc_msg *m)
{
    struct park p;
    str fields = m->fields;
    park_get(m, &p);
    AUTO(fd_closep) int stream = ipc_take_fd(m);
    if (ipc_end(m) != RC_OK || !s->imap || s->host || s->stream_fd >= 0 || p.record.n == 0 || p.sign_ms == 0)
        return false;
    keep(mb, s, fields);
    s->stream_fd = stream;
    stream = -1;
    s->deadline = p.deadline;
    s->idling = p.idling;
    s->next_sign = clock_mono() + p.sign_ms;
    return true;
}

static msec due_of(const struct session *s)
{
    return s->idling && s->next_sign < s->deadline ? s->next_sign : s->deadline;
}

/* The client is gone, and nobody waits for a process to find that out. */
static void client_gone(struct mailbox *mb, struct session *s)
{
    str end = park_of(s).end;
    log_info_of(LOG_AS_DOVECOT, "imap(%s)<%d><%s>: " STR_FMT, s->account, (int)getpid(), s->session_id,
                STR_ARG(end));
    session_free(mb, s);
}

static void stream_ready(struct mailbox *mb, struct source *src)
{
    struct session *s = (struct session *)src;
    char byte;
    ssize_t n = recv(src->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0)
        park_wake(mb, s);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        client_gone(mb, s);
}

void park_begin(struct mailbox *mb, struct session *s)
{
    session_unlist(s);
    session_list(&mb->parked, s);
    mb->n_parked++;
    s->number = ++mb->last_number;
    s->pid = 0;
    s->source = (struct source){.fd = s->stream_fd, .ready = stream_ready};
    s->stream_fd = -1;
    if (source_add(mb, &s->source) != RC_OK) {
        log_error("session of %s cannot park: %s", s->account, strerror(errno));
        session_free(mb, s);
        return;
    }
    if (s->idling && s->woken)
        park_wake(mb, s);
    if (mb->next_parked == 0 || due_of(s) < mb->next_parked)
        mb->next_parked = due_of(s);
}

/* Title as in session.c. The reader is somebody with root's rights who has to read. */
void park_list(const struct mailbox *mb, int fd)
{
    AUTO(buf_deinit) struct buf lines = BUF_INIT(LIST_MAX);
    const struct timeval wait = {.tv_usec = 500 * 1000};
    for (const struct session *s = mb->parked; s; s = s->next)
        buf_printf(&lines, "parked\t%d\t%u\timap %s %s\n", (int)getpid(), s->number, s->account, s->client);
    if (fd_set_nonblocking(fd, false) != RC_OK ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0 ||
        fd_write_all(fd, buf_str(&lines)) != RC_OK)
        log_debug("status: the reader went away");
}

void park_kick(struct mailbox *mb, uint32_t number)
{
    struct session *s = mb->parked;
    while (s && s->number != number)
        s = s->next;
    if (s && !s->waiting)
        client_gone(mb, s);
}

/* --- and goes on --- */

void park_wake(struct mailbox *mb, struct session *s)
{
    if (s->waiting)
        return;
    epoll_ctl(mb->epoll, EPOLL_CTL_DEL, s->source.fd, NULL); /* input would be reported without end */
    s->waiting = true;
    s->next_waiting = NULL;
    if (!mb->waiting)
        mb->last_waiting = &mb->waiting;
    *mb->last_waiting = s;
    mb->last_waiting = &s->next_waiting;
}

void park_start_waiting(struct mailbox *mb)
{
    while (mb->waiting && mb->n_sessions < (unsigned)mb->role->conf->mailbox_process_limit) {
        struct session *s = mb->waiting;
        struct err e = {0};
        mb->waiting = s->next_waiting;
        s->waiting = false;
        if (session_resume(mb, s, &e) == RC_OK)
            continue;
        log_error("session of %s cannot go on: %s", s->account, err_text(&e));
        session_free(mb, s);
    }
}

/* What the client or login does not take now is left out: it is a sign that has its use in being tried. */
static void send_sign(struct session *s, msec now)
{
    struct park p = park_of(s);
    if (send(s->source.fd, p.sign.p, p.sign.n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        log_debug("session of %s: a sign of life was not taken", s->account);
    s->next_sign = now + p.sign_ms;
}

msec park_due(struct mailbox *mb)
{
    msec now = clock_mono(), next = now + HOUR_MS;
    if (!mb->parked)
        return 0;
    if (now < mb->next_parked)
        return mb->next_parked;
    for (struct session *s = mb->parked; s; s = s->next) {
        if (s->waiting)
            continue;
        if (now >= s->deadline)
            park_wake(mb, s);
        else if (s->idling && now >= s->next_sign)
            send_sign(s, now);
        if (due_of(s) < next)
            next = due_of(s);
    }
    /* they are looked through once a second at most */
    mb->next_parked = next < now + LOOK_AGAIN_MS ? now + LOOK_AGAIN_MS : next;
    return mb->next_parked;
}
