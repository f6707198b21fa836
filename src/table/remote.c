/* socketmap:inet:host:port:name, socketmap:unix:/path:name (socketmap_table(5)) and tcp:host:port
 * (tcp_table(5)). */
#include "table/pool.h"

#include "fmt/netstring.h"
#include "fmt/tablewire.h"
#include "table/server.h"

enum { SOCKETMAP_INPUT_MAX = TABLEWIRE_SOCKETMAP_REPLY_MAX + 16, REASON_SHOWN_MAX = 150 };

struct remote {
    struct server server;
    char *name; /* of the map; "" with tcp */
    size_t in_max;
};

static enum rc connect_remote(struct table *t, msec deadline, void **ret, struct err *e)
{
    struct remote *r = t->state;
    struct stream *s = NULL;
    enum rc rc = server_connect(t, &r->server, r->in_max, deadline, &s, e);
    if (rc == RC_OK)
        *ret = s;
    return rc;
}

static void disconnect_remote(void *connection)
{
    stream_free(connection);
}

/* Sends one request, if it is one. */
static enum rc send_request(struct table *t, struct stream *s, const struct buf *request, msec deadline,
                            struct err *e)
{
    return request->overflow ? table_fail(t, e, RC_TEMP, "the request is too long")
                             : server_send(t, s, buf_str(request), deadline, e);
}

/* What the server said becomes the reason of a failure, not a value. */
static enum rc judge(struct table *t, enum rc rc, struct buf *out, struct err *e)
{
    if (rc == RC_INVALID || rc == RC_LIMIT)
        return table_fail(t, e, RC_INVALID, "the server's reply is none");
    if (rc == RC_TEMP || rc == RC_PERM)
        return table_fail(t, e, rc, "the server says: " STR_FMT,
                          STR_ARG(str_sub(buf_str(out), 0, REASON_SHOWN_MAX)));
    return rc;
}

static enum rc ask_tcp(struct table *t, void *connection, str key, msec deadline, struct buf *out,
                       struct err *e)
{
    AUTO(buf_deinit) struct buf request = BUF_INIT(3 * TABLE_KEY_MAX + 8);
    str line;
    enum line_end end;
    tablewire_put_tcp(&request, key);
    enum rc rc = send_request(t, connection, &request, deadline, e);
    if (rc != RC_OK)
        return rc;
    if (stream_read_line(connection, TABLEWIRE_TCP_REPLY_MAX, &line, &end) != RC_OK)
        return table_fail(t, e, RC_INVALID, "the server does not answer");
    return judge(t, tablewire_parse_tcp(line, out), out, e);
}

static enum rc parse_socketmap_reply(str in, str *ret_payload, size_t *ret_size)
{
    return netstring_parse(in, TABLEWIRE_SOCKETMAP_REPLY_MAX, ret_payload, ret_size);
}

static enum rc ask_socketmap(struct table *t, void *connection, str key, msec deadline, struct buf *out,
                             struct err *e)
{
    struct remote *r = t->state;
    AUTO(buf_deinit)
    struct buf payload = BUF_INIT(2 * TABLE_KEY_MAX), request = BUF_INIT(2 * TABLE_KEY_MAX + 16),
               in = BUF_INIT(SOCKETMAP_INPUT_MAX);
    str reply;
    tablewire_put_socketmap(&payload, str_c(r->name), key);
    netstring_put(&request, buf_str(&payload));
    enum rc rc = send_request(t, connection, &request, deadline, e);
    if (rc == RC_OK)
        rc = server_read(t, connection, parse_socketmap_reply, &in, &reply, e);
    return rc == RC_OK ? judge(t, tablewire_parse_socketmap(reply, out), out, e) : rc;
}

static const struct pool_type tcp_connections = {connect_remote, disconnect_remote, ask_tcp};
static const struct pool_type socketmap_connections = {connect_remote, disconnect_remote, ask_socketmap};

static struct remote *new_remote(struct table *t, const struct pool_type *type, str name, size_t in_max)
{
    struct remote *r = calloc(1, sizeof *r);
    must(r);
    r->name = str_dup(name);
    r->in_max = in_max;
    t->pool = t->env.unasked ? NULL : pool_new(type, t->env.connections);
    t->state = r;
    return r;
}

static enum rc open_tcp(struct table *t, str name, struct err *e)
{
    struct remote *r = new_remote(t, &tcp_connections, STR_NONE, TABLEWIRE_TCP_REPLY_MAX);
    return server_set_name(t, name, &r->server, e);
}

static enum rc open_socketmap(struct table *t, str name, struct err *e)
{
    ptrdiff_t colon = str_rchr(name, ':');
    str where = colon < 0 ? STR_NONE : str_sub(name, 0, (size_t)colon);
    str map = colon < 0 ? STR_NONE : str_from(name, (size_t)colon + 1);
    if (map.n == 0)
        return table_fail(t, e, RC_PERM, "expected inet:host:port:name or unix:/path:name");
    struct remote *r = new_remote(t, &socketmap_connections, map, SOCKETMAP_INPUT_MAX);
    return server_set_place(t, where, &r->server, e);
}

static enum rc find_remote(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    return pool_find(t->pool, t, key, a, ret, e);
}

static void close_remote(struct table *t)
{
    struct remote *r = t->state;
    if (!r)
        return;
    free(r->name);
    free(r);
}

const struct table_type table_socketmap = {.name = "socketmap",
                                           .whole_keys = true,
                                           .asks = true,
                                           .open = open_socketmap,
                                           .find = find_remote,
                                           .close = close_remote};
const struct table_type table_tcp = {.name = "tcp",
                                     .whole_keys = true,
                                     .asks = true,
                                     .open = open_tcp,
                                     .find = find_remote,
                                     .close = close_remote};
