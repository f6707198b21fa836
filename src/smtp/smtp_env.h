/* smtp_env: everything an SMTP or LMTP session asks of the world outside its connection.
 *
 * The role (role/smtpd.c) fills one table of functions and hands it to every session with a context of the
 * session's own, so the protocol code knows neither IPC nor files, and tests run it against a table of their
 * own. One thread uses a context at a time. Calls may block, within time limits that the role sets. Views
 * that a function returns live in the arena it was handed, or until the next call where none is handed. */
#ifndef SMTP_SMTP_ENV_H
#define SMTP_SMTP_ENV_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "fmt/smtp_cmd.h"
#include "smtp/client.h"

/* One mailbox that a recipient address leads to, or an address of another server. */
struct smtp_target {
    bool remote;
    bool forwarded; /* remote, and an address of ours leads there (the session says so) */
    bool unlisted;  /* of a domain of ours, and nobody: for the queue, which returns the message */
    bool limited;   /* the mailbox has a quota */
    str account;    /* who receives: the mailbox's owner; empty when remote */
    uint32_t uid;
    str address; /* Delivered-To: the address after aliases, "user@domain" */
    str sender;  /* the owner of the list that it is a member of, who hears of failures; empty: the message's
                    sender */
    str via;     /* here, but not simply a mailbox: for the queue (fmt/via.h); else empty */
};

enum smtp_verified { SMTP_VERIFIED, SMTP_UNDELIVERABLE, SMTP_DEFERRED, SMTP_UNVERIFIED };

/* Mailboxes that one transaction may lead to, so that whatever is accepted can be delivered at once. */
enum { SMTP_TARGETS_MAX = 1000 };

enum { SMTP_MECHANISMS_MAX = 300 }; /* bytes of the list that is offered */

enum smtp_sasl_result { SMTP_SASL_CONTINUE, SMTP_SASL_OK, SMTP_SASL_FAIL, SMTP_SASL_TEMP };

struct smtp_sasl_reply {
    enum smtp_sasl_result result;
    str data; /* not encoded: the challenge, or with SMTP_SASL_OK the final data (SCRAM), which may be empty
               */
    str account; /* SMTP_SASL_OK: who logged in; _FAIL: who wanted to, as far as that is known */
    str reason;  /* SMTP_SASL_FAIL and _TEMP: for the log */
};

/* What a mechanism may bind to and is told; views for the time of the call. */
struct smtp_sasl_start {
    str mechanism; /* as the client wrote it; one of those that were offered */
    bool has_initial;
    str initial;             /* decoded */
    bool secured;            /* TLS, or loopback where that is permitted */
    str exporter, end_point; /* channel bindings, empty without TLS (stream.h) */
    str certified_name;      /* with EXTERNAL: who the client is by its certificate */
    str session_id;          /* for the log of auth */
};

/* One recipient of one message, after aliases. */
struct smtp_delivery_rcpt {
    const struct smtp_target *target;
    const struct smtp_rcpt *params; /* of the RCPT command: DSN */
    str orig;                       /* the address that was given there */
    str delivered_to;               /* the address in the field Delivered-To; empty: there is none */
    str sender;                     /* the envelope sender for this recipient, "" for <> */
    size_t recipient;               /* position of the RCPT that it stands for (the session's own use) */
    struct err
        result;  /* filled by deliver: result.rc RC_OK, or why not with reply code and enhanced status */
    bool queued; /* filled by deliver: with RC_OK, it is in the queue, not in the mailbox */
};

/* One message, received and complete; its content is what content_append was given since content_new. */
struct smtp_delivery {
    str id;    /* queue id, in every log line of the message */
    str trace; /* header lines to put in front of the content: Received and what submission adds; LF ends them
                */
    str sender;                            /* envelope sender without brackets, "" for <> */
    const struct smtp_mail *mail;          /* the parameters of MAIL */
    int64_t hold_until;                    /* FUTURERELEASE: milliseconds since 1970; 0: not asked for */
    int64_t deliver_by;                    /* DELIVERBY: likewise, when its time is over; 0: none */
    bool has_priority, priority_field;     /* MT-PRIORITY; the header has such a field (RFC 6758) */
    int priority;                          /* 0 without one */
    bool priority_differs;                 /* from what the header says */
    bool tls_optional;                     /* the header asks to do without TLS (RFC 8689 §4.1) */
    str account, client, message_id;       /* who logged in, or ""; "name[address]"; of the header, or "" */
    uint64_t bytes;                        /* with the trace */
    uint64_t content_bytes, content_lines; /* content in LF form */
    bool again; /* a recipient may have it already, from an attempt whose outcome was lost */
    str filter; /* transport:nexthop through which it goes as it is, to the recipients as they were given;
                   empty: none */
    str proxy;  /* place of a filter that takes it before it is accepted, "inet:host:port" or "unix:/path",
                   with  one target of each recipient in rcpts; empty: none */
    bool held;  /* it waits in the queue until an administrator releases it */
    bool each_alone; /* LMTP: commit every recipient that can be; otherwise all or nothing */
    struct smtp_delivery_rcpt *rcpts;
    size_t n;

    /* With proxy: */
    struct smtp_client_origin origin;
    struct arena *arena; /* where its reply is put: */
    int code;            /* filled by deliver: its reply, or 451 for want of one */
    str enhanced, said;
};

struct smtp_params;
struct stream;

/* What a client may do only so often (Postfix's anvil). */
enum smtp_event {
    SMTP_EVENT_MESSAGE,
    SMTP_EVENT_RECIPIENT,
    SMTP_EVENT_AUTH,
    SMTP_EVENT_TLS,
    SMTP_EVENT_COUNT
};

struct smtp_env {
    /* Whose is this address ("local@domain", domain in lower case and A-labels; "postmaster" without a domain
     * is asked as it is)? RC_OK: 1 to SMTP_TARGETS_MAX targets, in the arena. RC_GONE: the domain is not one
     * of ours
     * (*e untouched); where the address is to be replaced, *ret is one target, else untouched. RC_PERM,
     * RC_TEMP: e says it all (550 5.1.1, 452 4.2.2...). */
    enum rc (*resolve)(void *ctx, str address, struct arena *a, struct smtp_target **ret, size_t *ret_n,
                       struct err *e);

    /* Whether a message of so many bytes (0: not known) fits into the mailbox of a target that is limited.
     * RC_OK also where that cannot be said now; RC_LIMIT, RC_PERM: e says it all (452 4.2.2, 552 5.2.2).
     * NULL: there are no quotas. */
    enum rc (*room)(void *ctx, const struct smtp_target *t, uint64_t bytes, struct err *e);

    /* Adds the mechanisms to be offered (" PLAIN LOGIN"). NULL, or false: those of auth_mechanisms. */
    bool (*sasl_mechanisms)(void *ctx, struct buf *out);

    /* SASL. NULL when there is no AUTH. A new start drops an exchange that is open. The reply's views live
     * until the next sasl call. sasl_cancel: the client gave up. A failure is already delayed. */
    void (*sasl_start)(void *ctx, const struct smtp_sasl_start *start, struct smtp_sasl_reply *ret);
    void (*sasl_step)(void *ctx, str response, struct smtp_sasl_reply *ret);
    void (*sasl_cancel)(void *ctx);

    /* Submission: may the account send as this address ("local@domain", never empty)? RC_OK, RC_PERM or
     * RC_TEMP with e. */
    enum rc (*check_sender)(void *ctx, str account, str sender, struct err *e);

    /* The content of one message, in LF form. content_new begins (and discards what was there);
     * announced_bytes is what the client promised, 0 when nothing; rewrites_header: the addresses in its
     * header get their canonical form, line by line, before deliver sees it. Failures: RC_LIMIT (no room:
     * 452 4.3.1) or RC_TEMP (451 4.3.0); the session then reads the rest without appending. content_discard
     * is called behind deliver too, and when nothing was begun. */
    enum rc (*content_new)(void *ctx, uint64_t announced_bytes, bool rewrites_header);
    enum rc (*content_append)(void *ctx, str bytes);
    void (*content_discard)(void *ctx);

    /* What was appended, once all is there, for those who look at it then; content_end first. content_read:
     * up to n bytes from an offset on, 0 at its end. content_cut: the rest is dropped, and content_append
     * goes on there. content_replace_head puts a head in the place of the first old_bytes. Failures as above.
     */
    enum rc (*content_end)(void *ctx, uint64_t *ret_bytes);
    enum rc (*content_read)(void *ctx, uint64_t at, char *p, size_t n, size_t *ret_n);
    enum rc (*content_cut)(void *ctx, uint64_t at);
    enum rc (*content_replace_head)(void *ctx, uint64_t old_bytes, str head);

    /* A connection to a milter, a place as conf_milter has it, with that deadline. RC_TEMP with e. NULL, with
     * the four above: there are none. */
    enum rc (*milter_connect)(void *ctx, str place, msec deadline, size_t in_max, struct stream **ret,
                              struct err *e);

    /* Prepares and commits (250 means on disk), in mailboxes or in the queue. RC_OK: every recipient is
     * committed, or with each_alone every rcpts[].result is set. Otherwise nothing was committed and every
     * result tells why, or has rc RC_OK when that recipient alone would have been fine. */
    enum rc (*deliver)(void *ctx, struct smtp_delivery *d);

    /* The records of a name (enum dns_type of net/resolver.h), copied into the arena, each as on the wire
     * without compression. RC_OK: *ret_n of them, 0 where smtpd_dns_reply_filter leaves none; RC_GONE: there
     * are none; RC_TEMP: the DNS does not say, or what it says is forged. */
    enum rc (*dns)(void *ctx, str name, int type, struct arena *a, str **ret, size_t *ret_n);
    /* What the servers of another domain say of an address: its *ret, and their words in the arena. UNKNOWN:
     * they are being asked. RC_TEMP: that cannot be done now. */
    enum rc (*verify)(void *ctx, str address, struct arena *a, enum smtp_verified *ret, str *ret_text);
    /* Waits, unless the server is ending. */
    void (*pause)(void *ctx, int64_t ms);

    /* RC_LIMIT: the client has done this too often for the limit, in anvil_rate_time_unit and over all of its
     * sessions. note: it does so now, once more. NULL: there are no limits. */
    enum rc (*count)(void *ctx, enum smtp_event event, int limit, bool note);

    /* From now on this is the client and its connection (XCLIENT); p lives as long as the session. May be
     * NULL. */
    void (*client_is)(void *ctx, const struct smtp_params *p);

    /* The server is ending: between commands the session says 421 4.3.2. May be NULL. */
    bool (*stopping)(void *ctx);
};

#endif
