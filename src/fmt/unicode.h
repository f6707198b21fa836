/* unicode: the normal forms and properties that mail needs; the one wrapper of libunistring. Pure. */
#ifndef FMT_UNICODE_H
#define FMT_UNICODE_H

#include "base/buf.h"

/* These append to out. RC_INVALID: not UTF-8; RC_LIMIT: out is full. */
MUST_USE enum rc unicode_nfkc(str s, struct buf *out);
/* Full case folding followed by NFC: equal for names that differ in case or composition only. */
MUST_USE enum rc unicode_casefold(str s, struct buf *out);
/* Full case folding followed by NFKD: the form that casefold.h compares. */
MUST_USE enum rc unicode_searchfold(str s, struct buf *out);
/* Makes a table with which searchfold is much faster for the letters of most languages: before there are
 * threads, and for all processes that are forked later. */
void unicode_preload(void);

enum unicode_direction { UNICODE_DIR_LEFT, UNICODE_DIR_RIGHT, UNICODE_DIR_OTHER };
enum unicode_direction unicode_direction(uint32_t cp); /* RandALCat is RIGHT, LCat is LEFT (RFC 3454 §6) */
bool unicode_is_assigned(uint32_t cp);

#endif
