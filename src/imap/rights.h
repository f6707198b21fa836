/* rights: what LIST tells of rights (RFC 8440), as MYRIGHTS does. */
#ifndef IMAP_RIGHTS_H
#define IMAP_RIGHTS_H

#include "imap/session.h"

/* Looks up what may be done with the mailbox here, and sends the MYRIGHTS response. RC_GONE. */
MUST_USE enum rc rights_put_mine(struct imap_session *s, str mailbox, struct err *e);

#endif
