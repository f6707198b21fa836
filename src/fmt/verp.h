/* verp: variable envelope return paths: a mailing's sender tells which recipient a bounce is about.
 *
 *   list@lists.example to joe@example.org, delimiters "+=": list+joe=example.org@lists.example
 *
 * delimiters are two characters as in Postfix's default_verp_delimiters. */
#ifndef FMT_VERP_H
#define FMT_VERP_H

#include "base/buf.h"

/* Two printable ASCII characters that may stand in a local part without quotes; the same one twice is
 * allowed. */
bool verp_delimiters_are_valid(str delimiters);
/* Appends the sender for one recipient. RC_INVALID: delimiters, or an address that is not local@domain
 * (postmaster has no domain) or has a quoted local part. RC_LIMIT: the local part would have more than 64
 * bytes (RFC 5321 §4.5.3.1.1), or out overflows. Nothing is added on failure. */
MUST_USE enum rc verp_encode(str sender, str recipient, str delimiters, struct buf *out);
/* The way back: appends the recipient that address was made for from sender. RC_INVALID when it was not. */
MUST_USE enum rc verp_decode(str address, str sender, str delimiters, struct buf *out);

#endif
