/* mutf7: the modified UTF-7 of mailbox names (RFC 3501 §5.1.3), as IMAP4rev1 clients and the folder names on
 * disk use it. Each name has exactly one form: printable ASCII stands for itself, "&" is "&-", all else is
 * UTF-16 in base64 with "," for "/" between "&" and "-". */
#ifndef FMT_MUTF7_H
#define FMT_MUTF7_H

#include "base/buf.h"

/* Both append to out. RC_INVALID for bytes that are not well-formed; the decoder takes only the one canonical
 * form, so that two names on disk never mean the same mailbox. RC_LIMIT when out overflows. */
MUST_USE enum rc mutf7_encode(str utf8, struct buf *out);
MUST_USE enum rc mutf7_decode(str text, struct buf *out);

#endif
