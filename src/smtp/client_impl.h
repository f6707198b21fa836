/* client_impl: what the files of the client (client*.c) share; nothing else includes it. */
#ifndef SMTP_CLIENT_IMPL_H
#define SMTP_CLIENT_IMPL_H

#include "fmt/dotstuff.h"
#include "smtp/client.h"

struct smtp_client {
    struct smtp_client_params p; /* with every time limit filled */
    char peer[320];              /* what p.peer shows: a client goes from one worker to another */
    struct stream *io;
    struct ehlo offers;
    const char *hello; /* the verb that was used last */
    bool authenticated;
    bool broken;             /* the connection is lost or out of step: nothing more is sent */
    bool closing;            /* the server said 421 */
    bool needs_reset;        /* a transaction was left open */
    uint32_t transactions;   /* begun */
    struct smtp_reply reply; /* the last one read */
};

/* --- replies and outcomes (client_reply.c) --- */
/* Sends what was written. RC_TEMP: time ran out; RC_GONE: the connection is lost. */
MUST_USE enum rc client_flush(struct smtp_client *c, msec timeout);
/* Reads one reply into c->reply within timeout, however it trickles in; the lines go to *into where it is not
 * NULL. RC_TEMP: time ran out; RC_GONE: lost; RC_INVALID, RC_LIMIT: no reply. The client is broken then. */
MUST_USE enum rc client_read(struct smtp_client *c, msec timeout, struct ehlo *into);
/* Sets the time until which the stream may take. */
void client_set_deadline(struct smtp_client *c, msec timeout);

/* The outcome that c->reply is: RC_OK for 2yz, and for 354 in SMTP_PHASE_DATA. */
void client_outcome_reply(struct smtp_client *c, struct arena *arena, enum smtp_phase phase,
                          struct smtp_outcome *ret);
/* The outcome of client_flush or client_read that returned rc. */
void client_outcome_lost(struct smtp_client *c, struct arena *arena, enum smtp_phase phase, enum rc rc,
                         struct smtp_outcome *ret);
/* Our own decision. */
void client_outcome_own(struct arena *arena, enum smtp_phase phase, enum rc rc, const char *enhanced,
                        struct smtp_outcome *ret, const char *fmt, ...) PRINTF(6, 7);
/* client_flush, client_read and the outcome. RC_OK: there is a reply; RC_GONE: there is none. */
MUST_USE enum rc client_ask(struct smtp_client *c, struct arena *arena, enum smtp_phase phase, msec timeout,
                            struct ehlo *into, struct smtp_outcome *ret);

/* --- parts of opening: RC_OK, or failure->outcome.rc with it filled --- */
MUST_USE enum rc client_hello(struct smtp_client *c, struct arena *arena,
                              struct smtp_client_failure *failure);
MUST_USE enum rc client_start_tls(struct smtp_client *c, struct arena *arena,
                                  struct smtp_client_failure *failure);
MUST_USE enum rc client_handshake(struct smtp_client *c, struct arena *arena,
                                  struct smtp_client_failure *failure);
MUST_USE enum rc client_log_in(struct smtp_client *c, struct arena *arena,
                               struct smtp_client_failure *failure);

/* --- SASL (client_sasl.c) --- */
struct client_sasl;
struct client_sasl *client_sasl_new(enum ehlo_auth mechanism, const struct smtp_client_auth *auth);
struct client_sasl *client_sasl_free(struct client_sasl *s); /* wipes; accepts NULL */
void client_sasl_freep(struct client_sasl **s);
/* The initial response; false: the mechanism has none. */
MUST_USE bool client_sasl_first(struct client_sasl *s, struct buf *ret);
/* The response to a challenge. RC_INVALID: the server is not entitled to one. */
MUST_USE enum rc client_sasl_next(struct client_sasl *s, str challenge, struct buf *ret);
/* Whether a success may be believed: the server has proved itself where the mechanism lets it. */
bool client_sasl_is_done(const struct client_sasl *s);

/* --- the envelope (client_envelope.c) --- */
/* What forbids sending m here; RC_OK or m->outcome.rc with m->outcome filled, and m->needs_7bit. */
MUST_USE enum rc client_check(struct smtp_client *c, struct arena *arena, struct smtp_client_message *m);
/* The same for one recipient. */
MUST_USE enum rc client_check_rcpt(const struct smtp_client_message *m, struct arena *arena,
                                   struct smtp_client_rcpt *rcpt);
/* The commands with their line ends; what is passed on with MAIL is returned (SMTP_PASSED_*). */
unsigned client_put_mail(const struct smtp_client *c, const struct smtp_client_message *m, struct buf *out);
void client_put_rcpt(const struct smtp_client *c, const struct smtp_client_message *m,
                     const struct smtp_client_rcpt *rcpt, struct buf *out);

/* --- content (client_content.c) --- */
struct client_content {
    const struct smtp_client_message *m;
    bool dots; /* the form of DATA, else that of BDAT */
    size_t header_at;
    uint64_t body_at;
    bool after_cr; /* the last byte was CR */
    struct dotstuff dotstuff;
    struct crlf_state crlf;
    struct buf raw, wire;
};
void client_content_init(struct client_content *k, const struct smtp_client_message *m, bool dots);
void client_content_deinit(struct client_content *k);
/* The next piece in its wire form is then in k->wire, the end of DATA included. RC_TEMP: the content cannot
 * be read. */
MUST_USE enum rc client_content_next(struct client_content *k, bool *ret_last);

#endif
