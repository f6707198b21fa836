/* capability_list: which capabilities IMAP clients are told of, where the administrator has a say
 * (imap_capability). Only what is told changes: an extension that is hidden works for whoever asks for it.
 *
 *     IMAP4rev1 IDLE        these alone, and of the words that are here those about the log-in: AUTH=,
 *                           STARTTLS, LOGINDISABLED
 *     -COMPRESS=DEFLATE -SORT THREAD    all but these; SORT is SORT=DISPLAY as well
 *     +XLIST                these as well
 */
#ifndef FMT_CAPABILITY_LIST_H
#define FMT_CAPABILITY_LIST_H

#include "base/buf.h"

/* Whether the text is words of such a kind: signs and atoms (RFC 9051 §9), in no more than one line. */
bool capability_list_is_valid(str setting);
/* Puts the words of `all` that are told, and those that come to them, into the empty out, separated by
 * spaces. An empty setting changes nothing. */
void capability_list_put(struct buf *out, str all, str setting);

#endif
