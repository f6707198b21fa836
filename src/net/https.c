#include "net/https.h"

#include "net/http.h"
#include "os/socket.h"

enum { ADDRESSES_MAX = 4 };

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
    enum rc rc = mx_addresses(&(struct dns_asker){.resolver = r}, q->host, q->families, deadline, &all, e);
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

static enum rc ask(struct stream *s, const struct https_request *q, struct buf *body, struct err *e)
{
    const struct http_request request = {.host = q->host, .path = q->path, .accept = q->content_type};
    struct http_answer answer;
    const char *why;
    enum rc rc = http_ask(s, &request, body, &answer, &why);
    if (rc != RC_OK)
        return failed(e, rc, q, why);
    if (answer.status != 200)
        return err_set(e, RC_INVALID, 0, "4.4.0", "https://" STR_FMT STR_FMT ": status %d", STR_ARG(q->host),
                       STR_ARG(q->path), answer.status);
    if (!answer.is_accepted)
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
    AUTO(stream_freep) struct stream *s = stream_new(fd, HTTP_INPUT_MAX);
    stream_set_deadline(s, deadline);
    rc = start_tls(s, tls, q, e);
    return rc == RC_OK ? ask(s, q, body, e) : rc;
}
