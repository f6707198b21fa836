/* rights: what LIST tells of rights (RFC 8440), as MYRIGHTS does. */
#ifndef IMAP_RIGHTS_H
#define IMAP_RIGHTS_H

#include "imap/session.h"

/* The MYRIGHTS response of a mailbox that is there. */
void rights_put_mine(struct imap_session *s, str mailbox);

#endif
