/* log_fields: texts for the log that an administrator writes with Dovecot's variables of 2.3
 * (fmt/dovecot_var.h): imap_logout_format, pop3_logout_format and deliver_log_format. Each has names of its
 * own, some with a letter that means something else elsewhere. Pure. */
#ifndef FMT_LOG_FIELDS_H
#define FMT_LOG_FIELDS_H

#include "base/buf.h"

enum log_user_field { /* of a session, behind its own */
                      LOG_USER,
                      LOG_USERNAME,
                      LOG_DOMAIN,
                      LOG_SESSION,
                      LOG_RIP,
                      LOG_USER_FIELDS
};

enum log_imap_field { /* as in struct log_fields.values */
                      LOG_IMAP_INPUT,
                      LOG_IMAP_OUTPUT,
                      LOG_IMAP_HDR_COUNT,
                      LOG_IMAP_HDR_BYTES,
                      LOG_IMAP_BODY_COUNT,
                      LOG_IMAP_BODY_BYTES,
                      LOG_IMAP_DELETED,
                      LOG_IMAP_EXPUNGED,
                      LOG_IMAP_TRASHED,
                      LOG_IMAP_APPENDED,
                      LOG_IMAP_FIELDS
};

enum log_pop3_field {
    LOG_POP3_INPUT,
    LOG_POP3_OUTPUT,
    LOG_POP3_TOP_COUNT,
    LOG_POP3_TOP_BYTES,
    LOG_POP3_RETR_COUNT,
    LOG_POP3_RETR_BYTES,
    LOG_POP3_DELETED_COUNT,
    LOG_POP3_DELETED_BYTES,
    LOG_POP3_MESSAGE_COUNT,
    LOG_POP3_MESSAGE_BYTES,
    LOG_POP3_FIELDS
};

enum log_deliver_field {
    LOG_DELIVER_MESSAGE, /* "%$": what became of it */
    LOG_DELIVER_MSGID,
    LOG_DELIVER_SUBJECT,
    LOG_DELIVER_FROM,
    LOG_DELIVER_FROM_ENVELOPE,
    LOG_DELIVER_TO_ENVELOPE,
    LOG_DELIVER_SIZE,
    LOG_DELIVER_VSIZE,
    LOG_DELIVER_DELIVERY_TIME,
    LOG_DELIVER_SESSION_TIME,
    LOG_DELIVER_FIELDS
};

enum log_fields_kind { LOG_FIELDS_IMAP, LOG_FIELDS_POP3, LOG_FIELDS_DELIVER };

struct log_value {
    str text; /* p NULL: the number */
    uint64_t number;
};

struct log_fields {
    enum log_fields_kind kind;
    const struct log_value *values; /* LOG_IMAP_FIELDS... of them; NULL: all are empty */
    str users[LOG_USER_FIELDS];     /* not of a delivery */
};

/* Appends the text. RC_INVALID, RC_GONE, RC_PERM with *e filled: of the grammar, an unknown variable, one
 * that is not supported; RC_LIMIT: too long for out. Out is as before then. */
MUST_USE enum rc log_fields_put(const struct log_fields *f, str format, struct buf *out, struct err *e);

/* "joe@example.com" as the fields that are made of it. */
void log_fields_name(struct log_fields *f, str account);

#endif
