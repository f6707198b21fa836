/* rfc2047: encoded words in header fields to UTF-8 (RFC 2047, with the language suffix of RFC 2231 §5), and
 * the other way. */
#ifndef FMT_RFC2047_H
#define FMT_RFC2047_H

#include "base/buf.h"

/* Appends the text of a raw field value: encoded words decoded, white space between adjacent ones dropped
 * (RFC 2047 §6.2), CR and LF dropped, malformed words kept as they are. A character that was split over
 * adjacent words of one charset is joined again. The result is valid UTF-8. */
void rfc2047_decode(struct buf *out, str value);

/* Appends UTF-8 text as encoded words of whole characters, at most 75 bytes each (RFC 2047 §2); each stands
 * on a line of its own, folded with LF. */
void rfc2047_encode(struct buf *out, str utf8);

#endif
