/* flags: message flags between their IMAP names and the store's bits (RFC 9051 §2.3.2). */
#ifndef IMAP_FLAGS_H
#define IMAP_FLAGS_H

#include "imap/session.h"

/* Sorts flag names into bits and keywords. \Recent is ignored (it cannot be set); an unknown name with a
 * backslash is RC_INVALID (RFC 9051 §9, flag-extension), as is a keyword longer than IMAP_KEYWORD_MAX. The
 * keyword array is in the arena. $Forwarded is told as the keyword and as FLAG_PASSED: both are looked for
 * and removed, but only the keyword is set. */
enum { IMAP_KEYWORD_MAX = 128 };
MUST_USE enum rc imap_flags_parse(struct arena *a, const str *names, size_t n, unsigned *ret_flags,
                                  const str **ret_keywords, size_t *ret_n_keywords);

/* "\Seen $Forwarded": the names of enum msg_flag, a space between two. */
void imap_flags_put_names(struct buf *out, unsigned flags);

/* "(\Seen $Forwarded work)": the flags and keywords of a message of the selected mailbox, \Recent included
 * unless the client speaks IMAP4rev2 (RFC 9051 §2.3.2). */
void imap_flags_put(struct imap_session *s, const struct box_msg *msg);

/* All names that messages of b have or may get, as far as they can be changed with these rights: the list of
 * the FLAGS response, without parentheses. */
void imap_flags_put_all(struct buf *out, const struct box *b, unsigned rights);

#endif
