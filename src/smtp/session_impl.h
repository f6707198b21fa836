/* session_impl: the state of one session, shared by the files of this folder and by nobody else.
 *
 * Two lifetimes below that of the session: a command (cmd_arena) and a mail transaction (tx.arena, from MAIL
 * to the end of the message, RSET, EHLO or STARTTLS; RFC 5321 §4.1.4). */
#ifndef SMTP_SESSION_IMPL_H
#define SMTP_SESSION_IMPL_H

#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "fmt/dotstream.h"
#include "fmt/header_drop.h"
#include "fmt/headscan.h"
#include "fmt/ip.h"
#include "fmt/queue_id.h"
#include "fmt/smtp_attr.h"
#include "fmt/smtp_cmd.h"
#include "smtp/characters.h"
#include "smtp/checks.h"
#include "smtp/command.h"
#include "smtp/milter.h"
#include "smtp/restrict.h"
#include "smtp/session.h"
#include "table/settings.h"

enum {
    SMTP_HELO_MAX = 255,
    SMTP_METHOD_MAX = 32,
    SMTP_ACCOUNT_MAX = 320,
    SMTP_AUTH_LINE_MAX = 12288, /* RFC 4954 §4 */
    SMTP_MAIL_MAX = 100000,     /* transactions in one session (RFC 9422 §4.1) */
    SMTP_CHUNK = 8192           /* message bytes decoded in one piece */
};

/* How the session greeted; SMTP_HELLO_EXTENDED is EHLO, and LHLO with LMTP. */
enum smtp_hello { SMTP_HELLO_NONE, SMTP_HELLO_PLAIN, SMTP_HELLO_EXTENDED };

/* Why the session is over, which decides its last log lines. */
enum smtp_end {
    SMTP_END_NOT,
    SMTP_END_QUIT,
    SMTP_END_REFUSED, /* the server said its last word and logged why */
    SMTP_END_ERRORS,  /* too many errors */
    SMTP_END_LOST,
    SMTP_END_TIMEOUT
};

struct smtp_recipient { /* an accepted RCPT */
    struct smtp_rcpt rcpt;
    str address; /* "local@domain" as the client gave it, normalised */
    struct smtp_target *targets;
    size_t n_targets;
};

/* The message of a transaction while its bytes come in. */
struct smtp_message {
    bool open; /* between DATA or the first BDAT and its end */
    struct dotstream decoder;
    struct headscan head;              /* of what is kept: */
    struct smtp_checks *checks;        /* what tables say of the content; NULL: it is kept as it comes */
    struct headscan head_before;       /* with checks: as it came */
    struct header_drop drop;           /* of what the checks let through */
    struct smtp_characters characters; /* that it may not have */
    bool failed;                       /* failure is the reply; further bytes are read and dropped */
    bool logged;                       /* ... and the log knows */
    struct err failure;
    msec deadline;
    int64_t grown_bytes, grown_lines; /* by what was taken out and what milters changed, of what came in */
};

/* A recipient that is being judged: whose it is, asked when somebody wants to know. */
struct smtp_judged {
    str address;
    bool asked;
    enum rc rc; /* as of smtp_env.resolve */
    struct err why;
    struct smtp_target *targets;
    size_t n_targets;
};

/* What access tables want done with the message as a whole. */
struct smtp_actions {
    bool discard, hold;
    str redirect; /* the one address that gets it instead of all recipients */
    str *bcc;     /* further recipients */
    size_t n_bcc;
    str prepend; /* header lines with their line ends, to stand above all others */
    str filter;  /* transport:nexthop through which it goes first */
};

/* From whom the client has the message, as it says (XFORWARD). */
struct smtp_forwarded {
    str name, address, id; /* empty: it did not say; "unknown": it does not know either */
};

struct smtp_tx {
    struct arena *arena;
    bool mail_ok, rcpt_tried;
    struct smtp_actions actions;
    struct smtp_forwarded forwarded;
    struct smtp_mail mail;
    str sender; /* without brackets, "" for <> */
    struct smtp_recipient *rcpts;
    size_t n, cap, n_targets;
    msec started;
    char id_room[QUEUE_ID_SIZE];
    str id;    /* empty before the first accepted recipient */
    str trace; /* the header lines that stand above the message, once all of it is there */
    struct smtp_message msg;
};

enum { SMTP_REASON_MAX = 512 }; /* bytes of a reply's text */

struct smtp_deferral { /* a refusal for now that waits for a permit or a reject */
    bool active;
    int code;
    char enhanced[12], text[SMTP_REASON_MAX];
};

/* The restriction lists (restrict.c). */
struct smtp_restrict {
    struct arena *arena; /* for what one command needs; NULL before the first list is applied */
    const char *where;   /* the command: "RCPT" */
    bool has_sender, has_recipient;
    str sender;
    unsigned depth, steps;
    msec dns_end;            /* the DNS is asked no longer for this command */
    unsigned warn_if_reject; /* the depth at which it was said; 0: not */
    struct smtp_deferral if_permit, if_reject;
    struct smtp_deferral after_client, after_helo, after_sender; /* if_permit as it was then */
    bool sender_listed, recipient_listed;                        /* these have been looked at */
    char text[SMTP_REASON_MAX];
    struct restrict_refusal refusal;
    bool denied; /* refused at CONNECT: only QUIT is left */
};

/* For whom the client connects, as it says (XCLIENT). */
struct smtp_claim {
    struct smtp_params p; /* the texts are below */
    char name[SMTP_ATTR_VALUE_MAX + 1], reverse_name[SMTP_ATTR_VALUE_MAX + 1];
    char address[64], server_address[64];
};

/* What a postmaster may be told (notice.c). */
struct smtp_notice {
    unsigned wanted, seen; /* classes of errors */
    struct buf history;    /* lines */
};

struct smtp_session {
    const struct smtp_params *p; /* of the caller, or of the claim */
    struct smtp_claim claim;
    bool may_xforward;
    unsigned discarded; /* EHLO_* bits that it was not offered */
    const struct conf *conf;
    const struct smtp_env *env;
    struct stream *io;
    struct arena *cmd_arena;
    enum smtp_end end;
    enum smtp_hello hello;
    char helo_room[SMTP_HELO_MAX + 1];
    str helo;
    char account_room[SMTP_ACCOUNT_MAX + 1], method_room[SMTP_METHOD_MAX + 1];
    str account, method; /* account.n > 0: authenticated */
    struct ip_net address;
    bool has_address;
    struct smtp_tx tx;
    struct smtp_judged rcpt;      /* the recipient of this command */
    struct smtp_milters *milters; /* NULL: none */
    struct smtp_restrict restrict_;
    const char *last_verb; /* for "after X" in the log; points into the command table */
    int last_code;         /* of the newest reply */
    int errors, junk;
    struct smtp_notice notice;
    unsigned mails; /* MAIL commands so far */
    char session_id[QUEUE_ID_SIZE];
    msec exchange_end; /* of a SASL exchange: no line is waited for longer; 0: none */
    bool in_group;     /* replies wait to be flushed: the next line came in one batch with the previous one */
    struct {
        unsigned total, ok;
    } stats[SMTP_COMMAND_MAX];
};

static inline bool smtp_is_lmtp(const struct smtp_session *s)
{
    return s->p->kind == SMTP_KIND_LMTP;
}
/* The filter that takes messages before they are accepted; empty: none. */
static inline str smtp_proxy_filter(const struct smtp_session *s)
{
    return smtp_is_lmtp(s) || s->p->local ? STR_NONE : str_c(s->conf->smtpd_proxy_filter);
}
/* Whether receive_override_options name it; what is done behind a filter is not done before it. malle's own
 * mail is looked at whatever they say, and keeps its addresses. */
bool smtp_overrides(const struct smtp_session *s, str word);
/* The tables of a setting as they hold for this session; NULL: none. */
static inline struct table_list *smtp_tables(const struct smtp_session *s, enum table_setting which)
{
    return table_settings_of(s->p->tables, s->conf, which);
}
static inline bool smtp_is_authenticated(const struct smtp_session *s)
{
    return s->account.n > 0;
}
/* mynetworks, and mynetworks_maps. RC_OK, RC_GONE, RC_TEMP. */
enum rc smtp_in_mynetworks(const struct smtp_session *s);
/* Whether mail to the address of another server is accepted from anyone and passed on: its domain is in
 * relay_domains or relay_domain_maps. RC_OK, RC_GONE, RC_TEMP. */
enum rc smtp_is_relay_address(const struct smtp_session *s, str address);
/* Whether the client may relay: it has logged in, or the administrator names its network. */
bool smtp_is_trusted(const struct smtp_session *s);
/* The handshake, at the start or after STARTTLS; s->end is set when it fails, or when a certificate is
 * missing that is required: then the client was told. */
void smtp_start_tls(struct smtp_session *s);
/* "AB:CD:...": of the certificate that the client showed, or of its key; "" when there is none
 * (restrict_ccert.c). */
str smtp_fingerprint(struct smtp_session *s, bool of_key, struct arena *a);
/* Whether passwords may be sent here: TLS, or loopback where the administrator permits it. */
bool smtp_is_secured(const struct smtp_session *s);
/* Whether the client may log in here. */
bool smtp_offers_auth(const struct smtp_session *s);
/* " PLAIN LOGIN...": the mechanisms that are offered on this connection now (cmd_auth.c). */
void smtp_put_mechanisms(const struct smtp_session *s, struct buf *out);
/* "ESMTPS" and so on, for logs and Received. */
str smtp_protocol(const struct smtp_session *s);

/* 220 with the domain first (RFC 5321 §4.2), or why not; then only QUIT is left (RFC 5321 §3.1). */
void smtp_greet(struct smtp_session *s);

/* Whether the client may say who it is, and from whom it has a message. */
bool smtp_may_xclient(const struct smtp_session *s);
bool smtp_may_xforward(const struct smtp_params *p, const struct ip_net *address);
/* Replies and returns true when XCLIENT or XFORWARD is out of place. */
bool smtp_refuse_attributes(struct smtp_session *s, bool authorized, str args);
/* ", orig_queue_id=..., orig_client=...", for the log. */
void smtp_put_forwarded(const struct smtp_forwarded *f, struct buf *out);

/* --- what is not offered (discard.c) --- */
/* Finds out what this client is not to be offered. False: not now, and it was told. */
bool smtp_discard_find(struct smtp_session *s);
/* The reply to EHLO without the lines of such keywords. */
void smtp_discard_lines(const struct smtp_session *s, str lines, struct buf *out);

/* SMTP_EXT_* (fmt/smtp_cmd.h) that are offered here now. */
unsigned smtp_extensions(const struct smtp_session *s);

/* Asks, once for each command, whose s->rcpt is: s->rcpt.rc (restrict_address.c). */
enum rc smtp_judge(struct smtp_session *s);

/* Forgets the transaction, its content too. */
void smtp_tx_reset(struct smtp_session *s);
/* Forgets everything the client said (RFC 3207 §4.2), also who it is. */
void smtp_forget_client(struct smtp_session *s);

/* --- commands that settings name (command_list.c) --- */
/* Whether the list, names of commands and tables of them, has this one. */
bool smtp_command_list_has(struct smtp_session *s, const char *list, str verb);
/* Whether no mail client says this: it begins with a field of a header, or with a command of the list; never
 * with one of ours. */
bool smtp_is_foreign(struct smtp_session *s, const char *forbidden, str line);

/* --- input; all set s->end when they fail --- */
/* The next line; replies are flushed when the peer waits for them. RC_LIMIT: longer than max (s->end not
 * set). */
MUST_USE enum rc smtp_read_line(struct smtp_session *s, size_t max, str *ret, enum line_end *ret_end);
/* Some bytes, to be consumed by the caller, not later than deadline. */
MUST_USE enum rc smtp_read_bytes(struct smtp_session *s, msec deadline, str *ret);
/* Sends what was replied. */
void smtp_flush(struct smtp_session *s);

/* --- output (reply.c) --- */
/* One reply. enhanced NULL: none (greeting, EHLO, 3yz; RFC 2034 §3). Lines of the text are separated by LF.
 */
void smtp_reply(struct smtp_session *s, int code, const char *enhanced, const char *fmt, ...) PRINTF(4, 5);
void smtp_reply_err(struct smtp_session *s, const struct err *e);
/* With soft_bounce a refusal is one for now: its code and its status, "" for none. */
void smtp_soften(const struct smtp_session *s, int *code, char *enhanced);
enum { SMTP_FOOTER_MAX = 2048 };
/* Appends smtpd_reject_footer to the text of a refusal, if there is one for it (footer.c). */
void smtp_put_footer(const struct smtp_session *s, int code, const char *enhanced, struct buf *text);
/* What a client that was refused at CONNECT is told from then on. */
void smtp_reply_denied(struct smtp_session *s);

/* --- how often a client may do something (limits.c) --- */
/* Notes that the client does it once more. True: too often, it was told, and the log. */
bool smtp_is_too_often(struct smtp_session *s, enum smtp_event event);
/* The same for a TLS session: before the handshake, and behind it, where being too often ends the session. */
bool smtp_refuse_tls(struct smtp_session *s);
void smtp_count_tls(struct smtp_session *s);

/* --- log (smtp_log.c) --- */
#define SMTP_CLIENT_FMT    STR_FMT "[" STR_FMT "]"
#define SMTP_CLIENT_ARG(s) STR_ARG((s)->p->client_name), STR_ARG((s)->p->client_address)
void smtp_log_connect(const struct smtp_session *s);
void smtp_log_end(const struct smtp_session *s);
void smtp_log_client(const struct smtp_session *s); /* "ID: client=" or "ID: uid=", when the id is made */
void smtp_log_tls(const struct smtp_session *s);    /* a handshake is done */
/* "ID: reject: RCPT from ...", "NOQUEUE" without an id. recipient may be STR_NONE. */
void smtp_log_reject(const struct smtp_session *s, const char *stage, str sender, str recipient,
                     const struct err *e);
/* The same in all its parts: what is "reject", "info"...; sender and recipient with p NULL are left out. */
void smtp_log_event(const struct smtp_session *s, const char *what, const char *stage, str text, str sender,
                    str recipient);
/* The same as the line of another program. */
void smtp_log_event_of(const struct smtp_session *s, enum log_program program, const char *what,
                       const char *stage, str text, str sender, str recipient);
/* The same, and replies e. */
void smtp_reject(struct smtp_session *s, const char *verb, str sender, str recipient, const struct err *e);
struct smtp_times { /* of one message, for delays=: receiving and delivering; and its size */
    msec receive, deliver;
    uint64_t bytes, crlf_bytes; /* with the trace; bytes: in LF form */
};
void smtp_log_message_id(const struct smtp_session *s, str message_id);
void smtp_log_proxied(const struct smtp_session *s, const struct smtp_delivery *d);
void smtp_log_message(const struct smtp_session *s, uint64_t bytes); /* "ID: from=", all of it is there */
void smtp_log_removed(const struct smtp_session *s);                 /* nothing of it waits */
void smtp_log_delivery(const struct smtp_session *s, const struct smtp_recipient *r,
                       const struct smtp_target *target, const struct err *result, struct smtp_times times);

/* --- the gate (session_gate.c) --- */
/* Makes the tests of the gate on a command line that is about to be obeyed. True: the last word is said. */
MUST_USE bool smtp_gate_ends(struct smtp_session *s, str line, enum line_end end);
void smtp_gate_pass(struct smtp_session *s); /* the client has come to the content of a message */
bool smtp_gate_refuses(const struct smtp_session *s);
void smtp_gate_refuse(struct smtp_session *s, str recipient); /* logs, and replies to RCPT */
bool smtp_gate_hides_pipelining(const struct smtp_session *s);
msec smtp_gate_patience(const struct smtp_session *s); /* with which the next command is waited for */
void smtp_gate_log_end(const struct smtp_session *s);  /* of a client that is refused */

/* --- the message (message.c, finish.c) --- */
/* Asks for smtpd_min_data_rate while a message comes in. */
void smtp_set_data_rate(struct smtp_session *s, bool on);
/* Begins the message of the transaction. dots: DATA; else BDAT. */
void smtp_message_begin(struct smtp_session *s, bool dots);
/* Decodes and keeps; returns the bytes taken, *ret_end: the message ended there. */
size_t smtp_message_feed(struct smtp_session *s, str in, bool *ret_end);
/* Ends the counted form. */
void smtp_message_end_counted(struct smtp_session *s);
/* Keeps content that the checks let through; crlf_bytes: the size of all so far, as the SIZE extension
 * counts.
 */
void smtp_message_store(struct smtp_session *s, str content, uint64_t crlf_bytes);
/* All of it is there. */
void smtp_message_flush(struct smtp_session *s);
/* Notes why the message will be refused; the first reason stays. */
void smtp_message_fail(struct smtp_session *s, int code, const char *enhanced, const char *text);
/* The same for a refusal of the restrictions, of which the log knows. */
void smtp_message_refuse(struct smtp_session *s, const struct restrict_refusal *r);
/* The lines of what came in, in LF form. */
uint64_t smtp_message_lines(const struct smtp_session *s);
/* All bytes are there: judges, delivers, replies, logs, and resets the transaction. */
void smtp_message_finish(struct smtp_session *s);
/* A further recipient of the message, and one in the place of all others, as tables have them. RC_INVALID:
 * that is no address; RC_LIMIT: they are too many. */
MUST_USE enum rc smtp_action_bcc(struct smtp_session *s, str text);
MUST_USE enum rc smtp_action_redirect(struct smtp_session *s, str text);
/* The further recipients that always_bcc, sender_bcc_maps and recipient_bcc_maps say. Not RC_OK: the message
 * is marked as failed. */
MUST_USE enum rc smtp_action_copies(struct smtp_session *s);
/* A further recipient, "local@domain" in its normal form, with the parameters of a RCPT; it may be anywhere.
 * RC_OK also when it is one already. RC_TEMP, RC_PERM or RC_LIMIT with e. */
MUST_USE enum rc smtp_add_recipient(struct smtp_session *s, str address, const struct smtp_rcpt *rcpt,
                                    struct err *e);
/* The recipients that tables added, or put in the place of all others (actions.c). Not RC_OK: replied. */
MUST_USE enum rc smtp_apply_actions(struct smtp_session *s);
/* Replies that DATA or BDAT has no recipients and returns true; false when it has. */
bool smtp_refuse_without_recipients(struct smtp_session *s);

/* --- what a postmaster is told of the session (notice.c) --- */
void smtp_notice_init(struct smtp_session *s);
void smtp_notice_command(struct smtp_session *s, str line);
/* A line of a reply: code and enhanced status, and the rest. */
void smtp_notice_reply(struct smtp_session *s, int code, str enhanced, str head, str text);
void smtp_notice_end(struct smtp_session *s); /* after the last word */
/* finish.c: a message of our own, without a sender, to one address; it ends the transaction. */
void smtp_post(struct smtp_session *s, str to, str content);

#endif
