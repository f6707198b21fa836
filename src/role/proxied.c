/* Only networks that the administrator names may speak for others: everything that comes later, from limits
 * and restrictions to the log, takes the client's word from here. */
#include "role/proxied.h"

#include "fmt/proxy_protocol.h"
#include "os/file.h"
#include "os/thread.h"
#include "smtp/rules.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { WAITING_MAX = 1000 }; /* a proxy sends its header at once */

struct waiting {
    const struct acceptor *acceptor;
    const struct conf *conf;
    int fd;
    struct sockaddr_storage peer, own;
    char bytes[PROXY_PROTOCOL_MAX];
    size_t n;
};

static atomic_uint waiting_count;

/* --- the header --- */

static enum rc wait_for_input(const struct waiting *w, msec deadline)
{
    struct pollfd pfd = {.fd = w->fd, .events = POLLIN};
    msec left = deadline - clock_mono();
    int ready = left > 0 ? poll(&pfd, 1, left > INT32_MAX ? INT32_MAX : (int)left) : 0;
    return ready > 0 || (ready < 0 && errno == EINTR) ? RC_OK : RC_TEMP;
}

static enum rc read_bytes(struct waiting *w, size_t missing, msec deadline)
{
    must(w->n + missing <= sizeof w->bytes);
    while (missing > 0) {
        if (wait_for_input(w, deadline) != RC_OK)
            return RC_TEMP;
        ssize_t n = recv(w->fd, w->bytes + w->n, missing, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return RC_GONE;
        if (n > 0) {
            w->n += (size_t)n;
            missing -= (size_t)n;
        }
    }
    return RC_OK;
}

static enum rc read_header(struct waiting *w, struct proxy_header *ret)
{
    msec deadline = clock_mono() + w->conf->haproxy_timeout_ms;
    size_t missing = 0;
    enum rc rc;
    while ((rc = proxy_protocol_parse(str_mem(w->bytes, w->n), &missing, ret)) == RC_TEMP)
        if ((rc = read_bytes(w, missing, deadline)) != RC_OK)
            break;
    return rc;
}

/* --- a connection --- */

static void drop(struct waiting *w, const char *why)
{
    char ip[SOCKET_ADDRESS_MAX];
    socket_address_text(&w->peer, ip, NULL);
    log_warn("%s: haproxy: %s (rip=%s)", w->acceptor->listener->name, why, ip);
    close(w->fd);
}

static void hand_over(struct waiting *w, const struct proxy_header *h)
{
    const struct acceptor *a = w->acceptor;
    if (!h->local) {
        socket_from_ip(h->client.address, h->client.port, &w->peer);
        socket_from_ip(h->server.address, h->server.port, &w->own);
    }
    a->fn(a->ctx, a->listener, w->fd, &w->peer, &w->own);
}

static void *waiting_main(void *arg)
{
    struct waiting *w = arg;
    struct proxy_header h;
    enum rc rc = read_header(w, &h);
    if (rc == RC_OK)
        hand_over(w, &h);
    else
        drop(w, rc == RC_TEMP   ? "Client timed out before its header was there"
                : rc == RC_GONE ? "Client closed the connection before its header was there"
                                : "Client sent no valid header");
    atomic_fetch_sub(&waiting_count, 1);
    free(w);
    return NULL;
}

static bool is_trusted(const struct waiting *w)
{
    char text[SOCKET_ADDRESS_MAX];
    struct ip_net address;
    socket_address_text(&w->peer, text, NULL);
    return ip_parse(str_c(text), &address) == RC_OK &&
           conf_list_has_address(&w->conf->haproxy_trusted_networks, &address);
}

void proxied_start(const struct acceptor *a, int fd, const struct sockaddr_storage *peer,
                   const struct sockaddr_storage *own)
{
    struct waiting *w = calloc(1, sizeof *w);
    must(w);
    *w = (struct waiting){
        .acceptor = a, .conf = conf_of_listener(a->role->conf, str_c(a->listener->name)), .fd = fd};
    w->peer = *peer;
    w->own = *own;
    unsigned before = atomic_fetch_add(&waiting_count, 1);
    if (!is_trusted(w))
        drop(w, "Client not trusted");
    else if (before >= WAITING_MAX || thread_start(waiting_main, w, 0, "proxied") != RC_OK)
        drop(w, "too many connections wait for their headers");
    else
        return;
    atomic_fetch_sub(&waiting_count, 1);
    free(w);
}
