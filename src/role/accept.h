/* accept: what the roles that listen share: a thread per listening socket, and TLS settings that a reload
 * replaces. */
#ifndef ROLE_ACCEPT_H
#define ROLE_ACCEPT_H

#include "os/socket.h"
#include "role/role.h"

#include <pthread.h>
#include <stdatomic.h>

/* Takes a connection between the client at peer and our address own, as the proxy in front says where there
 * is one: fd is the callee's, l lives as long as the process. Must not block. Several threads call it at
 * once. */
typedef void accept_fn(void *ctx, const struct role_listener *l, int fd, const struct sockaddr_storage *peer,
                       const struct sockaddr_storage *own);

struct acceptor { /* one listening socket; lives as long as the process */
    const struct role *role;
    const struct role_listener *listener;
    accept_fn *fn;
    void *ctx;
    const atomic_bool *stop;
};

/* Starts a thread for each of r's listeners. They end some time after *stop has become true; each may take
 * one more connection until then. */
void accept_start(struct role *r, accept_fn *fn, void *ctx, const atomic_bool *stop);

struct tls_slot { /* the TLS settings in force; thread-safe */
    pthread_mutex_t lock;
    struct tls_server *tls;
};
/* From r's keys; ends the process when they are unusable. */
void tls_slot_init(struct tls_slot *s, const struct role *r);
/* A reference of the caller's own, NULL without TLS. */
struct tls_server *tls_slot_get(struct tls_slot *s);
/* After a reload; unusable keys are logged and the old settings stay. */
void tls_slot_reload(struct tls_slot *s, const struct role *r);

#endif
