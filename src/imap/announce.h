/* announce: what changed in the selected mailbox is told here alone (RFC 9051 §7.5.1, §7.4): expunges, then
 * EXISTS and RECENT, then FETCH with the flags of changed messages. */
#ifndef IMAP_ANNOUNCE_H
#define IMAP_ANNOUNCE_H

#include "imap/session.h"

/* Syncs the view and puts the responses in the stream (no flush), as far as NOTIFY lets: where it wants no
 * events of messages, the view stays as it is. sync_flags: enum box_sync_flag. Failure of
 * the store is logged and told later; a mailbox that was deleted ends the session with BYE (RFC 2180 §3.3).
 */
void imap_announce(struct imap_session *s, unsigned sync_flags);

/* "* FLAGS (...)" and "* OK [PERMANENTFLAGS (...)]" for the selected mailbox. Called by SELECT, by
 * imap_announce and by STORE when the mailbox has keywords that were not told yet. */
void imap_announce_keywords(struct imap_session *s);

/* "* 23 EXISTS" and, before IMAP4rev2, "* 1 RECENT"; left in s->out. */
void imap_announce_counts(struct imap_session *s, uint32_t count, uint32_t recent);

/* "* 2 FETCH " or, with UIDONLY, "* 4 UIDFETCH " (RFC 9586 §3.3); left in s->out. */
void imap_announce_begin(struct imap_session *s, const struct box_msg *msg);

enum imap_told { TOLD_UID = 1, TOLD_FLAGS = 2, TOLD_MODSEQ = 4 };
/* "* 2 FETCH (UID 4 FLAGS (\Seen) MODSEQ (7))" of each message; `what` (enum imap_told) is more than the UID.
 */
MUST_USE enum rc imap_announce_messages(struct imap_session *s, const struct uidset *uids, unsigned what,
                                        struct err *e);

/* "* VANISHED 5,7:9" or, for what went before the client looked, "* VANISHED (EARLIER) ..." (RFC 7162
 * §3.2.10). A long set is told in several lines. */
void imap_announce_vanished(struct imap_session *s, const struct uidset *uids, bool earlier);

#endif
