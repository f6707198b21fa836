/* base_subject: the subject of a conversation without "Re:", "[list]" and "(fwd)" (RFC 5256 §2.1), by which
 * SORT compares and THREAD gathers. */
#ifndef FMT_BASE_SUBJECT_H
#define FMT_BASE_SUBJECT_H

#include "base/buf.h"

/* Appends the base subject of decoded UTF-8 text (fmt/rfc2047.h). *ret_reply (may be NULL): the subject is
 * that of a reply or of something passed on. */
void base_subject_put(struct buf *out, str subject, bool *ret_reply);

#endif
