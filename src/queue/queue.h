/* queue: messages that could not be delivered while their sender waited, kept until they are delivered,
 * bounced, or deleted by an administrator. Run by the role `queue` alone; doc/queue.md has the tables and
 * what a crash leaves.
 *
 * Everything lies in one SQLite database, but for mail that leaves at once (transit.h); content larger than
 * the database takes lies in a spool file (spool.h). All writes that wait at one moment go into one
 * transaction (commit.c), and syncs are shared as well (sync.c).
 * Nothing scans the queue: recipients are found by *site* (next hop) and *lane* (one sender's mail to one
 * site), each with the time of its earliest work. Who takes jobs and reports what became of them is a thread
 * of a role; jobs that were taken live in memory only, so a crash makes them due again.
 *
 * Times are milliseconds since 1970. All functions are thread-safe. */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "conf/conf.h"

struct queue;
struct spool;
struct table_settings;

enum {
    QUEUE_PRIORITY_MAX = 9,       /* and -9 is the lowest (RFC 6710 §3) */
    QUEUE_ID_MAX = 63,            /* bytes of a message's id */
    QUEUE_RCPTS_MAX = 1000,       /* recipients of one message */
    QUEUE_JOB_RCPTS_MAX = 100,    /* recipients of one job */
    QUEUE_TRACE_MAX = 16384,      /* bytes of header lines in front of the content */
    QUEUE_ENVELOPE_MAX = 1 << 20, /* bytes of an envelope as queue_envelope_put writes it */
    QUEUE_STATUS_MAX = 11,        /* bytes of an enhanced status: "4.123.123" */
    QUEUE_REPLY_MAX = 500,        /* bytes kept of a remote's words */
    QUEUE_SITE_MAX = 300          /* bytes of a site's name */
};

enum queue_flag {
    QUEUE_8BIT = 1,              /* BODY=8BITMIME was said */
    QUEUE_UTF8 = 2,              /* SMTPUTF8 */
    QUEUE_BINARY = 4,            /* BODY=BINARYMIME */
    QUEUE_NO_POSTMASTER = 8,     /* the postmaster was told already: when this fails, too, it is dropped */
    QUEUE_REQUIRETLS = 16,       /* REQUIRETLS (RFC 8689) */
    QUEUE_TLS_OPTIONAL = 32,     /* its header says TLS-Required: No, and REQUIRETLS was not said */
    QUEUE_BY_RETURN = 64,        /* DELIVERBY mode R: it fails at deliver_by; else its sender is told */
    QUEUE_BY_TRACE = 128,        /* DELIVERBY trace: its sender is told of relays */
    QUEUE_BY_TOLD = 256,         /* its sender was told that deliver_by is past */
    QUEUE_HAS_PRIORITY = 512,    /* MT-PRIORITY (RFC 6710) */
    QUEUE_PRIORITY_FIELD = 1024, /* its header has an MT-Priority field (RFC 6758) */
    QUEUE_PRIORITY_OTHER = 2048, /* which does not say its priority */
    QUEUE_HOLD_FOR = 4096,       /* hold_until comes from HOLDFOR, counted from arrived */
    QUEUE_WARNED = 32768,        /* its sender was told that it is delayed */
    QUEUE_PROBE = 16384,         /* an address is verified: nothing is delivered, and nobody told */
    QUEUE_HELD = 8192            /* queue_put: for an administrator to release; not kept with the message */
};

struct queue_history { /* what was heard of a recipient so far */
    unsigned attempts; /* 0: it was not tried, and all else is empty */
    int64_t tried;     /* when, for the last time */
    int code;          /* as in struct queue_outcome */
    str status, reply, remote;
};

struct queue_rcpt {
    int64_t n;       /* its row; 0 before it is in the queue */
    str address;     /* "local@domain" */
    str orig;        /* the address that led to it, when it is another one; may be empty */
    str sender;      /* queue_put, queue_report: for this recipient instead of the message's; may be empty */
    str orcpt;       /* ORCPT with its type, decoded: "rfc822;a@b"; may be empty */
    unsigned notify; /* NOTIFY bits (fmt/smtp_cmd.h), 0: not given */
    bool local;      /* a mailbox of ours, or an address that nobody has looked at yet */
    bool resolved; /* with local: a mailbox of ours; other members of what led to it have their own copies */
    str via;       /* local, and not simply a mailbox (fmt/via.h); may be empty */
    str head; /* queue_report: header lines that the message has in front for this recipient; may be empty */
    bool waits;               /* queue_report: it was tried just now, and is to be tried again later */
    struct queue_history was; /* filled by queue_take; queue_report keeps it */
};

struct queue_envelope {
    str id;       /* the message's name in all logs */
    str sender;   /* "local@domain", empty for <> */
    str envid;    /* ENVID, decoded; may be empty */
    unsigned ret; /* enum smtp_ret */
    unsigned flags;
    str account;    /* who logged in to send it; may be empty */
    str client;     /* "name[address]" of who handed it over */
    str message_id; /* of its header, for searching */
    int64_t arrived;
    int64_t expires;      /* filled by queue_take: when it is given up, by the queue's own clock */
    int64_t hold_until;   /* FUTURERELEASE: not tried before; its lifetime begins then; 0: none */
    int64_t deliver_by;   /* DELIVERBY: when its time is over; 0: none */
    int priority;         /* -9 to 9; 0 when it has none */
    uint64_t size, lines; /* of the content, LF form */
    str trace;            /* header lines in front of the content, LF ends them */
    struct queue_rcpt *rcpts;
    size_t n;
};

/* The envelope as bytes, for messages between roles. get: everything lies in the arena; RC_INVALID when
 * malformed or past a limit. */
void queue_envelope_put(struct buf *b, const struct queue_envelope *v);
MUST_USE enum rc queue_envelope_get(str bytes, struct arena *a, struct queue_envelope *ret);

/* path: the database, made when missing, in the folder of the spool files. tables: those that say where mail
 * goes, or NULL; they stay valid. Starts the thread that commits.
 * Errors as db_open. */
MUST_USE enum rc queue_open(const char *path, struct spool *spool, const struct conf *c,
                            const struct table_settings *tables, struct queue **ret, struct err *e);
/* The words of notifications, from the text of a file as bounce(5) has it; what it does not say stays malle's
 * own. Faults are logged. Before anybody else uses q. */
void queue_set_words(struct queue *q, str file);
/* The settings were read again; routes may have changed. c must stay valid. */
void queue_reload(struct queue *q, const struct conf *c);
/* Finishes what waits to be committed and closes the database; no call may be under way. */
struct queue *queue_close(struct queue *q);

/* Puts a message into the queue: durable on RC_OK. Recipients with another sender become a message of their
 * own with another id, in the same transaction. content: all of it; fd, unless -1: a sealed memory file that
 * has it, too, which stays the caller's. Or without content, fd: a file that was lent (spool.h), which then
 * is the queue's. A message whose id is in the queue already is there: asking again is harmless. RC_TEMP and
 * RC_LIMIT (disk full): nothing was kept. */
MUST_USE enum rc queue_put(struct queue *q, const struct queue_envelope *v, str content, int fd,
                           struct err *e);

/* --- jobs: some recipients of one message for one site --- */
struct queue_job {
    uint64_t number;                /* names the job in reports */
    int64_t message;                /* its row */
    int64_t site;                   /* names the site for queue_take's keep */
    str site_name;                  /* queue/site_name.h */
    unsigned attempts;              /* of its first recipient, before this one */
    bool asked_for;                 /* an administrator wants it tried now */
    bool is_fresh;                  /* it lasts, and where it goes was asked a moment ago */
    bool earlier;                   /* the message was here before this queue was opened */
    unsigned wanted;                /* jobs that wait for a taker of this kind besides */
    struct queue_envelope envelope; /* the job's recipients only */
    str content;                    /* when it lies in the database */
    int content_fd;                 /* else its spool file, or sealed memory, the taker's to close; -1 */
};

enum queue_kind { QUEUE_REMOTE, QUEUE_LOCAL, QUEUE_COMMAND /* for the role command */, QUEUE_KINDS };

/* The next job of a kind, waiting for one until deadline (clock_mono); what goes elsewhere by now was moved
 * before. keep: the site of an open connection,
 * which is preferred, or 0. RC_OK: *ret, everything in the arena or until the job is reported; RC_GONE: none
 * in time; RC_TEMP: the database fails. */
MUST_USE enum rc queue_take(struct queue *q, enum queue_kind kind, int64_t keep, msec deadline,
                            struct arena *a, struct queue_job *ret);
/* Wakes all takers, for the end of the role: queue_take returns RC_GONE from here on. */
void queue_stop(struct queue *q);
/* Waits until what was put in and reported so far lasts. */
MUST_USE enum rc queue_flush(struct queue *q);

enum queue_result {
    QUEUE_DELIVERED,      /* in a mailbox here */
    QUEUE_RELAYED,        /* taken by the next hop, which reports success itself */
    QUEUE_RELAYED_BLIND,  /* taken by a next hop that knows no DSN */
    QUEUE_RELAYED_TRACED, /* taken, and its sender hears of it (RFC 2852 §4.1.4) */
    QUEUE_EXPANDED,       /* replaced by the recipients that came with the report */
    QUEUE_DEFERRED,       /* to be tried again */
    QUEUE_FAILED,         /* never: bounce */
    QUEUE_NOT_TRIED       /* at once again */
};

struct queue_outcome {
    int64_t rcpt; /* its row */
    enum queue_result result;
    int code;   /* SMTP reply code, 0: none */
    str status; /* RFC 3463, "4.2.0" */
    str reply;  /* the remote's or our own words */
    str remote; /* "mx.example.com[192.0.2.1]:25"; may be empty */
};

struct queue_report {
    uint64_t number;
    str id;                               /* the message's */
    const struct queue_outcome *outcomes; /* for every recipient of the job */
    size_t n;
    bool site_failed;         /* the next hop could not be talked to at all: its other mail waits, too */
    str sender;               /* the message's, where there are: */
    struct queue_rcpt *added; /* up to QUEUE_RCPTS_MAX recipients that take the place of some of the job's;
                                 those with another sender become a message of their own */
    size_t n_added;
};

/* What became of a job; with soft_bounce what failed waits. Returns some milliseconds before it is written: a
 * crash in that moment repeats the delivery, as it would when the report had not been sent. A job of an
 * earlier process of the queue is looked up by message and recipients, so that what was delivered while the
 * queue was down is not delivered again. RC_GONE: no such job. RC_TEMP: the queue is stopping; report to the
 * next process. */
MUST_USE enum rc queue_report(struct queue *q, const struct queue_report *r);
/* The taker died: the job's recipients are due again. */
void queue_give_back(struct queue *q, uint64_t number);

/* An administrator's command changed the tables: look at them again. */
void queue_nudge(struct queue *q);

#endif
