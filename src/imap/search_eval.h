/* search_eval: finds the messages of an open mailbox that a SEARCH program names, cheapest knowledge
 * first: the view, then index rows, then headers, then decoded text. A message is opened only while it is
 * undecided. */
#ifndef IMAP_SEARCH_EVAL_H
#define IMAP_SEARCH_EVAL_H

#include "imap/command.h"
#include "imap/search_plan.h"

/* Adds the UIDs found, of the last messages where there are too many to look at, and then *re tells it (RFC
 * 9738). Messages expunged under way are not found. *ret_modseq: the program asked for MODSEQ, which switches
 * CONDSTORE on. RC_INVALID: the lexer says what was expected; RC_PERM: there are too many messages for a
 * command that is CMD_WHOLE; RC_TEMP: the store failed, *re says why. */
MUST_USE enum rc search_find(struct imap_session *s, struct box *b, struct imap_lex *lex,
                             const struct search_node *root, struct uidset *ret, bool *ret_modseq,
                             struct imap_reply *re);
/* The same among some messages only. RC_LIMIT, RC_INVALID: the program does not fit the mailbox any more. */
MUST_USE enum rc search_among(struct imap_session *s, struct box *b, const struct search_node *root,
                              const struct uidset *among, struct uidset *ret, struct err *e);
/* NO [BADCHARSET] (RFC 9051 §7.1). */
enum rc search_badcharset(struct imap_reply *re);

#endif
