/* resync: what CONDSTORE and QRESYNC (RFC 7162) add to a session: switching them on, and telling a client
 * that comes back what it missed. */
#ifndef IMAP_RESYNC_H
#define IMAP_RESYNC_H

#include "fmt/imap_select.h"
#include "imap/session.h"

/* The client uses CONDSTORE: from now on modification sequences go along with flags. Tells HIGHESTMODSEQ when
 * it is new in the selected state (RFC 7162 §3.1.2.1). */
void imap_condstore_enable(struct imap_session *s);

/* "* OK [HIGHESTMODSEQ 7] ..." of the view. */
void imap_highestmodseq_put(struct imap_session *s);

/* Of `among`, what vanished after `since` and is not in the view, as VANISHED (EARLIER). */
MUST_USE enum rc imap_tell_vanished(struct imap_session *s, uint64_t since, const struct uidset *among,
                                    struct err *e);

/* SELECT's answer to QRESYNC: what vanished, then what changed. Says nothing when the client knows another
 * UIDVALIDITY. RC_INVALID: sets that are none, or matching sets of different length. */
MUST_USE enum rc imap_resync(struct imap_session *s, const struct imap_select_params *p, struct err *e);

#endif
