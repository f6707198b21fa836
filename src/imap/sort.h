/* sort: puts messages of the selected mailbox in the order of a SORT program (RFC 5256 §3, RFC 6203 §6).
 * Messages whose keys are all the same stay in the order of the mailbox (§2). */
#ifndef IMAP_SORT_H
#define IMAP_SORT_H

#include "fmt/imap_search.h"
#include "fmt/imap_sort.h"
#include "imap/search_result.h"

/* Fills uids and n of the result, and with RELEVANCY its scores. root is the search that found them.
 * RC_LIMIT: the keys of all are too long; RC_TEMP: the store failed, or the connection ended. */
MUST_USE enum rc sort_messages(struct imap_session *s, const struct imap_sort *program,
                               const struct search_node *root, const struct uidset *uids,
                               struct search_result *ret, struct err *e);

#endif
