/* imapstring: strings in IMAP responses (RFC 9051 §4.3, §9 "string", "nstring").
 * Quoted when every byte may stand in a quoted string, else a literal "{n}\r\n...": for 8-bit bytes, CR, LF,
 * and, as Dovecot does, more than four bytes that want a backslash. NULs, which neither form can carry, are
 * dropped. */
#ifndef FMT_IMAPSTRING_H
#define FMT_IMAPSTRING_H

#include "base/buf.h"

void imapstring_put(struct buf *out, str s);
/* NIL when s.p is NULL. */
void imapstring_put_nil(struct buf *out, str s);

/* The same with all bytes: as a literal8 ("~{n}") when there are NULs (RFC 3516 §7). */
void imapstring_put_nil8(struct buf *out, str s);

#endif
