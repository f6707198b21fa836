/* message_limit: how many messages one command may be about, where the administrator limits that (RFC 9738
 * §3).
 *
 * Commands that may be done in part do the last messages of those they name, and say where they stopped; the
 * others are refused. EXPUNGE, CLOSE and STATUS have no limit. */
#ifndef IMAP_MESSAGE_LIMIT_H
#define IMAP_MESSAGE_LIMIT_H

#include "imap/reply.h"

/* " MESSAGELIMIT=1000" or " SAVELIMIT=1000", behind the other capabilities; nothing without a limit. */
void message_limit_put_capability(const struct imap_session *s, struct buf *out);

/* Whether a command may not be about so many. saves: it is COPY or APPEND, of which there may be a limit
 * alone. */
bool message_limit_passed(const struct imap_session *s, uint64_t messages, bool saves);
/* The lowest of the last messages that it may be about; 0: it may be about all. */
uid32 message_limit_lowest(const struct imap_session *s, const struct uidset *uids, bool saves);
/* The same of a command that does not save, and takes those below off. */
uid32 message_limit_cut(const struct imap_session *s, struct uidset *uids);

/* "MESSAGELIMIT 1000 23221", or without the UID when lowest is 0. */
str message_limit_code(const struct imap_session *s, uid32 lowest);
/* The command did what message_limit_cut left: tells it, beside another code if the reply has one. Nothing
 * when lowest is 0. */
void message_limit_tell(struct imap_session *s, uid32 lowest, struct imap_reply *re);
/* NO, and nothing is done. */
MUST_USE enum rc message_limit_refuse(const struct imap_session *s, uid32 lowest, struct imap_reply *re);

#endif
