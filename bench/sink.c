/* One thread with an epoll loop. Commands may be pipelined; content is looked through for its end only. */
#include "sink.h"

#include "load.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN_MAX = 65536, OUT_MAX = 16384, EVENTS = 64 };

struct peer {
    int fd;
    bool in_data;
    size_t n; /* of in */
    char in[IN_MAX];
};

static atomic_size_t messages, connections;
static int listener, poller;

size_t sink_count(void)
{
    return atomic_load(&messages);
}

size_t sink_connections(void)
{
    return atomic_load(&connections);
}

struct replies {
    char text[OUT_MAX];
    size_t n;
};

static void say(struct replies *r, const char *text)
{
    size_t n = strlen(text);
    if (r->n + n > sizeof r->text)
        load_die("sink: more replies at once than it has room for");
    memcpy(r->text + r->n, text, n);
    r->n += n;
}

/* False: the peer said QUIT. */
static bool command(struct peer *p, const char *line, struct replies *r)
{
    if (strncasecmp(line, "EHLO", 4) == 0) {
        say(r, "250-sink.test\r\n250-PIPELINING\r\n250-SIZE 100000000\r\n250 8BITMIME\r\n");
    } else if (strncasecmp(line, "DATA", 4) == 0) {
        p->in_data = true;
        say(r, "354 go on\r\n");
    } else if (strncasecmp(line, "QUIT", 4) == 0) {
        say(r, "221 bye\r\n");
        return false;
    } else {
        say(r, "250 2.0.0 Ok\r\n");
    }
    return true;
}

static void forget(struct peer *p, size_t n)
{
    p->n -= n;
    memmove(p->in, p->in + n, p->n);
}

/* The content's end, at its start or after a line; what cannot be part of it is dropped. False: not there
 * yet. */
static bool take_content(struct peer *p, struct replies *r)
{
    char *end = memmem(p->in, p->n, "\r\n.\r\n", 5);
    if (!end) {
        if (p->n > 4)
            forget(p, p->n - 4);
        return false;
    }
    forget(p, (size_t)(end - p->in) + 5);
    p->in_data = false;
    atomic_fetch_add(&messages, 1);
    say(r, "250 2.0.0 Ok\r\n");
    return true;
}

static bool take_line(struct peer *p, struct replies *r, bool *ret_open)
{
    char *end = memchr(p->in, '\n', p->n);
    if (!end)
        return false;
    *end = '\0';
    *ret_open = command(p, p->in, r);
    forget(p, (size_t)(end - p->in) + 1);
    return true;
}

static void hang_up(struct peer *p)
{
    close(p->fd);
    free(p);
}

static void serve(struct peer *p)
{
    struct replies r = {.n = 0};
    bool open = true;
    ssize_t n = read(p->fd, p->in + p->n, sizeof p->in - p->n);
    if (n <= 0) {
        hang_up(p);
        return;
    }
    p->n += (size_t)n;
    while (open && (p->in_data ? take_content(p, &r) : take_line(p, &r, &open)))
        ;
    if (r.n && write(p->fd, r.text, r.n) != (ssize_t)r.n)
        open = false;
    if (!open)
        hang_up(p);
}

static void watch(int fd, void *what)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = what};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e) != 0)
        load_die("sink: epoll");
}

static void welcome(void)
{
    int on = 1, fd = accept(listener, NULL, NULL);
    if (fd < 0)
        return;
    struct peer *p = calloc(1, sizeof *p);
    if (!p)
        load_die("out of memory");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    p->fd = fd;
    atomic_fetch_add(&connections, 1);
    watch(fd, p);
    static const char greeting[] = "220 sink.test ESMTP\r\n";
    if (write(fd, greeting, sizeof greeting - 1) < 0)
        perror("sink");
}

static void *loop(void *unused)
{
    struct epoll_event events[EVENTS];
    for (;;) {
        int n = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                serve(events[i].data.ptr);
            else
                welcome();
        }
    }
    return NULL;
}

void sink_start(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    pthread_t thread;
    int on = 1;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    poller = epoll_create1(0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&a, sizeof a) != 0 || listen(listener, 1024) != 0)
        load_die("sink: port %d cannot be used", port);
    watch(listener, NULL);
    if (pthread_create(&thread, NULL, loop, NULL) != 0)
        load_die("cannot start a thread");
}
