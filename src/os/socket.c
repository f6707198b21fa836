/* Listening sockets and addresses. Addresses are literals: nothing here asks the DNS. */
#include "os/socket.h"

#include "os/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static enum rc parse_address(str address, int port, struct sockaddr_storage *ret, socklen_t *ret_len)
{
    char text[SOCKET_ADDRESS_MAX];
    struct sockaddr_storage a = {0};
    struct sockaddr_in *in4 = (struct sockaddr_in *)&a;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a;

    if (str_copy(text, sizeof text, str_eq(address, S("*")) ? S("0.0.0.0") : address) != RC_OK)
        return RC_INVALID;
    if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
        in4->sin_family = AF_INET;
        in4->sin_port = htons((uint16_t)port);
        *ret_len = sizeof *in4;
    } else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)port);
        *ret_len = sizeof *in6;
    } else {
        return RC_INVALID;
    }
    *ret = a;
    return RC_OK;
}

enum rc socket_listen_tcp(str address, int port, int *ret_fd, struct err *e)
{
    struct sockaddr_storage a;
    socklen_t len;
    int on = 1;

    if (parse_address(address, port, &a, &len) != RC_OK)
        return err_set(e, RC_PERM, 0, "", "'" STR_FMT "' is not an IP address", STR_ARG(address));
    AUTO(fd_closep) int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 && (errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT))
        return err_set(e, RC_GONE, 0, "", "no such address family on this machine");
    if (fd < 0)
        return err_set(e, RC_PERM, 0, "", "socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (a.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&a, len) != 0 || listen(fd, SOCKET_BACKLOG) != 0) {
        bool absent = errno == EADDRNOTAVAIL && a.ss_family == AF_INET6;
        return err_set(e, absent ? RC_GONE : RC_PERM, 0, "", "cannot listen at " STR_FMT " port %d: %s",
                       STR_ARG(address), port, strerror(errno));
    }
    *ret_fd = fd;
    fd = -1;
    return RC_OK;
}

enum rc socket_listen_unix(const char *path, unsigned mode, int *ret_fd, struct err *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct stat st;

    if (str_copy(a.sun_path, sizeof a.sun_path, str_c(path)) != RC_OK)
        return err_set(e, RC_PERM, 0, "", "the path of the socket %s is too long", path);
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(path);
    AUTO(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t old = umask((mode_t)(~mode & 0777));
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, SOCKET_BACKLOG) == 0;
    int why = errno;
    umask(old);
    if (!bound)
        return err_set(e, RC_PERM, 0, "", "cannot listen at %s: %s", path, strerror(why));
    *ret_fd = fd;
    fd = -1;
    return RC_OK;
}

enum rc socket_give_unix(const char *path, uid_t uid, gid_t gid, struct err *e)
{
    struct stat st;
    AUTO(fd_closep) int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_set(e, RC_PERM, 0, "", "%s: %s", path, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return err_set(e, RC_PERM, 0, "", "%s is no socket any more", path);
    if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) != 0)
        return err_set(e, RC_PERM, 0, "", "%s cannot be given to uid %d, gid %d: %s", path, (int)uid,
                       (int)gid, strerror(errno));
    return RC_OK;
}

enum rc socket_connect_unix(const char *path, int *ret_fd, struct err *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (str_copy(a.sun_path, sizeof a.sun_path, str_c(path)) != RC_OK)
        return err_set(e, RC_TEMP, 0, "4.4.1", "connect to %s: the path is too long", path);
    AUTO(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
        return err_set(e, RC_TEMP, 0, "4.4.1", "connect to %s: %s", path, strerror(errno));
    *ret_fd = fd;
    fd = -1;
    return RC_OK;
}

enum rc socket_peer_uid(int fd, uid_t *ret)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || len != sizeof peer)
        return RC_TEMP;
    *ret = peer.uid;
    return RC_OK;
}

enum rc socket_accept(int listen_fd, int *ret_fd, struct sockaddr_storage *ret_peer)
{
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof peer;
    int on = 1, fd;
    /* a connection that was torn down before it was accepted is nobody's failure */
    while ((fd = accept4(listen_fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC)) < 0 &&
           (errno == EINTR || errno == ECONNABORTED || errno == EPROTO))
        len = sizeof peer;
    if (fd < 0)
        return errno == EBADF || errno == EINVAL || errno == ENOTSOCK ? RC_GONE : RC_TEMP;
    if (peer.ss_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *ret_fd = fd;
    *ret_peer = peer;
    return RC_OK;
}

void socket_address_text(const struct sockaddr_storage *a, char ret[SOCKET_ADDRESS_MAX], int *ret_port)
{
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)a;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a;
    int port = 0;

    must(str_copy(ret, SOCKET_ADDRESS_MAX, S("local")) == RC_OK);
    if (a->ss_family == AF_INET) {
        inet_ntop(AF_INET, &in4->sin_addr, ret, SOCKET_ADDRESS_MAX);
        port = ntohs(in4->sin_port);
    } else if (a->ss_family == AF_INET6) {
        bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
        inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? in6->sin6_addr.s6_addr + 12 : in6->sin6_addr.s6_addr,
                  ret, SOCKET_ADDRESS_MAX);
        port = ntohs(in6->sin6_port);
    }
    if (ret_port)
        *ret_port = port;
}

void socket_local(int fd, struct sockaddr_storage *ret)
{
    socklen_t len = sizeof *ret;
    *ret = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    if (getsockname(fd, (struct sockaddr *)ret, &len) != 0)
        ret->ss_family = AF_UNSPEC;
}

bool socket_is_loopback(const struct sockaddr_storage *a)
{
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)a;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a;
    if (a->ss_family == AF_INET)
        return (ntohl(in4->sin_addr.s_addr) >> 24) == 127;
    if (a->ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ||
               (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) && in6->sin6_addr.s6_addr[12] == 127);
    return a->ss_family == AF_UNIX;
}

void socket_client_key(const struct sockaddr_storage *a, struct socket_client *ret)
{
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)a;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a;
    *ret = (struct socket_client){.family = (unsigned char)a->ss_family};
    if (a->ss_family == AF_INET)
        memcpy(ret->bytes, &in4->sin_addr, 4);
    if (a->ss_family != AF_INET6)
        return;
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        ret->family = AF_INET;
        memcpy(ret->bytes, in6->sin6_addr.s6_addr + 12, 4);
    } else {
        memcpy(ret->bytes, in6->sin6_addr.s6_addr, 8);
    }
}

void socket_from_ip(const uint8_t address[16], int port, struct sockaddr_storage *ret)
{
    struct sockaddr_in *in4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
    struct in6_addr whole;
    memcpy(&whole, address, sizeof whole);
    *ret = (struct sockaddr_storage){.ss_family = IN6_IS_ADDR_V4MAPPED(&whole) ? AF_INET : AF_INET6};
    if (ret->ss_family == AF_INET)
        memcpy(&in4->sin_addr, address + 12, 4);
    else
        in6->sin6_addr = whole;
    socket_set_port(ret, port);
}

void socket_set_port(struct sockaddr_storage *a, int port)
{
    if (a->ss_family == AF_INET)
        ((struct sockaddr_in *)(void *)a)->sin_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in6 *)(void *)a)->sin6_port = htons((uint16_t)port);
}
