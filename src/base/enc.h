/* base64 (RFC 4648 §4), base64url and hexadecimal. */
#ifndef BASE_ENC_H
#define BASE_ENC_H

#include "base/buf.h"

void enc_base64(struct buf *out, str in);
/* Strict: right alphabet, padding with zero bits and no other bytes; RC_INVALID otherwise, RC_LIMIT when out
 * overflows. Adds nothing to out on failure. */
MUST_USE enum rc enc_base64_decode(struct buf *out, str in);
/* base64url (RFC 4648 §5) without padding, as strict. */
MUST_USE enum rc enc_base64url_decode(struct buf *out, str in);
void enc_hex(struct buf *out, str in); /* lower case */
MUST_USE enum rc enc_hex_decode(struct buf *out, str in);

#endif
