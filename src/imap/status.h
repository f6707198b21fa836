/* status: the items of STATUS, which LIST knows as well (RFC 9051 §6.3.11, RFC 5819). */
#ifndef IMAP_STATUS_H
#define IMAP_STATUS_H

#include "imap/session.h"

enum status_item { /* in the order in which they are told */
                   STATUS_MESSAGES,
                   STATUS_RECENT,
                   STATUS_UIDNEXT,
                   STATUS_UIDVALIDITY,
                   STATUS_UNSEEN,
                   STATUS_DELETED,
                   STATUS_SIZE,
                   STATUS_DELETED_STORAGE, /* RFC 9208 §4.1.4 */
                   STATUS_HIGHESTMODSEQ,
                   STATUS_APPENDLIMIT,
                   STATUS_MAILBOXID,
                   STATUS_ITEMS
};

/* "(" status-att *(SP status-att) ")" as a bit for each item, never 0. */
MUST_USE enum rc status_items_parse(struct imap_lex *lex, unsigned *ret);
void status_items_put(struct buf *out, unsigned asked);
/* Looks the mailbox up and sends "* STATUS name (...)". HIGHESTMODSEQ switches CONDSTORE on. */
MUST_USE enum rc status_put(struct imap_session *s, str mailbox, unsigned asked, struct err *e);
/* Sends it with what is known already; not DELETED-STORAGE. */
void status_tell(struct imap_session *s, str mailbox, unsigned asked, const struct store_status *st);

#endif
