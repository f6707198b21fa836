/* xtext: how ENVID, AUTH and ORCPT travel as parameters (RFC 3461 §4), and the forms of an address of type
 * "utf-8" in ORCPT, Original-Recipient and Final-Recipient (RFC 6533 §3). smtp_cmd_decode_xtext reads xtext.
 */
#ifndef FMT_XTEXT_H
#define FMT_XTEXT_H

#include "base/buf.h"

/* Appends s as xtext: "+2B" for "+", and so on for all but printable ASCII; never fails. */
void xtext_put(struct buf *out, str s);
/* Appends a UTF-8 address as utf-8-addr-xtext, all ASCII: "\x{E9}" for é, "\x{2B}" for "+". Malformed bytes
 * become U+FFFD. */
void xtext_put_utf8_addr(struct buf *out, str addr);
/* Appends an address that is utf-8-addr-xtext, utf-8-addr-unitext or utf-8-address; the result is UTF-8 and
 * holds no control characters. RC_INVALID, with nothing added, otherwise. */
MUST_USE enum rc xtext_decode_utf8_addr(struct buf *out, str text);

#endif
