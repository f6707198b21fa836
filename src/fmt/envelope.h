/* envelope: the text of IMAP's ENVELOPE (RFC 9051 §7.5.2) from a raw header block, as Dovecot writes it: the
 * last field of a name counts for texts, the addresses of several fields of a name are joined, a missing host
 * or mailbox is told as MISSING_DOMAIN or MISSING_MAILBOX because NIL there would mean a group. */
#ifndef FMT_ENVELOPE_H
#define FMT_ENVELOPE_H

#include "base/arena.h"
#include "base/buf.h"

/* Appends "(date subject from sender reply-to to cc bcc in-reply-to message-id)". Text that the arena has no
 * room for is left out as if absent. */
void envelope_put(struct buf *out, str header_block, struct arena *a);

#endif
