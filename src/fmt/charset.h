/* charset: text in the charsets of mail to UTF-8, through iconv, with an allow-list. Never fails: bytes that
 * mean nothing become U+FFFD, unknown charsets and us-ascii are read as UTF-8 (which ASCII is part of).
 *
 * glibc loads its converters from files. A process that will lose its files (chroot, Landlock) calls
 * charset_preload first, before it has threads; what that loads and makes stays and is the one global of this
 * layer. */
#ifndef FMT_CHARSET_H
#define FMT_CHARSET_H

#include "base/buf.h"

/* Opens every allowed converter once, so that later ones need no file; of those with eight bits a table does.
 * Returns how many of them are there. */
size_t charset_preload(void);
/* Number of converters that charset_preload tries. */
size_t charset_count(void);
/* Whether text in this charset is converted (not merely read as UTF-8). */
bool charset_is_known(str name);

enum { CHARSET_HELD_MAX = 16 };

struct charset_decoder {
    const uint16_t *upper;       /* characters of the bytes from 0x80 on; else NULL, and: */
    void *iconv;                 /* NULL: the text is UTF-8 already */
    size_t unit;                 /* bytes to skip at an error: 2 for UTF-16, 4 for UTF-32, else 1 */
    char held[CHARSET_HELD_MAX]; /* the start of a character whose rest comes with the next chunk */
    size_t held_n;
};

void charset_init(struct charset_decoder *d, str name);
void charset_deinit(struct charset_decoder *d);
/* Appends in as UTF-8; only whole characters are put. */
void charset_feed(struct charset_decoder *d, struct buf *out, str in);
/* The end of the text: an unfinished character becomes U+FFFD. */
void charset_finish(struct charset_decoder *d, struct buf *out);

/* All of the above for text that is in one piece. */
void charset_to_utf8(struct buf *out, str name, str in);

#endif
