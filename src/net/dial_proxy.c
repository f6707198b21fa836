#include "net/dial_proxy.h"

#include "fmt/socks5.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>

struct proxy {
    int fd;
    msec deadline;
    char *why;
    char bytes[SOCKS5_REPLY_MAX]; /* what has come of the present message */
    size_t n;
};

static enum rc fail(const struct proxy *p, const char *why)
{
    snprintf(p->why, 100, "%s", why);
    return RC_TEMP;
}

static enum rc wait_for(const struct proxy *p, short events)
{
    struct pollfd pfd = {.fd = p->fd, .events = events};
    for (;;) {
        msec left = p->deadline - clock_mono();
        int ready = left > 0 ? poll(&pfd, 1, left > INT32_MAX ? INT32_MAX : (int)left) : 0;
        if (ready > 0)
            return RC_OK;
        if (ready == 0)
            return fail(p, "the proxy does not answer in time");
        if (errno != EINTR)
            return fail(p, strerror(errno));
    }
}

static enum rc say(const struct proxy *p, str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(p->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n >= 0) {
            bytes = str_from(bytes, (size_t)n);
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return fail(p, strerror(errno));
        enum rc rc = wait_for(p, POLLOUT);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static enum rc hear(struct proxy *p, size_t missing)
{
    must(p->n + missing <= sizeof p->bytes);
    while (missing > 0) {
        ssize_t n = recv(p->fd, p->bytes + p->n, missing, 0);
        if (n == 0)
            return fail(p, "the proxy closed the connection");
        if (n > 0) {
            p->n += (size_t)n;
            missing -= (size_t)n;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return fail(p, strerror(errno));
        enum rc rc = wait_for(p, POLLIN);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* The next message, as far as its parser asks. */
static enum rc hear_message(struct proxy *p, socks5_parser *parse, unsigned *ret)
{
    size_t missing = 0;
    enum rc rc;
    p->n = 0;
    while ((rc = parse(str_mem(p->bytes, p->n), &missing, ret)) == RC_TEMP) {
        rc = hear(p, missing);
        if (rc != RC_OK)
            return rc;
    }
    return rc == RC_OK ? RC_OK : fail(p, "this is no SOCKS5 proxy");
}

static enum rc log_in(struct proxy *p, const struct dial_way *way)
{
    AUTO(buf_wipe) struct buf out = BUF_INIT(3 + 2 * SOCKS5_WORD_MAX);
    unsigned status;
    must(buf_room(&out, out.max));
    socks5_put_login(&out, way->proxy_user, way->proxy_password);
    enum rc rc = say(p, buf_str(&out));
    if (rc == RC_OK)
        rc = hear_message(p, socks5_parse_login, &status);
    return rc == RC_OK && status != 0 ? fail(p, "the proxy refuses the user name or the password") : rc;
}

static enum rc greet(struct proxy *p, const struct dial_way *way)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(8);
    unsigned method;
    socks5_put_greeting(&out, way->proxy_user.n > 0);
    enum rc rc = say(p, buf_str(&out));
    if (rc == RC_OK)
        rc = hear_message(p, socks5_parse_method, &method);
    if (rc != RC_OK || method == SOCKS5_NO_LOGIN)
        return rc;
    return method == SOCKS5_PASSWORD && way->proxy_user.n > 0 ? log_in(p, way)
                                                              : fail(p, "the proxy wants another log-in");
}

static void put_connect(struct buf *out, const struct sockaddr_storage *to)
{
    const struct sockaddr_in *v4 = (const void *)to;
    const struct sockaddr_in6 *v6 = (const void *)to;
    if (to->ss_family == AF_INET)
        socks5_put_connect(out, str_mem(&v4->sin_addr, 4), ntohs(v4->sin_port));
    else
        socks5_put_connect(out, str_mem(&v6->sin6_addr, 16), ntohs(v6->sin6_port));
}

enum rc dial_proxy_ask(int fd, const struct dial_way *way, const struct sockaddr_storage *to, msec deadline,
                       char ret_why[100])
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(32);
    struct proxy p = {.fd = fd, .deadline = deadline, .why = ret_why};
    unsigned code = 0;
    enum rc rc = greet(&p, way);
    put_connect(&out, to);
    if (rc == RC_OK)
        rc = say(&p, buf_str(&out));
    if (rc == RC_OK)
        rc = hear_message(&p, socks5_parse_reply, &code);
    if (rc == RC_OK && code != 0) {
        snprintf(ret_why, 100, "the proxy says: %s", socks5_reply_text(code));
        return RC_TEMP;
    }
    return rc;
}
