/* relevancy: what the messages that SEARCH FUZZY found are worth to the client (RFC 6203 §4): the mean of how
 * nearly they meet the fuzzy texts that they meet at all (fmt/fuzzy.h), 1 to 100. Other keys do not count. */
#ifndef IMAP_RELEVANCY_H
#define IMAP_RELEVANCY_H

#include "fmt/imap_return.h"
#include "fmt/imap_sort.h"
#include "imap/search_plan.h"
#include "imap/search_result.h"

/* RC_INVALID: RELEVANCY is asked for without FUZZY (§4, §6); sort may be NULL. */
MUST_USE enum rc relevancy_check(struct imap_lex *lex, const struct imap_return *how,
                                 const struct imap_sort *sort, const struct search_node *root);
bool relevancy_sorts(const struct imap_sort *sort);

/* The scores of messages, ascending, in `ret`, which has a place for each of uids. RC_TEMP: the store failed,
 * or the client is gone. */
MUST_USE enum rc relevancy_of(struct imap_session *s, struct box *b, const struct search_node *root,
                              const struct uidset *uids, uint8_t *ret, struct err *e);
/* Fills the scores of a result, if RETURN asks for them and they are not there. */
MUST_USE enum rc relevancy_add(struct imap_session *s, const struct imap_return *how,
                               const struct search_node *root, struct search_result *r, struct err *e);

#endif
