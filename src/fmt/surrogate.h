/* surrogate: what a client is shown that does not know UTF-8 in headers (RFC 6532): the same message with
 * headers in ASCII (RFC 6858), never kept, and never in place of the message itself.
 *
 * Texts become encoded words (RFC 2047), parameters their form of RFC 2231, addresses beyond ASCII an address
 * that cannot exist, whose name tells the true one. Fields in which none of this may stand are left out.
 * Bytes that are no UTF-8 are not looked at: they were never meant to be (RFC 6858 speaks of no such thing).
 * A part that is message/global says message/rfc822. Pure, and linear in the message. */
#ifndef FMT_SURROGATE_H
#define FMT_SURROGATE_H

#include "base/buf.h"
#include "fmt/mime.h"

enum { SURROGATE_ROOM = 1 << 20 };

/* Whether a field of a header block has UTF-8 beyond ASCII. */
bool surrogate_differs(str header_block);
/* Whether any header of the message, which raw is and root was parsed from, has; or a part is message/global.
 */
bool surrogate_is_needed(str raw, const struct mime_part *root);

/* Puts the whole into an empty buffer that was made with twice the size of the original and SURROGATE_ROOM,
 * and never overflows: where that is too little, all such fields are left out. */
void surrogate_put(struct buf *out, str raw, const struct mime_part *root);

#endif
