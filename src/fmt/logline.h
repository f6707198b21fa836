/* logline: a line of malle's log read back (base/log.h writes them; the shapes of its texts are Postfix's).
 *
 * Pure. Three forms of the beginning: "Nov 27 01:15:33 host malle/smtp[12]: ", as syslog and files have it;
 * "2026-11-27T01:15:33.5+01:00 host malle/smtp[12]: ", as newer syslog daemons write; and log_format = json.
 * The tag may as well be "NAME/qmgr[12]", NAME/submission/smtpd[12] or "dovecot" without a number, as with
 * log_programs and syslog_name; whoever wrote a line, it is of interest where it has an id of ours. */
#ifndef FMT_LOGLINE_H
#define FMT_LOGLINE_H

#include "base/buf.h"
#include "fmt/date.h"

struct logline_clock {                    /* a local time whose year nobody wrote down */
    int month, day, hour, minute, second; /* month: 0 to 11 */
};

enum logline_level { LOGLINE_INFO, LOGLINE_WARNING, LOGLINE_ERROR, LOGLINE_FATAL, LOGLINE_PANIC };

struct logline {
    enum logline_level level;
    str prefix; /* of Dovecot's lines with another level than LOGLINE_INFO: "auth", "imap(user)<pid><session>"
                 */
    bool has_date;
    struct date date;           /* has_date */
    struct logline_clock clock; /* otherwise */
    str role;                   /* "smtp" of the tag malle/smtp: what is behind the last "/" */
    str id;   /* of the message; "NOQUEUE" where none was made; empty: not about a message */
    str text; /* what follows the tag, the level, and the id */
};

/* "Warning", "Error", "Fatal", "Panic"; "Info" */
const char *logline_level_name(enum logline_level level);

/* Views of the line, or of room, which is reset and holds what had to be unescaped. RC_INVALID: no line of
 * malle. */
MUST_USE enum rc logline_parse(str line, struct buf *room, struct logline *ret);

enum logline_event {
    LOGLINE_OTHER,        /* reply: the text */
    LOGLINE_CLIENT,       /* client, account (method); or uid and sender */
    LOGLINE_MESSAGE_ID,   /* message_id, with its brackets, or empty */
    LOGLINE_RECEIVED,     /* sender, size, recipients */
    LOGLINE_SAVED,        /* mailbox, account */
    LOGLINE_DELIVERY,     /* recipient, original, relay, delay, dsn, status, reply */
    LOGLINE_NOTIFICATION, /* other: the id of the message by which the sender is told */
    LOGLINE_EXPIRED,      /* sender */
    LOGLINE_REMOVED,      /* the message has left the queue */
    LOGLINE_REJECT        /* stage, client, reply, sender, recipient, protocol, helo */
};
/* "client", "message-id", "received", "queued", "saved", "delivery", "notification"... */
const char *logline_event_name(enum logline_event e);

/* What a line tells of a message; fields that it does not have are empty. Views of the text. */
struct logline_facts {
    enum logline_event event;
    str client, account, method, uid;
    str message_id, sender, size, recipients;
    str recipient, original, relay, delay, dsn, status, reply;
    str mailbox, stage, protocol, helo, other;
};

void logline_read(const struct logline *line, struct logline_facts *ret);

/* "host mx.example[192.0.2.1]:25 said: 550 no (in reply to RCPT TO command)" as who said it and the words;
 * false: reply is not of that shape. */
bool logline_said(str reply, str *ret_host, str *ret_words);

#endif
