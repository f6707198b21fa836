/* http: one small request over HTTP/1.1 (RFC 9110, RFC 9112) on a connection that is made already, and ends
 * with the answer. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/buf.h"
#include "os/stream.h"

enum { HTTP_INPUT_MAX = 16384 /* of the stream */ };

struct http_request {
    str host, path;    /* as they stand in the request */
    str accept;        /* "application/json" */
    str authorization; /* "Bearer ..."; empty: none */
    str form;          /* what is posted, application/x-www-form-urlencoded; empty: it is a GET */
};

struct http_answer {
    int status;
    bool is_accepted; /* its content is of the type that was asked for */
};

/* Within the stream's deadline. body: created with the most that it may have. Not RC_OK: *ret_why says so.
 * RC_TEMP: no answer in time; RC_LIMIT: too long a one; RC_INVALID: it is none of HTTP/1.1. */
MUST_USE enum rc http_ask(struct stream *s, const struct http_request *q, struct buf *body,
                          struct http_answer *ret, const char **ret_why);

#endif
