/* status: the items of STATUS, which LIST knows as well (RFC 9051 §6.3.11, RFC 5819). */
#ifndef IMAP_STATUS_H
#define IMAP_STATUS_H

#include "imap/session.h"

/* "(" status-att *(SP status-att) ")" as a bit for each item, never 0. */
MUST_USE enum rc status_items_parse(struct imap_lex *lex, unsigned *ret);
/* Looks the mailbox up and sends "* STATUS name (...)". HIGHESTMODSEQ switches CONDSTORE on. */
MUST_USE enum rc status_put(struct imap_session *s, str mailbox, unsigned asked, struct err *e);

#endif
