/* gate: what strangers have to pass before their SMTP session begins, with the tests, words and log lines of
 * Postfix's postscreen (doc/gate.md). Runs in smtpd.
 *
 * A connection comes in through gate_enter, from any thread. A client that is known or permitted goes on at
 * once. The others wait, all in one thread and a few hundred bytes each, until their tests are made: then
 * they go on, perhaps with a refusal for their session, or are closed. The gate permits nothing: whoever
 * passes has all rules of the session before him, and whatever of it fails lets the client go on to these. */
#ifndef ROLE_GATE_H
#define ROLE_GATE_H

#include "os/socket.h"
#include "role/gate_cache.h"
#include "smtp/gate.h"

struct conf;
struct gate;
struct gate_client;
struct resolver;
struct table_settings;

struct gate_parts { /* what it works with; live as long as the process */
    struct resolver *resolver;
    struct table_settings *tables;
    struct gate_cache *cache; /* NULL: nothing is remembered */
};

struct gate_visitor { /* a connection. Texts and ctx live until go_on or turn_away has been called */
    const struct conf *conf;
    int fd;
    const struct sockaddr_storage *peer;
    const char *address, *own;
    int port, own_port;
    /* One of the two is called, once, from any thread: the client's session begins, with what the gate leaves
     * for it (NULL: nothing), which is released with gate_leave; or it has heard why not. fd is the callee's
     * again. */
    void (*go_on)(void *ctx, struct gate_client *c);
    void (*turn_away)(void *ctx);
    void *ctx;
};

/* Before the sandbox. Ends the process without descriptors. */
struct gate *gate_new(const struct gate_parts *parts);
void gate_start(struct gate *g); /* its thread */
/* Those who wait are told 421 and turned away, as are those who come from now on. */
void gate_stop(struct gate *g);

void gate_enter(struct gate *g, const struct gate_visitor *v);
/* What the session is to do; lives until gate_leave. */
struct smtp_gate *gate_of_session(struct gate_client *c);
/* The session is over: what it found is remembered. Accepts NULL, returns NULL. */
struct gate_client *gate_leave(struct gate_client *c);

#endif
