/* imap_out: what IMAP responses are made of beside strings (fmt/imapstring.h) and dates (fmt/date.h): RFC
 * 9051 §9. Everything is put behind what `out` holds. */
#ifndef FMT_IMAP_OUT_H
#define FMT_IMAP_OUT_H

#include "base/buf.h"

void imap_put_astring(struct buf *out, str s); /* an atom where that is possible and not NIL, else a string */
/* A UTF-8 mailbox name in modified UTF-7 (RFC 3501 §5.1.3), as an astring. */
void imap_put_mailbox(struct buf *out, str utf8);
/* The same as it is, for clients that know it (RFC 9051 §5.1, RFC 9755 §3). */
void imap_put_mailbox_utf8(struct buf *out, str utf8);
/* "(\Seen $Forwarded)" */
void imap_put_flag_list(struct buf *out, const str *names, size_t n);
/* Human-readable text of a response: bytes that are no printable ASCII become "?", and it is never empty. */
void imap_put_text(struct buf *out, str s);

#endif
