/* imap_out: the strings of IMAP responses (RFC 9051 §9). Everything is put behind what `out` holds. */
#ifndef FMT_IMAP_OUT_H
#define FMT_IMAP_OUT_H

#include "base/buf.h"

/* Quoted when s is printable ASCII and at most 1,000 bytes, else a literal (NUL becomes 0x80, which no literal may
 * hold otherwise than as literal8). */
void imap_put_string(struct buf *out, str s);
void imap_put_nstring(struct buf *out, str s); /* NIL when s.p is NULL */
void imap_put_astring(struct buf *out, str s); /* an atom where that is possible and not NIL, else a string */
void imap_put_literal(struct buf *out, str s); /* "{n}\r\n" and the bytes as they are */
/* A UTF-8 mailbox name in modified UTF-7 (RFC 3501 §5.1.3), as an astring. */
void imap_put_mailbox(struct buf *out, str utf8);
/* "(\Seen $Forwarded)" */
void imap_put_flag_list(struct buf *out, const str *names, size_t n);
/* Human-readable text of a response: bytes that are no printable ASCII become "?", and it is never empty. */
void imap_put_text(struct buf *out, str s);

#endif
