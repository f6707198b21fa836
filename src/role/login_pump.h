/* login_pump: one thread that carries the bytes of all logged-in connections between clients and session
 * processes.
 *
 * Each connection has two ways. A way reads only when its last bytes were taken by the other side, so a slow
 * reader holds back its writer and nobody's memory grows (at most one block of 16 KiB waits per way). An idle
 * connection holds no buffer. End of input on one side half-closes the other; a session that ends closes the
 * connection, a client that is gone ends the session's input. The pump owns both ends until then.
 *
 * A session may also give the connection back (pump_give_back): its process ends, what it had not read of the
 * client's input is input again, and the connection goes on with whoever handed it over. */
#ifndef ROLE_LOGIN_PUMP_H
#define ROLE_LOGIN_PUMP_H

#include "os/stream.h"

struct pump;

struct pump_traffic {
    uint64_t in, out; /* bytes from and to the client */
};

/* RC_TEMP: the process is out of descriptors. */
MUST_USE enum rc pump_new(struct pump **ret);
/* The thread's function: runs until pump_stop, then closes all connections. arg: the pump. */
void *pump_run(void *arg);
void pump_stop(struct pump *p);
/* After pump_run returned. */
struct pump *pump_free(struct pump *p);

/* Hands over a connection from any thread; input that the stream has buffered goes to the session first.
 * ended is called in the pump's thread when it is over: the session's end is closed, and so is the client's,
 * unless the session gave the connection back: then client is not NULL, and the callee's. */
void pump_add(struct pump *p, struct stream *client, int session_fd,
              void (*ended)(void *ctx, const struct pump_traffic *traffic, struct stream *client), void *ctx);

/* For the session, in its own process, with all its output written to io: tells the pump and returns the
 * input that is left. Closing io then ends it. Whatever fails ends the connection. */
void pump_give_back(struct stream *io);

#endif
