/* Shared by the files of the gate. */
#ifndef ROLE_GATE_IMPL_H
#define ROLE_GATE_IMPL_H

#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "fmt/gate_sites.h"
#include "fmt/ip.h"
#include "net/resolver.h"
#include "role/client_limit.h"
#include "role/gate.h"
#include "table/settings.h"

#include <pthread.h>
#include <stdatomic.h>

enum gate_access { GATE_DUNNO, GATE_PERMIT, GATE_REJECT };

struct gate_rules { /* what a configuration says, read once */
    struct gate_rules *next;
    const struct conf *conf;
    struct gate_site sites[GATE_SITES_MAX];
    size_t n_sites;
};

struct gate {
    struct gate_parts parts;
    struct client_limit *clients; /* who wait */
    pthread_mutex_t lock;         /* rules, added, stress */
    struct gate_rules *rules;
    bool stress;               /* almost all places are taken */
    struct gate_client *added; /* not yet seen by the thread */
    int epoll_fd, wake_fd;
    atomic_bool stopping, stopped;
    atomic_uint refused; /* clients whose sessions refuse */
    unsigned questions;  /* that are open at the resolver; of the thread alone, as are: */
    struct gate_client *waiting;
};

struct gate_asked { /* one DNS list */
    struct question *question;
    bool settled;
};

struct gate_client {
    struct gate *gate;
    struct gate_visitor v;
    const struct gate_rules *rules;
    struct socket_client key;
    struct gate_record record; /* what is remembered of it */
    bool is_new;
    unsigned todo, passed; /* 1 << enum gate_test */
    bool failed;           /* a test, whose action is not to ignore it */
    bool counted;          /* in gate.refused */
    struct smtp_gate session;

    /* while it waits */
    struct gate_client *prev, *next;
    msec since, until, dns_until;
    bool waits_for_silence; /* the pregreet test is not over */
    struct gate_score score;
    int ttl_s;                 /* the least of the answers */
    bool incomplete;           /* a list did not answer */
    size_t n_open;             /* lists that have not answered yet */
    struct gate_asked asked[]; /* as many as rules->n_sites */
};

#define GATE_FMT    "[%s]:%d"
#define GATE_ARG(c) (c)->v.address, (c)->v.port

/* gate.c: the tests before the greeting are over, or there are none. c goes on, or is turned away. */
void gate_conclude(struct gate_client *c);
/* The client failed: logged already. True: it was turned away, and c is gone. */
bool gate_fail(struct gate_client *c, int action, const char *enhanced, const char *text);
/* Says its last word to the client and turns it away. c is gone. */
void gate_turn_away(struct gate_client *c, const char *reply);
void gate_say(const struct gate_client *c, const char *reply);
void gate_pass(struct gate_client *c, enum gate_test test, int64_t for_ms); /* the test counts so long */

/* gate_dnsbl.c, in the gate's thread. */
void gate_dnsbl_ask(struct gate_client *c); /* what of it the resolver takes now */
void gate_dnsbl_look(struct gate_client *c, msec now);
void gate_dnsbl_forget(struct gate_client *c);
/* All have answered, and well enough that nothing else matters. */
bool gate_dnsbl_allows(const struct gate_client *c);
/* Judges: true: the client was turned away, and c is gone. */
bool gate_dnsbl_conclude(struct gate_client *c);

/* gate_wait.c: c waits for its tests. */
void gate_wait(struct gate_client *c);

#endif
