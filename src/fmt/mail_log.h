/* mail_log: lines of the log about what is done with messages, as Dovecot's plugin mail_log has them:
 * "expunge: box=INBOX, uid=1, msgid=<a@b>, size=98". Pure. */
#ifndef FMT_MAIL_LOG_H
#define FMT_MAIL_LOG_H

#include "base/buf.h"

enum mail_log_event {
    MAIL_LOG_DELETE = 1, /* it got \Deleted */
    MAIL_LOG_UNDELETE = 2,
    MAIL_LOG_EXPUNGE = 4,
    MAIL_LOG_SAVE = 8,
    MAIL_LOG_COPY = 16,
    MAIL_LOG_MAILBOX_CREATE = 32,
    MAIL_LOG_MAILBOX_DELETE = 64,
    MAIL_LOG_MAILBOX_RENAME = 128,
    MAIL_LOG_FLAG_CHANGE = 256
};

enum mail_log_field {
    MAIL_LOG_BOX = 1,
    MAIL_LOG_UID = 2,
    MAIL_LOG_MSGID = 4,
    MAIL_LOG_SIZE = 8,   /* as it lies on the disk */
    MAIL_LOG_VSIZE = 16, /* with CRLF */
    MAIL_LOG_FROM = 32,
    MAIL_LOG_SUBJECT = 64,
    MAIL_LOG_FLAGS = 128
};

struct mail_log_terms {
    unsigned events, fields; /* of the enums above; no events: nothing is told */
};

/* Words with spaces or commas between: "delete expunge", "uid box". *ret_unknown, which may be NULL, is the
 * first word that is none, p NULL when there is no such; it counts for nothing. */
void mail_log_parse(str events, str fields, struct mail_log_terms *ret, str *ret_unknown);

struct mail_log_message {
    uint32_t uid;             /* 0: not known, and left out */
    str msgid, from, subject; /* raw values of fields, or empty */
    uint64_t size, vsize;
    str flags; /* "\Seen $work" */
};

/* Appends "box=INBOX, uid=1, msgid=..." of the fields. */
void mail_log_put(unsigned fields, str box, const struct mail_log_message *m, struct buf *out);

#endif
