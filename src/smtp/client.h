/* client: one connection to another server that takes mail, as the client: SMTP (RFC 5321) or LMTP (RFC
 * 2033).
 *
 * Straight-line blocking code on a stream, for one thread; runs in role smtp. Knows neither DNS nor the
 * queue: the caller connects, decides about TLS, and gives messages. Every wait has a deadline of its own
 * that progress does not extend, and everything that the server says has a limit. Every result is a struct
 * smtp_outcome, in the words that Postfix logs. */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include "base/arena.h"
#include "fmt/ehlo.h"
#include "fmt/smtp_reply.h"
#include "os/tls_client.h"

enum {
    SMTP_SAID_MAX = SMTP_REPLY_SAID_MAX,
    SMTP_CLIENT_IN_MAX = 16384,  /* what the stream's in_max must at least be */
    SMTP_CLIENT_RCPT_MAX = 10000 /* recipients of one message; more are left untried */
};

enum smtp_phase { /* what was going on when the outcome was known */
                  SMTP_PHASE_GREETING,
                  SMTP_PHASE_EHLO, /* EHLO, LHLO, HELO */
                  SMTP_PHASE_STARTTLS,
                  SMTP_PHASE_TLS, /* the handshake and what it showed */
                  SMTP_PHASE_AUTH,
                  SMTP_PHASE_CHECK, /* nothing was sent: the server lacks what the message needs */
                  SMTP_PHASE_XFORWARD,
                  SMTP_PHASE_MAIL,
                  SMTP_PHASE_RCPT,
                  SMTP_PHASE_DATA, /* the DATA command */
                  SMTP_PHASE_BODY, /* sending the content */
                  SMTP_PHASE_END,  /* waiting for the reply to the end of data */
                  SMTP_PHASE_RSET,
                  SMTP_PHASE_QUIT
};

struct smtp_outcome {
    enum rc rc; /* RC_OK; RC_TEMP: try later or elsewhere; RC_PERM: never */
    enum smtp_phase phase;
    int code; /* the server's reply code; 0: the outcome is not a reply (connection lost, our own decision) */
    char enhanced[12]; /* RFC 3463 "5.1.1": the server's, or what fits best; never "" */
    str said; /* the server's words, "550 5.1.1 no such user", lines joined by spaces; printable UTF-8; ""
                 with code 0 */
    str text; /* for the log and the DSN: "host mx.example[192.0.2.1] said: 550 5.1.1 no such user (in reply
                 to RCPT TO command)"; RC_OK: the same as said */
};

/* --- opening --- */

enum smtp_client_tls {
    SMTP_TLS_NONE,   /* never */
    SMTP_TLS_MAY,    /* where offered; a server that offers it and then refuses goes on in clear */
    SMTP_TLS_ENCRYPT /* always; how the server is verified is in tls_params (verify and required) */
};

struct smtp_client_auth {
    str user, password;   /* password: prepared or plain UTF-8 */
    str token;            /* OAuth 2 bearer token: XOAUTH2 only; "": none */
    unsigned mechanisms;  /* allowed ones, EHLO_AUTH_* bits; 0: all */
    bool allow_plaintext; /* PLAIN, LOGIN and XOAUTH2 without TLS too */
};

/* Milliseconds each; 0: RFC 5321 §4.5.3.2's, which stands behind. */
struct smtp_client_timeouts {
    msec greeting;  /* 5 min */
    msec helo;      /* 5 min: EHLO, HELO, LHLO, STARTTLS, AUTH */
    msec handshake; /* 5 min */
    msec mail;      /* 5 min */
    msec rcpt;      /* 5 min */
    msec data_init; /* 2 min */
    msec block;     /* 3 min: each block of content */
    msec data_done; /* 10 min */
    msec rset;      /* 20 s */
    msec quit;      /* 10 s */
};

struct smtp_client_params { /* copied; what its views show must outlive the client, but for peer */
    bool lmtp;
    str peer;      /* for texts: "mx.example[192.0.2.1]", or "mx.example[private/lmtp]" */
    str helo_name; /* this host */
    enum smtp_client_tls tls_level;
    bool tls_implicit; /* the handshake comes before the greeting (RFC 8314 §3); needs SMTP_TLS_ENCRYPT */
    struct tls_client *tls; /* NULL only with SMTP_TLS_NONE */
    struct tls_client_params tls_params;
    const struct smtp_client_auth *auth; /* NULL: none */
    bool auth_returns;                   /* a log-in that is refused for good is RC_PERM */
    bool tells_origin;                   /* with XFORWARD, where it is offered */
    unsigned ignore_keywords;            /* EHLO_* bits that count as not offered */
    smtp_reply_filter *reply_filter;     /* of each line of a reply; may be NULL */
    void *filter_ctx;
    struct smtp_client_timeouts timeouts;
    msec deadline; /* clock_mono() instant at which everything fails; 0: none */
};

struct smtp_client;

struct smtp_client_failure {
    struct smtp_outcome outcome; /* the texts live in the arena */
    /* The TLS handshake failed with SMTP_TLS_MAY, or the server closed in its course: connect again with
     * SMTP_TLS_NONE (RFC 7435 §3). */
    bool retry_without_tls;
    bool starttls_missing; /* TLS is required, and the server does not offer it */
    enum tls_fault tls_fault;
};

/* Greeting, EHLO, TLS, AUTH. Takes the connected stream in any case (in_max: SMTP_CLIENT_IN_MAX). Texts of a
 * failure are put into arena.
 * Not RC_OK: the outcome's rc. A greeting of 5yz is RC_PERM with SMTP_PHASE_GREETING, where the next MX host
 * should be tried all the same, unless it is 521 or 556: the host never takes mail (RFC 7504 §4). TLS that is
 * required and not to be had, a server that cannot be verified, and refused AUTH are RC_TEMP: they wait for
 * an administrator. */
MUST_USE enum rc smtp_client_open(const struct smtp_client_params *params, struct stream *s,
                                  struct arena *arena, struct smtp_client **ret,
                                  struct smtp_client_failure *ret_failure);
/* Closes without a word; accepts NULL, returns NULL. */
struct smtp_client *smtp_client_free(struct smtp_client *c);
void smtp_client_freep(struct smtp_client **c);
/* Says QUIT where the connection is in order, waits a little for 221, and frees. */
void smtp_client_quit(struct smtp_client *c);

/* What the server offered last, with TLS what it offered under TLS; zero after HELO. */
const struct ehlo *smtp_client_offers(const struct smtp_client *c);
const struct tls_info *smtp_client_tls_info(const struct smtp_client *c); /* NULL without TLS */
/* Whether another message may be sent: the connection is in order, the server is silent as it should be, and
 * has not reached its MAILMAX (RFC 9422). */
bool smtp_client_is_usable(struct smtp_client *c);
/* Asks with RSET whether a connection that was idle for a while still works. */
MUST_USE enum rc smtp_client_probe(struct smtp_client *c);

/* --- sending --- */

enum smtp_client_content {
    SMTP_CONTENT_7BIT,
    SMTP_CONTENT_8BIT,  /* needs 8BITMIME */
    SMTP_CONTENT_BINARY /* needs BINARYMIME and CHUNKING; the bytes go as they are, line ends too */
};

enum { /* smtp_client_message.passed, bits: what went with the message */
       SMTP_PASSED_DSN =
           1,                     /* RET, ENVID, NOTIFY, ORCPT: the server now owes the reports. Without it, a
                                     recipient       who wants NOTIFY=SUCCESS gets a "relayed" report (RFC 3461 §5.2.2) */
       SMTP_PASSED_DELIVERBY = 2, /* without it and with mode 'N': "relayed" too (RFC 2852 §4.1.4) */
       SMTP_PASSED_PRIORITY = 4,
       SMTP_PASSED_REQUIRETLS = 8,
       SMTP_PASSED_SMTPUTF8 = 16
};

struct smtp_client_rcpt {
    str address;     /* as between the brackets: "user@example.com", quoted where it must be; UTF-8 only with
                        smtputf8 */
    unsigned notify; /* SMTP_NOTIFY_* (fmt/smtp_cmd.h); 0: not given */
    str orcpt_type, orcpt; /* decoded; p NULL: not given */

    /* Filled: */
    bool tried; /* false: left for another transaction: past a limit of the server (RFC 9422, or 452 after
                   others were accepted, RFC 5321 §4.5.3.1.10); outcome is RC_TEMP. At least one is always
                   tried. */
    struct smtp_outcome outcome;
};

/* From whom a message came, as far as it is known; empty: it is not. */
struct smtp_client_origin {
    str name, address; /* of the client; both empty for a program of this machine */
    str port, helo, protocol;
    str id;     /* under which the message is in our log */
    bool local; /* ... from such a program */
};

struct smtp_client_message {
    struct smtp_client_origin origin;
    str sender;          /* as between the brackets; "" for <> */
    uint64_t size_bytes; /* as SIZE counts (CRLF, without dots); 0: not announced */
    enum smtp_client_content content;
    bool smtputf8; /* an address or a header field needs it */
    bool requiretls;
    bool probe; /* the recipients are asked for, and nothing is sent: their outcome is the reply to RCPT */
    bool whole; /* to all recipients or to none: where one is refused, nothing is sent, and all have that
                   outcome */
    int ret;    /* enum smtp_ret (fmt/smtp_cmd.h) */
    str envid;  /* decoded; p NULL: not given */
    str auth;   /* the AUTH parameter, "<>" or a mailbox; p NULL: not given. Passed on where this client has
                   logged  in (RFC 4954 §5) */
    bool has_priority;
    int priority; /* MT-PRIORITY, -9 to 9 */
    char by_mode; /* DELIVERBY: 'R', 'N'; 0: not given */
    bool by_trace;
    int64_t by_seconds; /* what is left; negative with 'N' only */

    /* Content with LF line ends, unless it is SMTP_CONTENT_BINARY: header, then either body or, where fd >=
     * 0, body_bytes from offset body_offset of fd, which is read with pread. */
    str header, body;
    int fd;
    uint64_t body_offset, body_bytes;

    struct smtp_client_rcpt *rcpts;
    size_t n_rcpts;

    /* Filled: */
    struct smtp_outcome
        outcome;     /* of the message as a whole: the reply to the end of data, or what ended the transaction
                        before; with LMTP the first recipient's reply that came last */
    unsigned passed; /* SMTP_PASSED_*; 0 when nothing was accepted */
    bool
        needs_7bit; /* the server takes no 8-bit (or binary) content: nothing was sent; convert and try again,
                       here or elsewhere. The outcome is then RC_PERM 5.6.3, in case it cannot be converted */
    bool uncertain; /* all was sent, and the connection was lost before the reply: it may have arrived (RFC
                       5321 §6.1); RC_TEMP */
};

/* One transaction (RSET before it, where the one before was left open). Every recipient's outcome is filled
 * whatever happens; their texts are put into arena, shared where they are equal. What the server cannot do is
 * known before anything is sent: RC_PERM with SMTP_PHASE_CHECK for all: SMTPUTF8 (5.6.7), REQUIRETLS
 * (5.7.30), SIZE (5.3.4), DELIVERBY with mode R (5.3.3); another MX host may be able to. Afterwards see
 * smtp_client_is_usable. */
void smtp_client_send(struct smtp_client *c, struct arena *arena, struct smtp_client_message *m);

#endif
