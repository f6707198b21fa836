/* client_transaction: one transaction of a client, as client_send.c, client_pipeline.c and client_body.c
 * share it. */
#ifndef SMTP_CLIENT_TRANSACTION_H
#define SMTP_CLIENT_TRANSACTION_H

#include "smtp/client_impl.h"

enum rcpt_state { RCPT_WAITING, RCPT_ACCEPTED, RCPT_SETTLED };

struct rcpt_entry {
    struct smtp_client_rcpt *rcpt;
    enum rcpt_state state;
};

/* Commands have positions: 0 is MAIL, 1 to n the recipients, n + 1 what starts the content: DATA, or the
 * whole of a small message as one BDAT. */
struct transaction {
    struct smtp_client *c;
    struct arena *arena;
    struct smtp_client_message *m;
    struct rcpt_entry *entries; /* those that are tried */
    size_t n, accepted;
    size_t sent, answered; /* positions */
    unsigned passes;       /* SMTP_PASSED_* of the MAIL command */
    bool bdat;             /* the content goes in BDAT form */
    bool inline_bdat;      /* all of it is in content.wire, and is position n + 1 */
    bool go;               /* DATA was answered with 354 */
    bool over;             /* nothing more is to be sent */
    struct client_content content;
};

static inline bool transaction_has(const struct transaction *t, unsigned keyword)
{
    return ehlo_has(&t->c->offers, keyword);
}

/* --- results (client_send.c) --- */
void transaction_settle(struct transaction *t, struct rcpt_entry *e, const struct smtp_outcome *o);
/* Everybody who has no result yet gets this one, and the transaction is over. */
void transaction_settle_all(struct transaction *t, const struct smtp_outcome *o);
/* The same, where the connection is of no more use. */
void transaction_settle_lost(struct transaction *t, enum smtp_phase phase, enum rc rc);

/* --- client_forward.c: says from whom the message came; false: the connection is lost, and all is settled
 * --- */
bool transaction_tell_origin(struct transaction *t);

/* --- client_pipeline.c: sends the commands, reads their replies --- */
void transaction_run_envelope(struct transaction *t);

/* --- client_body.c: sends the content, reads the results --- */
void transaction_send_dots(struct transaction *t);
/* The first chunk is in content.wire already; last: it is the only one. */
void transaction_send_chunks(struct transaction *t, bool last);
/* The replies to a small message's BDAT. */
void transaction_read_bdat_results(struct transaction *t);

#endif
