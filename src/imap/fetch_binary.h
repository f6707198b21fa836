/* fetch_binary: parts of a message with their transfer encoding undone (RFC 9051 §6.4.5 BINARY and
 * BINARY.SIZE, RFC 3516), decoded twice, once to count, so that a large one is never held in memory. */
#ifndef IMAP_FETCH_BINARY_H
#define IMAP_FETCH_BINARY_H

#include "imap/fetch_body.h"

/* Puts the section's value; NIL, or a size of 0, when the message has no such part. RC_PERM: its transfer
 * encoding is not known, and NIL or 0 was put (NO [UNKNOWN-CTE], RFC 3516 §4.3); RC_GONE: the client is gone.
 */
MUST_USE enum rc fetch_binary_put(struct imap_session *s, struct fetch_message *m,
                                  const struct fetch_section *sec);

#endif
