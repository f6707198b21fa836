#include "role/dovecot_conn.h"

#include "base/log.h"
#include "base/map.h"
#include "os/stream.h"
#include "os/thread.h"
#include "role/listener_owner.h"

#include <unistd.h>

enum { STEP_MS = 10000, ARENA_MAX = 32 << 10, OUT_MAX = 64 << 10, STACK = 256 << 10, LINK_WAIT_MS = 2000 };

enum rc dovecot_conn_flush(struct dovecot_conn *c)
{
    must(!c->out.overflow);
    stream_set_deadline(c->io, clock_mono() + STEP_MS);
    stream_write(c->io, buf_str(&c->out));
    buf_reset(&c->out);
    return stream_flush(c->io);
}

/* The next line. RC_TEMP: `due` has come, and no line has begun; RC_LIMIT: too long; RC_GONE: closed, or too
 * slow. */
static enum rc next_line(struct dovecot_conn *c, msec due, str *ret)
{
    enum line_end end;
    stream_set_deadline(c->io, due);
    enum rc rc = stream_read(c->io, ret);
    if (rc != RC_OK)
        return rc;
    stream_set_deadline(c->io, clock_mono() + STEP_MS);
    rc = stream_read_line(c->io, DOVECOT_AUTH_LINE_MAX, ret, &end);
    return rc == RC_TEMP ? RC_GONE : rc;
}

static enum rc parse(struct dovecot_conn *c, str line, struct dovecot_auth_request *ret)
{
    arena_reset(c->arena);
    return dovecot_auth_parse_request(line, c->arena, ret);
}

static enum rc greet(struct dovecot_conn *c)
{
    struct dovecot_auth_request r;
    str line;
    dovecot_auth_begin(&c->out, S("VERSION"));
    dovecot_auth_put_number(&c->out, DOVECOT_AUTH_MAJOR);
    dovecot_auth_put_number(&c->out, c->server->protocol->minor);
    dovecot_auth_end(&c->out);
    c->server->protocol->greet(c);
    enum rc rc = dovecot_conn_flush(c);
    if (rc == RC_OK)
        rc = next_line(c, clock_mono() + STEP_MS, &line);
    if (rc == RC_OK)
        rc = parse(c, line, &r);
    if (rc == RC_OK && (r.verb != DOVECOT_AUTH_VERSION || r.major != DOVECOT_AUTH_MAJOR))
        rc = RC_INVALID;
    return rc;
}

static enum rc serve_line(struct dovecot_conn *c)
{
    const struct dovecot_protocol *p = c->server->protocol;
    struct dovecot_auth_request r;
    str line;
    enum rc rc = next_line(c, p->due ? p->due(c) : STREAM_NO_DEADLINE, &line);
    if (rc == RC_TEMP) {
        p->expire(c);
        return dovecot_conn_flush(c);
    }
    if (rc == RC_OK)
        rc = parse(c, line, &r);
    if (rc == RC_OK)
        rc = p->take(c, &r);
    return rc == RC_OK ? dovecot_conn_flush(c) : rc;
}

static void *conn_main(void *arg)
{
    struct dovecot_conn *c = arg;
    struct dovecot_server *s = c->server;
    c->io = stream_new(c->fd, 2 * DOVECOT_AUTH_LINE_MAX);
    c->arena = arena_new(ARENA_MAX);
    buf_init(&c->ipc, IPC_MAX);
    buf_init(&c->out, OUT_MAX);
    enum rc rc = greet(c);
    while (rc == RC_OK && !atomic_load(&s->stopping))
        rc = serve_line(c);
    if (rc == RC_INVALID || rc == RC_LIMIT)
        log_warn("%s: a program of uid %d does not speak the protocol (%s): closed", c->listener->name,
                 (int)c->peer, rc == RC_LIMIT ? "too long a line" : "malformed or out of order");
    if (s->protocol->end)
        s->protocol->end(c);
    buf_wipe(&c->ipc);
    buf_wipe(&c->out);
    arena_free(c->arena);
    stream_free(c->io);
    client_limit_leave(s->clients, &c->client);
    free(c);
    return NULL;
}

/* --- accepting --- */

static bool is_trusted(const struct dovecot_conn *c)
{
    size_t i = (size_t)(c->listener - c->server->role->listeners);
    if (c->peer == 0 || c->peer == c->server->owners[i])
        return true;
    for (size_t k = 0; k < c->conf->listener_count; k++)
        if (str_eq(str_c(c->conf->listeners[k].name), str_c(c->listener->name)))
            return (c->conf->listeners[k].mode & 02) == 0;
    return false;
}

static enum rc enter(struct dovecot_conn *c)
{
    unsigned most = (unsigned)c->conf->auth_client_limit;
    c->client = (struct socket_client){.family = AF_UNIX};
    memcpy(c->client.bytes, &c->peer, sizeof c->peer);
    enum rc rc = client_limit_enter(c->server->clients, &c->client, (most + 1) / 2, most);
    if (rc != RC_OK)
        log_warn("%s: auth_client_limit (%u) reached: connection of uid %d refused", c->listener->name, most,
                 (int)c->peer);
    return rc;
}

static void take_connection(void *ctx, const struct role_listener *l, int fd,
                            const struct sockaddr_storage *peer, const struct sockaddr_storage *own)
{
    struct dovecot_server *s = ctx;
    struct dovecot_conn *c = calloc(1, sizeof *c);
    must(c);
    *c = (struct dovecot_conn){.server = s, .listener = l, .conf = s->role->conf, .fd = fd};
    if (socket_peer_uid(fd, &c->peer) == RC_OK && enter(c) == RC_OK) {
        c->trusted = is_trusted(c);
        if (thread_start(conn_main, c, STACK, "connection") == RC_OK)
            return;
        log_error("%s: no thread for a connection", l->name);
        client_limit_leave(s->clients, &c->client);
    }
    close(fd);
    free(c);
}

/* --- the role --- */

static uid_t owner_of(const struct conf *c, const char *listener)
{
    uid_t uid = (uid_t)-1;
    gid_t gid;
    const struct conf_listener *l = conf_find_listener(c, str_c(listener));
    if (l && geteuid() == 0)
        (void)!listener_owner(l, &uid, &gid, NULL); /* the master found them, or it had ended */
    return uid == (uid_t)-1 ? geteuid() : uid;
}

void dovecot_server_start(struct dovecot_server *s, struct role *r, const struct dovecot_protocol *protocol,
                          const char *user, unsigned channels)
{
    struct sandbox sb = {.role = protocol->sandbox};
    s->role = r;
    s->protocol = protocol;
    s->auth = channel_pool_new(channels, LINK_WAIT_MS);
    s->clients = client_limit_new();
    for (size_t i = 0; i < r->n_listeners; i++)
        s->owners[i] = owner_of(r->conf, r->listeners[i].name);
    (void)map_hash(S("")); /* draws its random key */
    role_set_user(&sb, user);
    role_chroot_empty(&sb, r->conf);
    sandbox_enter(&sb);
}

void dovecot_server_link(struct dovecot_server *s, const struct role_link *l)
{
    if (str_eq(str_c(l->peer), S("auth")))
        channel_pool_set_link(s->auth, l->fd);
    else
        close(l->fd);
}

void dovecot_server_serve(struct dovecot_server *s)
{
    accept_start(s->role, take_connection, s, &s->stopping);
}
