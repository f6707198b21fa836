/* session: one POP3 session after log-in: the TRANSACTION and UPDATE states (RFC 1939 §5, §6).
 *
 * Runs single-threaded in the caged session process, over a stream and the account's store. The maildrop is
 * INBOX as it was at the start: messages that arrive meanwhile are for the next session. Deletions happen at
 * QUIT alone, all in one durable step before its +OK; a session that ends in any other way deletes nothing.
 */
#ifndef POP3_SESSION_H
#define POP3_SESSION_H

#include "fmt/mail_log.h"
#include "fmt/pop3_cmd.h"
#include "os/stream.h"
#include "store/store.h"

struct pop3_start {
    struct stream *stream; /* the caller's, as all members; its input buffer holds POP3_LINE_MAX */
    struct store *store;
    str account, session_id, client; /* for the log */
    struct mail_log_terms mail_log;  /* what is told of messages */
    str logout_format;               /* Dovecot's pop3_logout_format; empty: nothing is told */
    msec timeout_ms;                 /* autologout, at least ten minutes (RFC 1939 §3) */
};

/* Sends the +OK of the log-in and serves until QUIT, autologout or a broken connection. Returns the process's
 * exit status: 0 for any of these, 1 when the store failed so that the session could not go on. */
int pop3_session(const struct pop3_start *start);

/* --- for the command files --- */
struct pop3_message { /* number is the index plus 1 */
    uid32 uid;
    bool deleted, seen_now; /* seen_now: retrieved in this session, \Seen at its end */
    uint64_t size;          /* CRLF bytes */
};

struct pop3_session {
    const struct pop3_start *start;
    struct stream *io;
    struct box *box;
    struct pop3_message *messages;
    size_t n;
    struct pop3_sent {
        unsigned n;
        uint64_t bytes;
    } retr, top;
    size_t expunged;
    uint64_t expunged_bytes;
    unsigned bad_in_row;
    const char *closing; /* NULL while the session goes on; then why it ends, for the log */
    int status;
};

typedef void pop3_handler(struct pop3_session *s, const struct pop3_cmd *cmd);
pop3_handler pop3_cmd_stat, pop3_cmd_list, pop3_cmd_uidl, pop3_cmd_retr, pop3_cmd_top, pop3_cmd_dele,
    pop3_cmd_rset, pop3_cmd_quit;

/* The message with this number that is not deleted; NULL: answered with -ERR. */
struct pop3_message *pop3_find(struct pop3_session *s, uint32_t number);
/* Messages not deleted, and their size together. */
size_t pop3_count(const struct pop3_session *s, uint64_t *ret_size);
/* Answers -ERR [SYS/TEMP] and logs why. */
void pop3_store_failed(struct pop3_session *s, const char *what, const struct err *e);

#endif
