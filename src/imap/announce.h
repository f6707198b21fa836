/* announce: what changed in the selected mailbox is told here alone (RFC 9051 §7.5.1, §7.4): expunges, then
 * EXISTS and RECENT, then FETCH with the flags of changed messages. */
#ifndef IMAP_ANNOUNCE_H
#define IMAP_ANNOUNCE_H

#include "imap/session.h"

/* Syncs the view and puts the responses in the stream (no flush). sync_flags: enum box_sync_flag. Failure of
 * the store is logged and told later; a mailbox that was deleted ends the session with BYE (RFC 2180 §3.3).
 */
void imap_announce(struct imap_session *s, unsigned sync_flags);

/* "* FLAGS (...)" and "* OK [PERMANENTFLAGS (...)]" for the selected mailbox. Called by SELECT, by
 * imap_announce and by STORE when the mailbox has keywords that were not told yet. */
void imap_announce_keywords(struct imap_session *s);

#endif
