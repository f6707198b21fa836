/* mail_log: tells the log what a session does with messages, where the administrator wants it
 * (fmt/mail_log.h). What is told is noted before a change that would take it away. */
#ifndef STORE_MAIL_LOG_H
#define STORE_MAIL_LOG_H

#include "fmt/mail_log.h"
#include "store/store.h"

struct mail_log {
    unsigned fields;
    struct buf lines; /* of each message what its line says, and a LF */
    size_t left_out;  /* messages for which there was no room */
};

void mail_log_init(struct mail_log *l, const struct mail_log_terms *terms);
void mail_log_deinit(struct mail_log *l);
/* Notes what the messages are now, as being in the mailbox of that name. What cannot be read is left empty.
 */
void mail_log_note(struct mail_log *l, struct box *b, str name, const struct uidset *uids);
/* A line each: "WHAT: box=..." */
void mail_log_tell(const struct mail_log *l, const char *what);

#endif
