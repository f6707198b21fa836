/* Connections of the load generators; see conn.h. */
#include "conn.h"

#include "load.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_S = 10, TAIL = 16 };

static SSL_CTX *tls_ctx;

void conn_open(struct conn *c, const char *host, int port)
{
    c->ssl = NULL;
    c->n = c->at = c->bytes = 0;
    c->fd = load_connect(host, port, PATIENCE_S);
}

static void make_context(void)
{
    tls_ctx = SSL_CTX_new(TLS_client_method());
    if (!tls_ctx)
        load_die("out of memory");
}

void conn_start_tls(struct conn *c)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_context);
    c->ssl = SSL_new(tls_ctx);
    SSL_set_fd(c->ssl, c->fd);
    if (SSL_connect(c->ssl) != 1)
        load_die("TLS handshake: %s", ERR_reason_error_string(ERR_get_error()));
    c->n = c->at = 0;
}

void conn_close(struct conn *c)
{
    if (c->ssl) {
        SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
    }
    close(c->fd);
    c->ssl = NULL;
    c->fd = -1;
}

void conn_write(struct conn *c, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = c->ssl ? SSL_write(c->ssl, p, (int)n) : write(c->fd, p, n);
        if (k <= 0)
            load_die("the server closed the connection while we wrote");
        p += k;
        n -= (size_t)k;
    }
}

void conn_printf(struct conn *c, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof line)
        load_die("a command is too long");
    conn_write(c, line, (size_t)n);
}

/* Makes sure that there is something to read. */
static void fill(struct conn *c)
{
    if (c->at < c->n)
        return;
    ssize_t k = c->ssl ? SSL_read(c->ssl, c->in, sizeof c->in) : read(c->fd, c->in, sizeof c->in);
    if (k <= 0)
        load_die("the server closed the connection");
    c->n = (size_t)k;
    c->at = 0;
    c->bytes += c->n;
}

/* The last bytes of a line of any length. */
struct tail {
    char p[TAIL + 1];
    size_t n;
};

static void keep_tail(struct tail *t, const char *p, size_t n)
{
    size_t take = n < TAIL ? n : TAIL, keep = t->n + take > TAIL ? TAIL - take : t->n;
    memmove(t->p, t->p + t->n - keep, keep);
    memcpy(t->p + keep, p + n - take, take);
    t->n = keep + take;
    t->p[t->n] = '\0';
}

/* Reads up to LF; `line` (of `size` bytes, from *used on) gets what fits of it. */
static void take_line(struct conn *c, char *line, size_t size, size_t *used, struct tail *t)
{
    for (bool ended = false; !ended;) {
        fill(c);
        const char *from = c->in + c->at, *lf = memchr(from, '\n', c->n - c->at);
        size_t n = lf ? (size_t)(lf - from) : c->n - c->at;
        size_t fits = n < size - 1 - *used ? n : size - 1 - *used;
        memcpy(line + *used, from, fits);
        *used += fits;
        keep_tail(t, from, n);
        c->at += n + (lf != NULL);
        ended = lf != NULL;
    }
    if (*used && line[*used - 1] == '\r')
        --*used;
    line[*used] = '\0';
}

const char *conn_line(struct conn *c, char *line, size_t size)
{
    struct tail t = {.n = 0};
    size_t used = 0;
    take_line(c, line, size, &used, &t);
    return line;
}

/* Size of the literal that a line announces at its end, or -1. */
static long literal_size(const struct tail *t)
{
    const char *brace = strrchr(t->p, '{');
    char *end;
    if (!brace)
        return -1;
    long n = strtol(brace + 1, &end, 10);
    return end > brace + 1 && strcmp(end, "}\r") == 0 ? n : -1;
}

static void drop(struct conn *c, size_t n)
{
    while (n > 0) {
        fill(c);
        size_t take = c->n - c->at < n ? c->n - c->at : n;
        c->at += take;
        n -= take;
    }
}

const char *conn_response(struct conn *c, char *line, size_t size)
{
    struct tail t = {.n = 0};
    size_t used = 0;
    take_line(c, line, size, &used, &t);
    for (long n; (n = literal_size(&t)) >= 0;) {
        char rest[TAIL];
        drop(c, (size_t)n);
        t.n = used = 0;
        take_line(c, rest, sizeof rest, &used, &t);
    }
    return line;
}
