/* The gate's thread: those who wait for the greeting, and who of them talks before it.
 *
 * All wait in one list; a tick of it looks whose time is over and which answers of the DNS have come. epoll
 * tells who talks or hangs up. */
#include "fmt/delay.h"
#include "fmt/gate_text.h"
#include "os/file.h"
#include "os/thread.h"
#include "role/gate_impl.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    TICK_MS = 50,
    EVENTS_MAX = 256,
    PEEK_MAX = 1024,
    STOP_WAIT_MS = 500,
    STRESS_FROM = 90, /* percent of gate_waiting_limit */
    STRESS_TO = 70
};

struct gate *gate_new(const struct gate_parts *parts)
{
    struct gate *g = calloc(1, sizeof *g);
    must(g && pthread_mutex_init(&g->lock, NULL) == 0);
    g->parts = *parts;
    g->clients = client_limit_new();
    g->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    g->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event wake = {.events = EPOLLIN, .data.ptr = NULL};
    must(g->epoll_fd >= 0 && g->wake_fd >= 0 &&
         epoll_ctl(g->epoll_fd, EPOLL_CTL_ADD, g->wake_fd, &wake) == 0);
    return g;
}

static void wake(struct gate *g)
{
    uint64_t one = 1;
    while (write(g->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* --- coming --- */

/* With the lock held. */
static void note_stress(struct gate *g, const struct conf *conf)
{
    unsigned n = client_limit_total(g->clients), limit = (unsigned)conf->gate_waiting_limit;
    if (!g->stress && (uint64_t)n * 100 >= (uint64_t)limit * STRESS_FROM) {
        g->stress = true;
        log_info_of(LOG_AS_POSTSCREEN, "entering STRESS mode with %u connections", n);
    } else if (g->stress && (uint64_t)n * 100 <= (uint64_t)limit * STRESS_TO) {
        g->stress = false;
        log_info_of(LOG_AS_POSTSCREEN, "leaving STRESS mode with %u connections", n);
    }
}

static void send_teaser(const struct gate_client *c)
{
    const struct conf *conf = c->v.conf;
    char line[400];
    const char *text = conf->gate_greet_banner[0] ? conf->gate_greet_banner : conf->smtpd_banner;
    if (text[0])
        snprintf(line, sizeof line, "220-%s\r\n", text);
    else
        snprintf(line, sizeof line, "220-%s ESMTP malle\r\n", conf->hostname);
    gate_say(c, line);
}

static void turn_away_unseen(struct gate_client *c)
{
    bool full = client_limit_total(c->gate->clients) >= (unsigned)c->v.conf->gate_waiting_limit;
    if (full)
        log_info_of(LOG_AS_POSTSCREEN, "reject: connect from " GATE_FMT ": all screening ports busy",
                    GATE_ARG(c));
    else
        log_info_of(LOG_AS_POSTSCREEN, "NOQUEUE: reject: CONNECT from " GATE_FMT ": too many connections",
                    GATE_ARG(c));
    gate_turn_away(c, full ? "421 4.3.2 All screening ports are busy\r\n"
                           : "421 4.7.0 Error: too many connections\r\n");
}

void gate_wait(struct gate_client *c)
{
    struct gate *g = c->gate;
    const struct conf *conf = c->v.conf;
    if (client_limit_enter(g->clients, &c->key, (unsigned)conf->gate_client_connection_count_limit,
                           (unsigned)conf->gate_waiting_limit) != RC_OK) {
        turn_away_unseen(c);
        return;
    }
    c->waits_for_silence = c->todo & 1u << GATE_PREGREET;
    if (c->waits_for_silence && conf->gate_greet_teaser)
        send_teaser(c);
    c->n_open = c->todo & 1u << GATE_DNSBL ? c->rules->n_sites : 0;
    c->ttl_s = INT_MAX;
    c->since = clock_mono();
    c->dns_until = c->since + conf->gate_dnsbl_timeout_ms;
    pthread_mutex_lock(&g->lock);
    note_stress(g, conf);
    c->until = c->since + (g->stress ? conf->gate_stress_greet_wait_ms : conf->gate_greet_wait_ms);
    c->next = g->added;
    g->added = c;
    pthread_mutex_unlock(&g->lock);
    wake(g);
}

/* --- waiting: from here on in the thread --- */

static void ignore_input(const struct gate_client *c)
{
    (void)epoll_ctl(c->gate->epoll_fd, EPOLL_CTL_DEL, c->v.fd, NULL);
}

static void begin_waiting(struct gate_client *c)
{
    struct gate *g = c->gate;
    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
    c->prev = NULL;
    c->next = g->waiting;
    if (g->waiting)
        g->waiting->prev = c;
    g->waiting = c;
    if (c->waits_for_silence && epoll_ctl(g->epoll_fd, EPOLL_CTL_ADD, c->v.fd, &e) != 0)
        log_warn("gate: epoll: %s: whether " GATE_FMT " talks is not seen", strerror(errno), GATE_ARG(c));
}

/* It is no longer one of those who wait; its questions to the DNS remain. */
static void end_waiting(struct gate_client *c)
{
    struct gate *g = c->gate;
    ignore_input(c);
    *(c->prev ? &c->prev->next : &g->waiting) = c->next;
    if (c->next)
        c->next->prev = c->prev;
    client_limit_leave(g->clients, &c->key);
    pthread_mutex_lock(&g->lock);
    note_stress(g, c->v.conf);
    pthread_mutex_unlock(&g->lock);
}

static void take_added(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    struct gate_client *added = g->added, *next;
    g->added = NULL;
    pthread_mutex_unlock(&g->lock);
    for (; added; added = next) {
        next = added->next;
        begin_waiting(added);
    }
}

static void hung_up(struct gate_client *c)
{
    char time[DELAY_SIZE];
    log_info_of(LOG_AS_POSTSCREEN, "HANGUP after %s from " GATE_FMT " in tests before SMTP handshake",
                delay_format(clock_mono() - c->since, time), GATE_ARG(c));
    end_waiting(c);
    gate_dnsbl_forget(c);
    gate_turn_away(c, "");
}

static void talked(struct gate_client *c, str said)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(4 * PEEK_MAX + 1);
    char time[DELAY_SIZE];
    gate_text_put(&text, said);
    log_info_of(LOG_AS_POSTSCREEN, "PREGREET %zu after %s from " GATE_FMT ": " STR_FMT, said.n,
                delay_format(clock_mono() - c->since, time), GATE_ARG(c),
                STR_ARG(str_sub(buf_str(&text), 0, 100)));
    c->waits_for_silence = false;
    ignore_input(c);
    if (c->v.conf->gate_greet_action == CONF_GATE_DROP) {
        end_waiting(c);
        gate_dnsbl_forget(c);
    }
    (void)gate_fail(c, c->v.conf->gate_greet_action, "5.5.1", "Protocol error");
}

static void heard(struct gate_client *c)
{
    char bytes[PEEK_MAX];
    ssize_t n = recv(c->v.fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0)
        talked(c, str_mem(bytes, (size_t)n));
    else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        hung_up(c);
}

static void step(struct gate_client *c, msec now)
{
    if (c->n_open > 0) {
        gate_dnsbl_ask(c);
        gate_dnsbl_look(c, now);
    }
    bool waits = c->n_open > 0 || (c->waits_for_silence && !gate_dnsbl_allows(c));
    if (now < c->until && waits)
        return;
    if (c->waits_for_silence && now >= c->until)
        gate_pass(c, GATE_PREGREET, c->v.conf->gate_greet_ttl_ms);
    end_waiting(c);
    if (!(c->todo & 1u << GATE_DNSBL) || !gate_dnsbl_conclude(c))
        gate_conclude(c);
}

static void send_all_away(struct gate *g)
{
    while (g->waiting) {
        struct gate_client *c = g->waiting;
        end_waiting(c);
        gate_dnsbl_forget(c);
        gate_turn_away(c, "421 4.3.2 Service shutting down\r\n");
    }
    atomic_store(&g->stopped, true);
}

static void *wait_main(void *arg)
{
    struct gate *g = arg;
    struct epoll_event events[EVENTS_MAX];
    for (;;) {
        int n = epoll_wait(g->epoll_fd, events, EVENTS_MAX, g->waiting ? TICK_MS : -1);
        uint64_t woken;
        (void)!read(g->wake_fd, &woken, sizeof woken);
        for (int i = 0; i < n; i++)
            if (events[i].data.ptr)
                heard(events[i].data.ptr);
        take_added(g);
        msec now = clock_mono();
        for (struct gate_client *c = g->waiting, *next; c; c = next) {
            next = c->next;
            step(c, now);
        }
        if (atomic_load(&g->stopping))
            send_all_away(g);
    }
    return NULL;
}

void gate_start(struct gate *g)
{
    must(thread_start(wait_main, g, 0, "gate") == RC_OK);
}

void gate_stop(struct gate *g)
{
    atomic_store(&g->stopping, true);
    wake(g);
    for (msec end = clock_mono() + STOP_WAIT_MS; clock_mono() < end && !atomic_load(&g->stopped);)
        usleep(5000);
}
