/* Accept threads, and TLS settings that change under way. */
#include "role/accept.h"

#include "os/thread.h"
#include "role/proxied.h"

#include <unistd.h>

enum { OUT_OF_DESCRIPTORS_PAUSE_US = 20000 };

static void take(const struct acceptor *a, int fd, const struct sockaddr_storage *peer)
{
    const struct conf_listener *l = conf_find_listener(a->role->conf, str_c(a->listener->name));
    struct sockaddr_storage own;
    socket_local(fd, &own);
    if (l && l->proxy_protocol)
        proxied_start(a, fd, peer, &own);
    else
        a->fn(a->ctx, a->listener, fd, peer, &own);
}

static void *accept_main(void *arg)
{
    const struct acceptor *a = arg;
    while (!atomic_load(a->stop)) {
        struct sockaddr_storage peer;
        int fd;
        enum rc rc = socket_accept(a->listener->fd, &fd, &peer);
        if (rc == RC_GONE)
            break;
        if (rc == RC_OK)
            take(a, fd, &peer);
        else
            usleep(OUT_OF_DESCRIPTORS_PAUSE_US);
    }
    return NULL;
}

void accept_start(struct role *r, accept_fn *fn, void *ctx, const atomic_bool *stop)
{
    for (size_t i = 0; i < r->n_listeners; i++) {
        struct acceptor *a = calloc(1, sizeof *a);
        must(a);
        *a = (struct acceptor){r, &r->listeners[i], fn, ctx, stop};
        must(thread_start(accept_main, a, 0, "accept") == RC_OK);
    }
}

void tls_slot_init(struct tls_slot *s, const struct role *r)
{
    must(pthread_mutex_init(&s->lock, NULL) == 0);
    s->tls = role_tls(r);
}

struct tls_server *tls_slot_get(struct tls_slot *s)
{
    pthread_mutex_lock(&s->lock);
    struct tls_server *t = s->tls ? tls_server_ref(s->tls) : NULL;
    pthread_mutex_unlock(&s->lock);
    return t;
}

void tls_slot_reload(struct tls_slot *s, const struct role *r)
{
    struct tls_server *fresh = role_tls(r);
    if (!fresh)
        return;
    pthread_mutex_lock(&s->lock);
    struct tls_server *old = s->tls;
    s->tls = fresh;
    pthread_mutex_unlock(&s->lock);
    tls_server_unref(old);
}
