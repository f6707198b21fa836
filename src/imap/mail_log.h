/* mail_log: what a session tells the log of messages and mailboxes, where struct imap_start says so
 * (store/mail_log.h). */
#ifndef IMAP_MAIL_LOG_H
#define IMAP_MAIL_LOG_H

#include "imap/session.h"
#include "store/mail_log.h"

/* Whether one of the events (enum mail_log_event) is to be told. */
bool imap_logs(const struct imap_session *s, unsigned events);

/* box_change_flags of the selected mailbox, silent, and a line for each message that it changed: "delete",
 * "undelete" or "flag_change". */
MUST_USE enum rc imap_change_flags(struct imap_session *s, const struct uidset *uids,
                                   const struct flag_change *change, struct uidset *ret_failed,
                                   struct err *e);

/* Notes messages of the selected mailbox that are about to be expunged, where that is told. */
void imap_log_expunge(struct imap_session *s, struct mail_log *l, const struct uidset *uids);

/* Messages that came into a mailbox: "save" or "copy from INBOX". */
void imap_log_new(struct imap_session *s, enum mail_log_event event, const char *what, str mailbox,
                  const struct uidset *uids);

#endif
