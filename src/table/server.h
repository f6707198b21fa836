/* server: the address of a look-up server, and connecting to it. A name is resolved for each connection. */
#ifndef TABLE_SERVER_H
#define TABLE_SERVER_H

#include "os/stream.h"
#include "table/table_impl.h"

#include <sys/socket.h>
#include <sys/un.h>

enum { SERVER_ADDRESSES_MAX = 8, SERVER_HOST_MAX = 256, SERVER_PORT_MAX = 32 };

struct server {
    struct server_address {
        struct sockaddr_storage sa;
        socklen_t n;
    } v[SERVER_ADDRESSES_MAX];
    size_t n;                                          /* 0: the name has no address */
    char host[SERVER_HOST_MAX], port[SERVER_PORT_MAX]; /* empty with a Unix socket */
};

/* "host:port", "[2001:db8::1]:port"; port may be a service's name. RC_PERM with *e filled: not of this form.
 */
MUST_USE enum rc server_set_name(struct table *t, str host_port, struct server *ret, struct err *e);
/* A Unix socket. RC_PERM: the path is too long. */
MUST_USE enum rc server_set_path(struct table *t, str path, struct server *ret, struct err *e);
/* "inet:host:port" or "unix:/path". RC_PERM with *e filled: neither. */
MUST_USE enum rc server_set_place(struct table *t, str place, struct server *ret, struct err *e);
/* Tries the addresses in order; in_max as of stream_new. RC_TEMP with *e filled. The deadline is not kept by
 * a name service that does not answer; that one has limits of its own (resolv.conf(5)). */
MUST_USE enum rc server_connect(struct table *t, const struct server *s, size_t in_max, msec deadline,
                                struct stream **ret, struct err *e);

/* Sends one request, and sets the deadline for its reply, too. RC_INVALID with *e filled: the connection is
 * of no use any more. */
MUST_USE enum rc server_send(struct table *t, struct stream *s, str request, msec deadline, struct err *e);
/* Looks at the bytes that have come; RC_TEMP: more are needed. *ret_size: the bytes of the reply;
 * *ret_payload is a view of `in`. */
typedef enum rc server_reply_parser(str in, str *ret_payload, size_t *ret_size);
/* Reads one reply, after which nothing may come, into the empty `in`; *ret is a view of it. RC_INVALID with
 * *e filled: the server does not answer, or what it says is no reply. */
MUST_USE enum rc server_read(struct table *t, struct stream *s, server_reply_parser *parse, struct buf *in,
                             str *ret, struct err *e);

#endif
