/* scripted: a server that follows a script over a socket pair, in a thread, for tests of the client. */
#ifndef TESTS_UNIT_SMTP_SCRIPTED_H
#define TESTS_UNIT_SMTP_SCRIPTED_H

#include "base/buf.h"
#include "smtp/client.h"

#include <pthread.h>

/* What the client must say next, and the answer. hear: the whole line; with "*" at its end what it begins
 * with; NULL: nothing. HEAR_DOTS: lines up to the final dot. HEAR_BDAT: a BDAT command and its bytes. say:
 * bytes as they go; NULL: nothing. SAY_TLS: a handshake as the server. SAY_CLOSE: closes. SAY_DRIP: one byte
 * every 20 ms, without end. SAY_NOTHING: waits for the client to close. */
struct script_step {
    const char *hear, *say;
};
#define HEAR_DOTS   "\1"
#define HEAR_BDAT   "\2"
#define SAY_TLS     "\3"
#define SAY_CLOSE   "\4"
#define SAY_DRIP    "\5"
#define SAY_NOTHING "\6"

struct scripted {
    const struct script_step *steps;
    size_t n;
    struct tls_server *tls;
    /* what came of it, to be looked at after scripted_end */
    struct buf content; /* of HEAR_DOTS and HEAR_BDAT, as on the wire, final dot included */
    struct buf lines;   /* every line heard, with LF ends */
    char wrong[400];    /* "": all went as written */
    /* the inside */
    pthread_t thread;
    struct stream *io;
};

/* Returns the client's end. */
struct stream *scripted_begin(struct scripted *s, const struct script_step *steps, size_t n);
/* Call after the client's end was closed. Fails the test when the client said something else. */
void scripted_end(struct scripted *s);
void scripted_free(struct scripted *s); /* the buffers */

/* Parameters of a client for these scripts: no TLS, no AUTH, short time limits. */
extern const struct smtp_client_params scripted_params;

#endif
