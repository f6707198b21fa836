/* Typed messages over SOCK_SEQPACKET. Header: u16 type, u16 descriptors, u32 length, little endian (the only
 * architecture question: both ends are one program on one machine, so bytes are copied as they lie). */
#include "os/ipc.h"

#include "base/log.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct ipc_header {
    uint16_t type;
    uint16_t n_fds;
    uint32_t length;
};

void ipc_begin(struct buf *b, uint16_t type)
{
    struct ipc_header h = {.type = type};
    buf_reset(b);
    buf_put(b, &h, sizeof h);
}

void ipc_put_u32(struct buf *b, uint32_t v)
{
    buf_put(b, &v, sizeof v);
}

void ipc_put_u64(struct buf *b, uint64_t v)
{
    buf_put(b, &v, sizeof v);
}

void ipc_put_str(struct buf *b, str s)
{
    ipc_put_u32(b, s.n > IPC_LARGE_MAX ? IPC_LARGE_MAX + 1 : (uint32_t)s.n);
    buf_puts(b, s);
}

enum rc ipc_send(int fd, struct buf *b, const int *fds, unsigned n_fds, int flags)
{
    if (b->overflow || b->n > IPC_LARGE_MAX || n_fds > IPC_FDS_MAX)
        return RC_LIMIT;
    must(b->n >= sizeof(struct ipc_header));
    struct ipc_header *h = (struct ipc_header *)(void *)b->p;
    h->n_fds = (uint16_t)n_fds;
    h->length = (uint32_t)(b->n - sizeof *h);

    struct iovec iov = {b->p, b->n};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
    } control = {0};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n_fds > 0) {
        msg.msg_control = control.space;
        msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
    }
    int how = MSG_NOSIGNAL | (flags & IPC_NOWAIT ? MSG_DONTWAIT : 0);
    while (sendmsg(fd, &msg, how) < 0) {
        if (errno == EINTR)
            continue;
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ETOOMANYREFS ? RC_LIMIT
                                                                                                    : RC_GONE;
    }
    return RC_OK;
}

/* Waits until fd can be read. deadline as in ipc_recv. */
static enum rc wait_readable(int fd, msec deadline)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    for (;;) {
        msec left = -1;
        if (deadline >= 0) {
            left = deadline == 0 ? 0 : deadline - clock_mono();
            if (left < 0)
                left = 0;
        }
        int n = poll(&p, 1, left > 3600000 ? 3600000 : (int)left);
        if (n > 0)
            return RC_OK;
        if (n < 0 && errno != EINTR)
            return RC_GONE;
        if (deadline >= 0 && (deadline == 0 || clock_mono() >= deadline))
            return RC_TEMP;
    }
}

static void collect_fds(struct msghdr *msg, struct ipc_msg *ret)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
            if (ret->n_fds < IPC_FDS_MAX)
                ret->fds[ret->n_fds++] = fd;
            else
                close(fd);
        }
    }
}

enum rc ipc_recv(int fd, struct buf *b, struct ipc_msg *ret, msec deadline)
{
    struct ipc_msg m = {.type = 0};
    buf_reset(b);
    char *room = buf_room(b, b->max);
    must(room);

    struct iovec iov = {room, b->max};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
    } control;
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.space,
                         .msg_controllen = sizeof control.space};
    ssize_t n;
    if (deadline > 0) { /* a reply: never there yet, so wait first */
        enum rc rc = wait_readable(fd, deadline);
        if (rc != RC_OK)
            return rc;
    }
    /* without a deadline the call itself waits: one system call less on the hot path */
    int how = MSG_CMSG_CLOEXEC | (deadline < 0 ? 0 : MSG_DONTWAIT);
    while ((n = recvmsg(fd, &msg, how)) < 0) {
        /* reset, told once: the other side closed with a message of ours unread; what it sent is still here
         */
        if (errno == EINTR || errno == ECONNRESET)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return RC_GONE;
        enum rc rc = wait_readable(fd, deadline);
        if (rc != RC_OK)
            return rc;
    }
    collect_fds(&msg, &m);
    struct ipc_header h;
    if (n == 0 || (msg.msg_flags & MSG_CTRUNC)) {
        ipc_msg_deinit(&m); /* an empty message may carry descriptors too */
        return n == 0 ? RC_GONE : RC_LIMIT;
    }
    bool whole = (size_t)n >= sizeof h && !(msg.msg_flags & MSG_TRUNC);
    if (whole) {
        memcpy(&h, room, sizeof h);
        whole = h.length == (size_t)n - sizeof h && h.n_fds == m.n_fds;
    }
    if (!whole) {
        ipc_msg_deinit(&m);
        return RC_INVALID;
    }
    buf_added(b, (size_t)n);
    m.type = h.type;
    m.fields = str_from(buf_str(b), sizeof h);
    *ret = m;
    return RC_OK;
}

static void get_bytes(struct ipc_msg *m, void *p, size_t n)
{
    memset(p, 0, n);
    if (m->malformed || m->fields.n < n) {
        m->malformed = true;
        return;
    }
    memcpy(p, m->fields.p, n);
    m->fields = str_from(m->fields, n);
}

uint32_t ipc_get_u32(struct ipc_msg *m)
{
    uint32_t v;
    get_bytes(m, &v, sizeof v);
    return v;
}

uint64_t ipc_get_u64(struct ipc_msg *m)
{
    uint64_t v;
    get_bytes(m, &v, sizeof v);
    return v;
}

str ipc_get_str(struct ipc_msg *m, size_t max)
{
    uint32_t n = ipc_get_u32(m);
    if (m->malformed || n > max || n > m->fields.n) {
        m->malformed = true;
        return STR_NONE;
    }
    str s = str_sub(m->fields, 0, n);
    m->fields = str_from(m->fields, n);
    return s;
}

int ipc_take_fd(struct ipc_msg *m)
{
    if (m->n_fds == 0) {
        m->malformed = true;
        return -1;
    }
    int fd = m->fds[0];
    m->n_fds--;
    memmove(m->fds, m->fds + 1, m->n_fds * sizeof m->fds[0]);
    return fd;
}

enum rc ipc_end(struct ipc_msg *m)
{
    return m->malformed || m->fields.n > 0 || m->n_fds > 0 ? RC_INVALID : RC_OK;
}

void ipc_msg_deinit(struct ipc_msg *m)
{
    while (m->n_fds > 0)
        close(m->fds[--m->n_fds]);
}

enum rc ipc_pair(int ret_fd[2])
{
    int fd[2], room = IPC_LARGE_MAX;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
        return RC_TEMP;
    for (int i = 0; i < 2; i++) /* the system doubles it; else its default counts, mostly 208 KiB */
        (void)setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    ret_fd[0] = fd[0];
    ret_fd[1] = fd[1];
    return RC_OK;
}

void ipc_refuse(int fd)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(64);
    ipc_begin(&b, IPC_REFUSED);
    if (ipc_send(fd, &b, NULL, 0, IPC_NOWAIT) != RC_OK)
        log_debug("a refusal cannot be sent");
}

static _Noreturn void refused(void)
{
    log_error("another role refused a malformed message of this one: ending");
    _exit(1);
}

void ipc_end_if_refused(int fd)
{
    struct buf b AUTO(buf_deinit) = BUF_INIT(IPC_MAX);
    struct ipc_msg m;
    enum rc rc = ipc_recv(fd, &b, &m, 0);
    if (rc == RC_GONE) /* the first read may tell of what the other side left unread */
        rc = ipc_recv(fd, &b, &m, 0);
    if (rc != RC_OK)
        return;
    if (m.type == IPC_REFUSED)
        refused();
    ipc_msg_deinit(&m);
}

enum rc ipc_call(int fd, struct buf *b, const int *fds, unsigned n_fds, uint16_t reply_type,
                 struct ipc_msg *ret, msec deadline)
{
    struct ipc_msg m;
    enum rc rc = ipc_send(fd, b, fds, n_fds, 0);
    if (rc == RC_OK)
        rc = ipc_recv(fd, b, &m, deadline);
    if (rc != RC_OK)
        return rc;
    if (m.type == IPC_REFUSED)
        refused();
    if (m.type != reply_type) {
        ipc_msg_deinit(&m);
        return RC_INVALID;
    }
    *ret = m;
    return RC_OK;
}

int ipc_memfd(const char *name, str content)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -1;
    if (fd_write_all(fd, content) != RC_OK ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool ipc_is_sealed(int fd)
{
    int want = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & want) == want;
}
