/* The content of a transaction, as DATA with its dots or as BDAT in chunks (RFC 3030), of which one may be
 * unanswered, and what the server says in the end (RFC 5321 §4.1.1.4, RFC 2033 §4.2). */
#include "smtp/client_transaction.h"

enum { LAST_WORD_MS = 1000 }; /* to read why the server closed while it was being written to */

/* One reply for all, or with LMTP one for each accepted recipient, in their order (RFC 2033 §4.2). */
static void read_results(struct transaction *t)
{
    struct smtp_outcome o = {0};
    bool first = true;
    for (size_t i = 0; i < t->n; i++) {
        struct rcpt_entry *e = &t->entries[i];
        if (e->state != RCPT_ACCEPTED)
            continue;
        if (first || t->c->p.lmtp) {
            enum rc rc = client_read(t->c, t->c->p.timeouts.data_done, NULL);
            if (rc != RC_OK) {
                t->m->uncertain = true;
                transaction_settle_lost(t, SMTP_PHASE_END, rc);
                return;
            }
            client_outcome_reply(t->c, t->arena, SMTP_PHASE_END, &o);
        }
        if (t->c->closing || t->c->broken) {
            transaction_settle_all(t, &o);
            return;
        }
        transaction_settle(t, e, &o);
        if (first)
            t->m->outcome = o;
        first = false;
    }
    t->over = true;
}

/* RFC 3030 §2: after a BDAT that failed only RSET brings the server into a known state. */
void transaction_read_bdat_results(struct transaction *t)
{
    read_results(t);
    t->c->needs_reset = t->m->outcome.rc != RC_OK;
}

/* The server stopped reading: maybe it said why. */
static void settle_write_failed(struct transaction *t, enum rc rc)
{
    struct smtp_outcome o;
    if (rc == RC_GONE && client_read(t->c, LAST_WORD_MS, NULL) == RC_OK && t->c->reply.code >= 400) {
        client_outcome_reply(t->c, t->arena, SMTP_PHASE_BODY, &o);
        transaction_settle_all(t, &o);
        return;
    }
    transaction_settle_lost(t, SMTP_PHASE_BODY, rc);
}

static void settle_unreadable(struct transaction *t)
{
    struct smtp_outcome o;
    t->c->broken = true; /* the message must not be ended, so the connection is */
    client_outcome_own(t->arena, SMTP_PHASE_BODY, RC_TEMP, "4.3.0", &o, "the message content cannot be read");
    transaction_settle_all(t, &o);
}

void transaction_send_dots(struct transaction *t)
{
    for (bool last = false; !last;) {
        if (client_content_next(&t->content, &last) != RC_OK) {
            settle_unreadable(t);
            return;
        }
        client_set_deadline(t->c, t->c->p.timeouts.block);
        stream_write(t->c->io, buf_str(&t->content.wire));
        enum rc rc = client_flush(t->c, t->c->p.timeouts.block);
        if (rc != RC_OK) {
            settle_write_failed(t, rc);
            return;
        }
    }
    t->c->needs_reset = false;
    read_results(t);
}

/* Reads the reply to a chunk that is not the last one; last: that one is on its way too. */
static void take_chunk_reply(struct transaction *t, bool last)
{
    struct smtp_outcome o;
    enum rc rc = client_read(t->c, t->c->p.timeouts.data_done, NULL);
    if (rc != RC_OK) {
        t->m->uncertain = last;
        transaction_settle_lost(t, SMTP_PHASE_BODY, rc);
        return;
    }
    client_outcome_reply(t->c, t->arena, SMTP_PHASE_BODY, &o);
    if (o.rc != RC_OK)
        transaction_settle_all(t, &o);
}

static bool send_chunk(struct transaction *t, bool last)
{
    client_set_deadline(t->c, t->c->p.timeouts.block);
    stream_printf(t->c->io, "BDAT %zu%s\r\n", t->content.wire.n, last ? " LAST" : "");
    stream_write(t->c->io, buf_str(&t->content.wire));
    enum rc rc = client_flush(t->c, t->c->p.timeouts.block);
    if (rc != RC_OK)
        settle_write_failed(t, rc);
    return rc == RC_OK;
}

/* A refused chunk ends the transaction; a chunk behind it brings one reply more (RFC 3030 §2). */
static void skip_reply(struct transaction *t)
{
    if (!t->c->broken && !t->c->closing && client_read(t->c, t->c->p.timeouts.data_done, NULL) != RC_OK)
        t->c->broken = true;
}

void transaction_send_chunks(struct transaction *t, bool last)
{
    size_t ahead = transaction_has(t, EHLO_PIPELINING) ? 1 : 0, unanswered = 0;
    for (;;) {
        if (!send_chunk(t, last))
            return;
        unanswered++;
        while (!t->over && unanswered > (last ? 1 : ahead)) {
            take_chunk_reply(t, last);
            unanswered--;
        }
        if (t->over || last)
            break;
        if (client_content_next(&t->content, &last) != RC_OK) {
            settle_unreadable(t);
            return;
        }
    }
    if (t->over) {
        while (unanswered--)
            skip_reply(t);
        return;
    }
    transaction_read_bdat_results(t);
}
