/* dovecot_conn: what the roles that speak Dovecot's authentication protocol to programs of this machine share
 * (sasl, userdb): accepting, limits, a thread per connection, lines, and the greeting of versions.
 *
 * A connection greets within 10 seconds, a line that has begun ends within 10, what is answered is taken
 * within 10; between requests it may be silent for ever, as the processes of Postfix are. One request is
 * answered after the other. */
#ifndef ROLE_DOVECOT_CONN_H
#define ROLE_DOVECOT_CONN_H

#include "base/arena.h"
#include "fmt/dovecot_auth.h"
#include "os/channel.h"
#include "role/accept.h"
#include "role/client_limit.h"
#include "role/role.h"

struct dovecot_conn;

struct dovecot_protocol {
    enum sandbox_role sandbox;
    uint32_t minor; /* of the version that is greeted with; the major is 1 in both protocols */
    /* A connection was accepted: writes the greeting behind VERSION to c->out. */
    void (*greet)(struct dovecot_conn *c);
    /* Answers to c->out what is not VERSION. RC_OK: go on; anything else closes the connection. */
    enum rc (*take)(struct dovecot_conn *c, const struct dovecot_auth_request *r);
    /* When something is to be done without a request, and to do it; STREAM_NO_DEADLINE: never. Both may be
     * NULL. */
    msec (*due)(const struct dovecot_conn *c);
    void (*expire)(struct dovecot_conn *c);
    void (*end)(struct dovecot_conn *c); /* frees c->state; may be NULL */
};

struct dovecot_server {
    struct role *role;
    const struct dovecot_protocol *protocol;
    struct channel_pool *auth;
    struct client_limit *clients;
    uid_t owners[ROLE_LISTENERS_MAX]; /* of the listeners' sockets */
    atomic_bool stopping;
};

struct dovecot_conn {
    struct dovecot_server *server;
    const struct role_listener *listener;
    const struct conf *conf;
    int fd;
    struct stream *io;
    struct arena *arena; /* of the line that is being answered */
    struct buf ipc, out;
    uid_t peer;   /* as the kernel knows it */
    bool trusted; /* root, the owner of the socket, or the socket's permissions keep all others out */
    struct socket_client client;
    void *state; /* the protocol's own */
};

/* Sends what is in c->out. */
MUST_USE enum rc dovecot_conn_flush(struct dovecot_conn *c);

/* The parts of role_ops. user: whom the role becomes. channels: how many questions at once auth is asked. */
void dovecot_server_start(struct dovecot_server *s, struct role *r, const struct dovecot_protocol *protocol,
                          const char *user, unsigned channels);
void dovecot_server_link(struct dovecot_server *s, const struct role_link *l);
void dovecot_server_serve(struct dovecot_server *s);

#endif
