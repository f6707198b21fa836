/* search_eval: finds the messages of the selected mailbox that a SEARCH program names, cheapest knowledge
 * first: the view, then index rows, then headers, then decoded text. A message is opened only while it is
 * undecided. */
#ifndef IMAP_SEARCH_EVAL_H
#define IMAP_SEARCH_EVAL_H

#include "imap/search_plan.h"

/* Adds the UIDs found. Messages expunged under way are not found. RC_TEMP: the store failed, e says why. */
MUST_USE enum rc search_run(struct imap_session *s, struct search_program *p, struct uidset *ret_uids,
                            struct err *e);

#endif
