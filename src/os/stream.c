/* The buffered stream of one connection (stream.h): lines, views, gathered writes.
 *
 * Input lies in one buffer; taking a line only moves `pos`, so a view stays valid until the next call that
 * reads. A line is searched for its LF once (`scanned`), however slowly it comes in. The descriptor never
 * blocks: every wait goes through stream_wait.c, which is where deadline and rate are checked. A failed write
 * is remembered, because what the peer got is then unknown and no later reply may follow it. */
#include "os/stream.h"

#include "os/stream_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    OUT_MAX = 16384, /* output gathered before it leaves by itself; one TLS record */
    READ_CHUNK = 16384,
    READ_FIRST = 2048, /* what an idle connection's first read asks for */
    DRAIN_MAX = 65536  /* unread input that is taken off before closing */
};

static void ignore_sigpipe(void)
{
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes with write(2), which has no MSG_NOSIGNAL */
}

struct stream *stream_new(int fd, size_t in_max)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, ignore_sigpipe);
    struct stream *s = calloc(1, sizeof *s);
    must(s && fd >= 0 && in_max > 0);
    s->fd = fd;
    s->deadline = STREAM_NO_DEADLINE;
    buf_init(&s->in, in_max);
    buf_init(&s->out, OUT_MAX);
    int flags = fcntl(fd, F_GETFL);
    must(flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* refused by Unix sockets */
    return s;
}

/* Closing a TCP socket with input unread sends a reset, which may destroy our last reply before the peer
 * reads it (RFC 1122 §4.2.2.13): take off what is there. */
static void drain_input(int fd)
{
    char rest[4096];
    for (size_t taken = 0; taken < DRAIN_MAX;) {
        ssize_t n = recv(fd, rest, sizeof rest, MSG_DONTWAIT);
        if (n <= 0)
            return;
        taken += (size_t)n;
    }
}

static void free_memory(struct stream *s)
{
    buf_wipe(&s->in); /* may have held a password */
    buf_wipe(&s->out);
    free(s);
}

int stream_detach(struct stream *s)
{
    int fd = s->fd;
    must(stream_buffered(s) == 0 && s->out.n == 0 && !s->tls && !s->deflate);
    free_memory(s);
    return fd;
}

struct stream *stream_free(struct stream *s)
{
    if (!s)
        return NULL;
    if (s->tls) {
        stream_tls_close_write(s->tls);
        s->tls = stream_tls_free(s->tls);
    }
    s->deflate = stream_deflate_free(s->deflate);
    drain_input(s->fd);
    close(s->fd);
    free_memory(s);
    return NULL;
}

void stream_freep(struct stream **s)
{
    *s = stream_free(*s);
}

int stream_fd(const struct stream *s)
{
    return s->fd;
}

/* --- the transport --- */

static enum rc plain_result(ssize_t done, short wants, size_t *ret_n, short *ret_wants)
{
    if (done > 0) {
        *ret_n = (size_t)done;
        return RC_OK;
    }
    if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        *ret_wants = wants;
        return RC_TEMP;
    }
    return RC_GONE;
}

enum rc stream_transport_read(struct stream *s, char *p, size_t n, size_t *ret_n, short *ret_wants)
{
    enum rc rc;
    if (s->tls) {
        rc = stream_tls_read(s->tls, p, n, ret_n, ret_wants);
    } else {
        ssize_t got;
        while ((got = recv(s->fd, p, n, 0)) < 0 && errno == EINTR)
            ;
        rc = plain_result(got, POLLIN, ret_n, ret_wants);
    }
    if (rc == RC_OK) {
        s->rate.bytes += *ret_n;
        s->traffic.in += *ret_n;
    }
    return rc;
}

static enum rc transport_write(struct stream *s, const char *p, size_t n, size_t *ret_n, short *ret_wants)
{
    enum rc rc;
    if (s->tls) {
        rc = stream_tls_write(s->tls, p, n, ret_n, ret_wants);
    } else {
        ssize_t sent;
        while ((sent = send(s->fd, p, n, MSG_NOSIGNAL)) < 0 && errno == EINTR)
            ;
        rc = plain_result(sent, POLLOUT, ret_n, ret_wants);
    }
    if (rc == RC_OK) {
        s->rate.bytes += *ret_n;
        s->traffic.out += *ret_n;
    }
    return rc;
}

struct stream_traffic stream_traffic(const struct stream *s)
{
    return s->traffic;
}

/* --- reading --- */

/* One non-blocking read into the buffer, whose unread part moves to the front first. RC_LIMIT: it is full. */
static enum rc fill(struct stream *s, short *ret_wants)
{
    if (s->pos) {
        buf_drop(&s->in, s->pos);
        s->pos = 0;
    }
    size_t free_bytes = s->in.max - s->in.n;
    if (free_bytes == 0)
        return RC_LIMIT;
    size_t want = s->in.cap <= READ_FIRST ? READ_FIRST : s->pours ? free_bytes : READ_CHUNK;
    if (want > free_bytes)
        want = free_bytes;
    char *room = buf_room(&s->in, want);
    must(room);
    size_t got = 0;
    enum rc rc = s->deflate ? stream_deflate_read(s, room, want, &got, ret_wants)
                            : stream_transport_read(s, room, want, &got, ret_wants);
    if (rc == RC_OK)
        buf_added(&s->in, got);
    s->pours |= got == READ_CHUNK;
    return rc;
}

static enum rc fill_waiting(struct stream *s)
{
    for (;;) {
        short wants = POLLIN;
        enum rc rc = fill(s, &wants);
        if (rc != RC_TEMP)
            return rc;
        rc = stream_wait_ready(s, wants);
        if (rc != RC_OK)
            return rc;
    }
}

size_t stream_buffered(const struct stream *s)
{
    return s->in.n - s->pos;
}

void stream_consume(struct stream *s, size_t n)
{
    must(n <= stream_buffered(s));
    s->pos += n;
    s->scanned = 0;
}

enum rc stream_unread(struct stream *s, str bytes)
{
    struct buf in = BUF_INIT(s->in.max);
    buf_puts(&in, bytes);
    buf_puts(&in, str_mem(s->in.p + s->pos, stream_buffered(s)));
    if (in.overflow) {
        buf_wipe(&in);
        return RC_LIMIT;
    }
    buf_wipe(&s->in);
    s->in = in;
    s->pos = s->scanned = 0;
    return RC_OK;
}

enum rc stream_read(struct stream *s, str *ret)
{
    if (stream_buffered(s) == 0) {
        enum rc rc = fill_waiting(s);
        if (rc != RC_OK)
            return rc;
    }
    *ret = str_mem(s->in.p + s->pos, stream_buffered(s));
    return RC_OK;
}

/* Finds the next LF in what is buffered; -1 when it has not come yet. */
static ptrdiff_t find_line_end(struct stream *s)
{
    if (stream_buffered(s) == s->scanned)
        return -1;
    str unread = str_mem(s->in.p + s->pos + s->scanned, stream_buffered(s) - s->scanned);
    ptrdiff_t at = str_chr(unread, '\n');
    if (at >= 0)
        return at + (ptrdiff_t)s->scanned;
    s->scanned = stream_buffered(s);
    return -1;
}

/* Takes the line whose LF is at offset lf. */
static enum rc take_line(struct stream *s, size_t lf, size_t max, str *ret, enum line_end *ret_end)
{
    str line = str_mem(s->in.p + s->pos, lf);
    enum line_end end = LINE_LF;
    if (line.n && line.p[line.n - 1] == '\r') {
        end = LINE_CRLF;
        line.n--;
    }
    stream_consume(s, lf + 1);
    if (s->discarding) {
        s->discarding = false;
        return RC_TEMP; /* only the end of a line that was refused before */
    }
    if (line.n > max)
        return RC_LIMIT;
    *ret = line;
    *ret_end = end;
    return RC_OK;
}

enum rc stream_read_line(struct stream *s, size_t max, str *ret, enum line_end *ret_end)
{
    for (;;) {
        ptrdiff_t lf = find_line_end(s);
        if (lf >= 0) {
            enum rc rc = take_line(s, (size_t)lf, max, ret, ret_end);
            if (rc != RC_TEMP)
                return rc;
            continue;
        }
        if (s->discarding) {
            stream_consume(s, stream_buffered(s));
        } else if (stream_buffered(s) > max + 1 || stream_buffered(s) == s->in.max) {
            s->discarding = true; /* longer than max even when its last byte is a CR */
            stream_consume(s, stream_buffered(s));
            return RC_LIMIT;
        }
        enum rc rc = fill_waiting(s);
        if (rc != RC_OK)
            return rc;
    }
}

bool stream_readable(struct stream *s)
{
    short wants;
    return stream_buffered(s) > 0 || fill(s, &wants) != RC_TEMP;
}

enum rc stream_wait(struct stream *s, int other_fd, bool *ret_other)
{
    *ret_other = false;
    while (stream_buffered(s) == 0) {
        short wants = POLLIN;
        enum rc rc = fill(s, &wants);
        if (rc == RC_TEMP)
            rc = stream_wait_either(s, wants, other_fd, ret_other);
        if (rc != RC_OK || *ret_other)
            return rc;
    }
    return RC_OK;
}

/* --- writing --- */

void stream_send_raw(struct stream *s, str bytes)
{
    while (bytes.n && s->failed == RC_OK) {
        size_t sent = 0;
        short wants = POLLOUT;
        enum rc rc = transport_write(s, bytes.p, bytes.n, &sent, &wants);
        if (rc == RC_OK)
            bytes = str_from(bytes, sent);
        else if (rc == RC_TEMP)
            s->failed = stream_wait_ready(s, wants);
        else
            s->failed = rc;
    }
}

static void send_all(struct stream *s, str bytes)
{
    if (s->deflate)
        stream_deflate_write(s, bytes);
    else
        stream_send_raw(s, bytes);
}

static void send_gathered(struct stream *s)
{
    send_all(s, buf_str(&s->out));
    buf_reset(&s->out);
}

void stream_write(struct stream *s, str bytes)
{
    while (bytes.n && s->failed == RC_OK) {
        if (s->out.n == 0 && bytes.n >= OUT_MAX) {
            send_all(s, bytes);
            return;
        }
        size_t n = OUT_MAX - s->out.n < bytes.n ? OUT_MAX - s->out.n : bytes.n;
        buf_put(&s->out, bytes.p, n);
        bytes = str_from(bytes, n);
        if (s->out.n == OUT_MAX)
            send_gathered(s);
    }
}

void stream_printf(struct stream *s, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    must(n >= 0);
    stream_write(s, str_mem(text, (size_t)n));
    free(text);
}

enum rc stream_flush(struct stream *s)
{
    send_gathered(s);
    if (s->deflate)
        stream_deflate_flush(s);
    return s->failed;
}

bool stream_writable(const struct stream *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};
    return poll(&p, 1, 0) != 0;
}

enum rc stream_start_deflate(struct stream *s)
{
    must(!s->deflate && s->out.n == 0);
    if (stream_buffered(s) > STREAM_DEFLATE_FIRST_MAX)
        return RC_LIMIT;
    s->deflate = stream_deflate_new(str_mem(s->in.p + s->pos, stream_buffered(s)));
    stream_consume(s, stream_buffered(s));
    return RC_OK;
}

bool stream_is_deflated(const struct stream *s)
{
    return s->deflate != NULL;
}

/* --- for a pump --- */

enum rc stream_try_read(struct stream *s, char *p, size_t n, size_t *ret_n, short *ret_wants)
{
    size_t waiting = stream_buffered(s);
    if (waiting == 0)
        return stream_transport_read(s, p, n, ret_n, ret_wants);
    if (waiting > n)
        waiting = n;
    memcpy(p, s->in.p + s->pos, waiting);
    stream_consume(s, waiting);
    *ret_n = waiting;
    return RC_OK;
}

enum rc stream_try_write(struct stream *s, const char *p, size_t n, size_t *ret_n, short *ret_wants)
{
    while (s->out.n && s->failed == RC_OK) {
        size_t sent = 0;
        enum rc rc = transport_write(s, s->out.p, s->out.n, &sent, ret_wants);
        if (rc == RC_TEMP)
            return rc;
        if (rc == RC_OK)
            buf_drop(&s->out, sent);
        else
            s->failed = rc;
    }
    return s->failed != RC_OK ? s->failed : transport_write(s, p, n, ret_n, ret_wants);
}

void stream_end(struct stream *s)
{
    if (s->tls)
        stream_tls_close_write(s->tls);
    shutdown(s->fd, SHUT_WR);
}

void stream_release_buffers(struct stream *s)
{
    if (stream_buffered(s) == 0) {
        buf_deinit(&s->in);
        s->pos = 0;
        s->scanned = 0;
        s->pours = false;
    }
    if (s->out.n == 0)
        buf_deinit(&s->out);
}

bool stream_is_tls(const struct stream *s)
{
    return s->tls != NULL;
}
