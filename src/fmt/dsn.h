/* dsn: delivery status notifications (RFC 3461 §6, RFC 3464, RFC 6522; RFC 6533 where SMTPUTF8 is at work),
 * as whole messages with LF line ends.
 *
 *   multipart/report
 *     text/plain                  what happened, for people
 *     message/delivery-status     the same for programs
 *     message/rfc822              the message, or text/rfc822-headers: its header
 *
 * Pure. What comes from others (the remote's words, names, the ENVID) may hold any bytes: control characters
 * never reach the notification, lines are folded, and nothing can end a field or a part. The caller sends the
 * notification with an empty envelope sender (RFC 3461 §6.1), and never answers a message that has none. */
#ifndef FMT_DSN_H
#define FMT_DSN_H

#include "base/buf.h"
#include "fmt/date.h"
#include "fmt/smtp_cmd.h"

enum {
    DSN_SEED_MIN = 16,         /* random bytes that nobody else knows */
    DSN_DIAGNOSTIC_MAX = 2000, /* bytes of the remote's words that are told; the rest is cut */
    DSN_NAME_MAX = 255         /* bytes of a host's name that are told */
};

/* RFC 3464 §2.3.3. What the notification is about follows from them: a failure when one has failed, else a
 * delay when one is delayed, else a success. */
enum dsn_action { DSN_FAILED, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED, DSN_EXPANDED };

struct dsn_rcpt {
    str recipient;         /* the envelope recipient, "a@b": Final-Recipient */
    str orcpt_type, orcpt; /* as smtp_rcpt has them; .p NULL when there was no ORCPT */
    enum dsn_action action;
    bool reports_follow;  /* with DSN_RELAYED: the next server may send some */
    str status;           /* RFC 3463, "5.1.1"; "" or broken: the general one of the action */
    str remote_mta;       /* name of the server that answered; empty when none did */
    str diagnostic;       /* with remote_mta: its reply with code, lines separated by LF ("550 5.1.1 ...");
                             without: our own words ("Connection refused"); may be empty */
    int64_t last_attempt; /* seconds since 1970, 0: unknown */
    int64_t will_retry_until; /* likewise; for DSN_DELAYED only */
};

enum dsn_content { DSN_CONTENT_NONE, DSN_CONTENT_HEADER, DSN_CONTENT_FULL };

struct dsn {
    str hostname;    /* the reporting MTA; also in From and in the boundary */
    str to;          /* the envelope sender of the message, or a postmaster; never empty */
    bool postmaster; /* it is for somebody who did not send the message */
    const struct bounce_template *words; /* fmt/bounce_template.h, text expanded; NULL: malle's own */
    str id;                              /* queue id of the message, for people and logs */
    str message_id;                      /* its Message-ID, "<a@b>", for References; may be empty or broken */
    str envid;                           /* as smtp_mail has it; .p NULL when there was none */
    str received_from;                   /* name of the client it came from; empty: not told */
    struct date arrival;                 /* seconds 0: not told */
    int64_t
        deliver_by; /* when the time of DELIVERBY is over (RFC 2852 §5), seconds since 1970; 0: not told */
    int64_t hold_for, hold_until; /* the value of HOLDFOR in seconds, or that of HOLDUNTIL since 1970 (RFC
                                     4865 §5.1.2); 0: it was not said */
    struct date now;
    str seed; /* at least DSN_SEED_MIN random bytes: boundary and Message-ID come from them */
    /* The message had SMTPUTF8: message/global-delivery-status, message/global and message/global-headers are
     * used (RFC 6533 §4.1 to §4.3), and addresses and diagnostics stay in UTF-8. Without it all is ASCII. The
     * notification itself needs SMTPUTF8 only when `to` is not ASCII. */
    bool utf8;
    enum dsn_content content;
    bool content_8bit; /* what is returned has bytes beyond ASCII */
    const struct dsn_rcpt *rcpts;
    size_t rcpt_count; /* at least one */
};

/* How much of the message to return (RFC 3461 §4.3): its header when nothing failed, when RET=HDRS or when it
 * is larger than limit_bytes, else all of it. */
enum dsn_content dsn_content_for(const struct dsn *d, enum smtp_ret ret, uint64_t size_bytes,
                                 uint64_t limit_bytes);

/* The notification up to the first byte of what is returned, and what follows its last byte. Whoever has the
 * message in a file sends head, the content (with DSN_CONTENT_HEADER its header without the empty line) and
 * tail, one behind the other. Check out->overflow. */
void dsn_put_head(struct buf *out, const struct dsn *d);
void dsn_put_tail(struct buf *out, const struct dsn *d);
/* All of it. message is the whole message in LF form, of which d->content says what is returned;
 * d->content_8bit is not looked at: it is found out. */
void dsn_put(struct buf *out, const struct dsn *d, str message);

/* DSN_FAILED, DSN_DELAYED or DSN_DELIVERED */
enum dsn_action dsn_about(const struct dsn *d);

#endif
