/* saslprep: the form in which names and passwords are compared and hashed (RFC 4013, a profile of RFC 3454).
 * Pure. */
#ifndef FMT_SASLPREP_H
#define FMT_SASLPREP_H

#include "base/buf.h"

/* Appends the prepared form of s. RC_INVALID: not UTF-8, a prohibited character, or a bad mix of directions;
 * RC_LIMIT: out is full. stored: s is to be stored, so unassigned code points are refused too (RFC 3454 §7).
 * "Unassigned" is judged by the Unicode version of libunistring, not by that of 2002 (3.2), so that newer
 * scripts can be used in passwords. */
MUST_USE enum rc saslprep(str s, bool stored, struct buf *out);

#endif
