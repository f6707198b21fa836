/* Addresses of look-up servers. */
#include "table/server.h"

#include "os/file.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>

static void keep(struct server *s, const struct sockaddr *sa, socklen_t n)
{
    if (s->n == SERVER_ADDRESSES_MAX || n > sizeof s->v[0].sa)
        return;
    memcpy(&s->v[s->n].sa, sa, n);
    s->v[s->n++].n = n;
}

enum rc server_set_name(struct table *t, str host_port, struct server *ret, struct err *e)
{
    ptrdiff_t colon = str_rchr(host_port, ':');
    str name = colon > 0 ? str_sub(host_port, 0, (size_t)colon) : STR_NONE;
    if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
        name = str_sub(name, 1, name.n - 2);
    if (name.n == 0 || str_copy(ret->host, sizeof ret->host, name) != RC_OK ||
        str_copy(ret->port, sizeof ret->port, str_from(host_port, (size_t)colon + 1)) != RC_OK ||
        ret->port[0] == '\0')
        return table_fail(t, e, RC_PERM, "expected host:port");
    if (ret->port[strspn(ret->port, "0123456789")] != '\0' && !getservbyname(ret->port, "tcp"))
        return table_fail(t, e, RC_PERM, "there is no service \"%s\"", ret->port);
    return RC_OK;
}

static enum rc resolve(struct table *t, struct server *s, struct err *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int code = getaddrinfo(s->host, s->port, &hints, &list);
    if (code != 0)
        return table_fail(t, e, RC_TEMP, "%s has no address: %s", s->host, gai_strerror(code));
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        keep(s, a->ai_addr, a->ai_addrlen);
    freeaddrinfo(list);
    return RC_OK;
}

enum rc server_set_path(struct table *t, str path, struct server *ret, struct err *e)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    if (path.n == 0 || str_copy(sa.sun_path, sizeof sa.sun_path, path) != RC_OK)
        return table_fail(t, e, RC_PERM, "the path of a socket has at most %zu bytes",
                          sizeof sa.sun_path - 1);
    keep(ret, (const struct sockaddr *)&sa, sizeof sa);
    return RC_OK;
}

enum rc server_set_place(struct table *t, str place, struct server *ret, struct err *e)
{
    if (str_starts(place, S("unix:")))
        return server_set_path(t, str_from(place, 5), ret, e);
    if (str_starts(place, S("inet:")))
        return server_set_name(t, str_from(place, 5), ret, e);
    return table_fail(t, e, RC_PERM, "expected inet:host:port or unix:/path");
}

/* Connects a non-blocking socket; the errno of a failure, 0 otherwise. */
static int connect_until(int fd, const struct server_address *address, msec deadline)
{
    int code = 0;
    socklen_t n = sizeof code;
    if (connect(fd, (const struct sockaddr *)&address->sa, address->n) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    msec left = deadline - clock_mono();
    if (left <= 0 || poll(&p, 1, (int)left) <= 0)
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &n) == 0 ? code : errno;
}

/* Its folder or its mode are not for this process. */
static enum rc connect_by_other(struct table *t, const struct server_address *address, size_t in_max,
                                struct stream **ret, struct err *e)
{
    const struct sockaddr_un *sa = (const struct sockaddr_un *)&address->sa;
    struct err why = {0};
    int fd = -1;
    if (t->env.connect(t->env.connect_ctx, str_c(sa->sun_path), &fd, &why) != RC_OK)
        return table_fail(t, e, RC_TEMP, "cannot connect: %s", err_text(&why));
    *ret = stream_new(fd, in_max);
    return RC_OK;
}

enum rc server_connect(struct table *t, const struct server *s, size_t in_max, msec deadline,
                       struct stream **ret, struct err *e)
{
    struct server now = *s; /* any number of threads connect at once */
    int code = EADDRNOTAVAIL;
    if (s->host[0] && resolve(t, &now, e) != RC_OK)
        return RC_TEMP;
    for (size_t i = 0; i < now.n; i++) {
        AUTO(fd_closep)
        int fd = socket(now.v[i].sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        code = fd < 0 ? errno : connect_until(fd, &now.v[i], deadline);
        if (code == EACCES && now.v[i].sa.ss_family == AF_UNIX && t->env.connect)
            return connect_by_other(t, &now.v[i], in_max, ret, e);
        if (code == 0) {
            *ret = stream_new(fd, in_max);
            fd = -1;
            return RC_OK;
        }
    }
    return table_fail(t, e, RC_TEMP, "cannot connect: %s", strerror(code));
}

enum rc server_send(struct table *t, struct stream *s, str request, msec deadline, struct err *e)
{
    stream_set_deadline(s, deadline);
    stream_write(s, request);
    return stream_flush(s) == RC_OK ? RC_OK : table_fail(t, e, RC_INVALID, "the server cannot be asked");
}

enum rc server_read(struct table *t, struct stream *s, server_reply_parser *parse, struct buf *in, str *ret,
                    struct err *e)
{
    str bytes, payload;
    size_t used;
    for (;;) {
        if (stream_read(s, &bytes) != RC_OK)
            return table_fail(t, e, RC_INVALID, "the server does not answer");
        buf_puts(in, bytes);
        stream_consume(s, bytes.n);
        enum rc rc = in->overflow ? RC_LIMIT : parse(buf_str(in), &payload, &used);
        if (rc == RC_TEMP)
            continue;
        if (rc != RC_OK || used < in->n)
            return table_fail(t, e, RC_INVALID, "the server's reply is none");
        *ret = payload;
        return RC_OK;
    }
}
