#include "net/dial.h"

#include "net/dial_proxy.h"
#include "os/file.h"
#include "os/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static socklen_t size_of(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* 0, or what errno would say. */
static int wait_connected(int fd, msec deadline)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int code = 0;
    socklen_t n = sizeof code;
    for (;;) {
        msec left = deadline - clock_mono();
        int ready = left > 0 ? poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left) : 0;
        if (ready > 0)
            return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &n) == 0 ? code : errno;
        if (ready == 0)
            return ETIMEDOUT;
        if (errno != EINTR)
            return errno;
    }
}

static int connect_to(int fd, const struct sockaddr_storage *to, const struct sockaddr_storage *source,
                      msec deadline)
{
    int on = 1;
    if (source->ss_family == to->ss_family && bind(fd, (const struct sockaddr *)source, size_of(source)) != 0)
        return errno;
    (void)!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (const struct sockaddr *)to, size_of(to)) == 0)
        return 0;
    return errno == EINPROGRESS || errno == EINTR ? wait_connected(fd, deadline) : errno;
}

/* What went wrong, in errno's or the proxy's words; NULL: nothing. */
static const char *connect_on_way(int fd, const struct sockaddr_storage *to, const struct dial_way *way,
                                  msec deadline, char room[100])
{
    const struct sockaddr_storage *next = way->proxy.ss_family ? &way->proxy : to;
    int code =
        fd < 0 ? errno : connect_to(fd, next, next->ss_family == AF_INET ? &way->v4 : &way->v6, deadline);
    const char *why = code == ETIMEDOUT ? "Connection timed out" : code ? strerror(code) : NULL;
    if (next == to)
        return why;
    if (why)
        snprintf(room, 100, "the proxy cannot be reached: %s", why);
    return why || dial_proxy_ask(fd, way, to, deadline, room) != RC_OK ? room : NULL;
}

enum rc dial(const struct sockaddr_storage *to, const struct dial_way *way, const char *name, msec deadline,
             int *ret_fd, struct err *e)
{
    char text[SOCKET_ADDRESS_MAX], room[100];
    int port = 0, family = way->proxy.ss_family ? way->proxy.ss_family : to->ss_family;
    AUTO(fd_closep) int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const char *why = connect_on_way(fd, to, way, deadline, room);
    if (why) {
        socket_address_text(to, text, &port);
        return err_set(e, RC_TEMP, 0, "4.4.1", "connect to %s[%s]:%d: %s", name, text, port, why);
    }
    *ret_fd = fd;
    fd = -1;
    return RC_OK;
}
