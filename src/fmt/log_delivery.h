/* log_delivery: the line of the log about one delivery, as Dovecot's deliver_log_format says it. Pure. */
#ifndef FMT_LOG_DELIVERY_H
#define FMT_LOG_DELIVERY_H

#include "fmt/headscan.h"
#include "fmt/log_fields.h"

enum { LOG_DELIVERY_MAX = 2000 }; /* bytes that a line should have room for */

struct log_delivery {
    const struct headscan *head; /* of the message */
    str message;                 /* "saved mail to INBOX" */
    str sender, recipient;
    uint64_t bytes, crlf_bytes;
    uint64_t delivery_ms, session_ms; /* session_ms: what came before the delivery */
};

/* As log_fields_put. */
MUST_USE enum rc log_delivery_put(const struct log_delivery *d, str format, struct buf *out, struct err *e);

/* "save: box=INBOX, msgid=...": the line of fmt/mail_log.h, without UID, which nobody knows yet. False: the
 * events are without it. */
bool log_delivery_put_saved(const struct log_delivery *d, str box, str events, str fields, struct buf *out);

#endif
