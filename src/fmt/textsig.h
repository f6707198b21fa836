/* textsig: the signature of a message's text: a set of bits, one or more for each sequence of three bytes
 * that occurs in the folded text (fmt/foldtext.h) of its headers and bodies. A needle is in the text only if
 * the bits of all its sequences are set, so a signature of 1 KiB says of most messages, without a look at
 * them, that they do not hold it; of the others it says nothing, and they are looked through.
 *
 * Unicode keeps the foldings of its characters for ever, and so a signature holds as long as its message.
 *
 * Format: 2^n bytes, 32 to 16384. Bit i is bit i % 8 of byte i / 8. The bit of three bytes a, b, c is
 * (((a << 16 | b << 8 | c) * 2654435761) mod 2^32) >> 15, modulo the number of bits. */
#ifndef FMT_TEXTSIG_H
#define FMT_TEXTSIG_H

#include "fmt/foldtext.h"

enum { TEXTSIG_MIN = 32, TEXTSIG_MAX = 16384 };

/* Puts the signature of the message that raw is and root was parsed from. */
void textsig_put(struct buf *out, struct foldtext *room, str raw, const struct mime_part *root);

/* Whether the text may hold the folded needle. True also for what is no signature. */
bool textsig_may_hold(str signature, str needle);

#endif
