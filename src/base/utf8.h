/* UTF-8 (RFC 3629): validity and single code points. No overlong forms, no surrogates, at most U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"

bool utf8_valid(str s);
bool utf8_is_ascii(str s);
size_t utf8_ascii_run(str s); /* bytes at the start of s that are ASCII */
/* Decodes the code point at the start of s: its length in bytes (1 to 4), or 0 when malformed or empty. */
size_t utf8_decode(str s, uint32_t *ret_cp);
void utf8_put(struct buf *b, uint32_t cp); /* U+FFFD in place of what is no code point */
/* Copies s with every malformed byte replaced by U+FFFD. */
void utf8_put_clean(struct buf *b, str s);

#endif
