#include "net/https.h"

#include "fmt/http_response.h"
#include "os/socket.h"

enum { ADDRESSES_MAX = 4, STREAM_MAX = 16384 };

static enum rc failed(struct err *e, enum rc rc, const struct https_request *q, const char *why)
{
    return err_set(e, rc, 0, "4.4.0", "https://" STR_FMT STR_FMT ": %s", STR_ARG(q->host), STR_ARG(q->path),
                   why);
}

static enum rc connect_to_host(struct resolver *r, const struct https_request *q, msec deadline, int *ret_fd,
                               struct err *e)
{
    char name[DNS_NAME_MAX + 1];
    struct mx_addresses all;
    if (str_copy(name, sizeof name, q->host) != RC_OK)
        return failed(e, RC_TEMP, q, "the name is too long");
    enum rc rc = mx_addresses(r, q->host, q->families, deadline, &all, e);
    if (rc != RC_OK)
        return RC_TEMP;
    for (size_t i = 0; i < all.n && i < ADDRESSES_MAX; i++) {
        size_t left = (all.n < ADDRESSES_MAX ? all.n : ADDRESSES_MAX) - i;
        msec now = clock_mono();
        socket_set_port(&all.v[i], q->port);
        rc = dial(&all.v[i], q->way, name, now + (deadline - now) / (msec)left, ret_fd, e);
        if (rc == RC_OK)
            return RC_OK;
    }
    return RC_TEMP;
}

static enum rc start_tls(struct stream *s, struct tls_client *tls, const struct https_request *q,
                         struct err *e)
{
    const struct tls_client_params params = {
        .server_name = q->host, .verify = TLS_VERIFY_CA, .required = true, .names = &q->host, .n_names = 1};
    struct err why = {0};
    enum rc rc = stream_start_tls_client(s, tls, &params, NULL, &why);
    return rc == RC_OK ? RC_OK : failed(e, rc == RC_PERM ? RC_PERM : RC_TEMP, q, err_text(&why));
}

/* Whatever has come, parsed anew each time: it is little. */
static enum rc read_answer(struct stream *s, struct buf *bytes, struct buf *body, struct http_response *ret)
{
    for (;;) {
        str more;
        enum rc rc = stream_read(s, &more);
        if (rc != RC_OK && rc != RC_GONE)
            return rc;
        if (rc == RC_OK) {
            buf_puts(bytes, more);
            stream_consume(s, more.n);
        }
        if (bytes->overflow)
            return RC_LIMIT;
        rc = http_response_parse(buf_str(bytes), rc == RC_GONE, body, ret);
        if (rc != RC_TEMP)
            return rc;
    }
}

static enum rc ask(struct stream *s, const struct https_request *q, struct buf *body, struct err *e)
{
    AUTO(buf_deinit) struct buf bytes = BUF_INIT(HTTP_HEAD_MAX + 2 * body->max); /* chunks have heads, too */
    struct http_response answer;
    stream_printf(s,
                  "GET " STR_FMT " HTTP/1.1\r\nHost: " STR_FMT "\r\nUser-Agent: malle\r\nAccept: " STR_FMT
                  "\r\nConnection: close\r\n\r\n",
                  STR_ARG(q->path), STR_ARG(q->host), STR_ARG(q->content_type));
    enum rc rc = stream_flush(s);
    if (rc == RC_OK)
        rc = read_answer(s, &bytes, body, &answer);
    if (rc == RC_TEMP)
        return failed(e, RC_TEMP, q, "no answer in time");
    if (rc == RC_LIMIT)
        return failed(e, RC_LIMIT, q, "the answer is too long");
    if (rc != RC_OK)
        return failed(e, RC_INVALID, q, "this is no answer of HTTP/1.1");
    if (answer.status != 200)
        return err_set(e, RC_INVALID, 0, "4.4.0", "https://" STR_FMT STR_FMT ": status %d", STR_ARG(q->host),
                       STR_ARG(q->path), answer.status);
    if (!str_ieq(answer.content_type, q->content_type))
        return failed(e, RC_INVALID, q, "a document of another type");
    return RC_OK;
}

enum rc https_get(struct resolver *r, struct tls_client *tls, const struct https_request *q, msec deadline,
                  struct buf *body, struct err *e)
{
    int fd;
    enum rc rc = connect_to_host(r, q, deadline, &fd, e);
    if (rc != RC_OK)
        return rc;
    AUTO(stream_freep) struct stream *s = stream_new(fd, STREAM_MAX);
    stream_set_deadline(s, deadline);
    rc = start_tls(s, tls, q, e);
    return rc == RC_OK ? ask(s, q, body, e) : rc;
}
