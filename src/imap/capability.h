/* capability: the one table of what the IMAP service announces (RFC 9051 §7.2.2), before and after log-in. */
#ifndef IMAP_CAPABILITY_H
#define IMAP_CAPABILITY_H

#include "base/buf.h"

enum imap_capability_when {
    IMAP_CAP_PREAUTH = 1,       /* before log-in */
    IMAP_CAP_STARTTLS = 2,      /* before log-in, while TLS can be started */
    IMAP_CAP_LOGINDISABLED = 4, /* before log-in, while no password may be sent */
    IMAP_CAP_POSTAUTH = 8,      /* after log-in */
    IMAP_CAP_UNAUTH = 16,       /* after log-in, where that can be undone */
    IMAP_CAP_SHARED = 32        /* after log-in, where mailboxes of others are served */
};

enum { CAPABILITIES_MAX = 8 << 10 }; /* of what is told, the administrator's own names included */

/* Puts the names that any bit of `when` selects, separated by spaces: "IMAP4rev1 LITERAL+ ...". The AUTH=
 * names depend on the configuration and are the caller's to add. */
void imap_capability_put(struct buf *out, unsigned when);

#endif
