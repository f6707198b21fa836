/* progress: tells the client of a command that takes long how far it is (RFC 9585), and notices a client that
 * is gone, for whom nothing need be finished. */
#ifndef IMAP_PROGRESS_H
#define IMAP_PROGRESS_H

#include "imap/session.h"

/* `done` of `goal` messages are dealt with; called for each. Says so now and then, when the client reads.
 * RC_TEMP: the client is gone, and s->lost set. */
MUST_USE enum rc imap_progress(struct imap_session *s, uint32_t done, uint32_t goal);

/* A command begins. */
void imap_progress_begin(struct imap_session *s);

#endif
