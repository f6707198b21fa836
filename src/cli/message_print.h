/* message_print: messages that a query found, on standard output: as text, or as one JSON array. */
#ifndef CLI_MESSAGE_PRINT_H
#define CLI_MESSAGE_PRINT_H

#include "cli/message_query.h"
#include "fmt/json.h"

struct message_printer {
    struct buf out;
    struct json json; /* out is NULL: text */
};
void message_print_begin(struct message_printer *p, bool json);
int message_print_end(struct message_printer *p); /* a status */

/* "UID MAILBOX" a line each, or {"mailbox", "uid"}. A status. */
int message_print_uids(struct message_printer *p, const struct message_set *found);
/* The messages themselves: one as it is, several as an mbox, with LF line ends; or objects with their flags,
 * dates, sizes and main fields besides. A status. */
int message_print_all(struct message_printer *p, struct mail_session *s, const struct message_set *found);

/* The address that its Return-Path says; "" without one. */
str message_sender(str message);

#endif
