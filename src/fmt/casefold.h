/* casefold: text in the form that searches compare: Unicode case folding and compatibility decomposition, so
 * that "É", "é" and "e" with an accent behind it are the same (RFC 9051 §6.4.4 wants at least
 * case-insensitivity, RFC 5051 §2 decomposes too). */
#ifndef FMT_CASEFOLD_H
#define FMT_CASEFOLD_H

#include "base/buf.h"

/* Appends the folded form of UTF-8 text; malformed bytes become U+FFFD. Text may come in chunks that are cut
 * in front of an ASCII byte; needle and haystack must both pass through here. */
void casefold_put(struct buf *out, str utf8);

#endif
