/* bodystructure: the text of IMAP's BODY and BODYSTRUCTURE (RFC 9051 §7.5.2) from a parsed message, as
 * Dovecot writes it: text parts always tell a charset, a multipart without parts tells one empty text part. A
 * part of a composite type that was not taken apart (no boundary, past a limit) is told as
 * application/octet-stream. */
#ifndef FMT_BODYSTRUCTURE_H
#define FMT_BODYSTRUCTURE_H

#include "base/buf.h"
#include "fmt/mime.h"

/* Appends "(...)". raw is what root was parsed from; extended tells BODYSTRUCTURE from BODY. The arena holds
 * the addresses of attached messages' envelopes. */
void bodystructure_put(struct buf *out, str raw, const struct mime_part *root, bool extended,
                       struct arena *a);

#endif
