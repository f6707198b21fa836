/* fetch: FETCH responses that no FETCH command asked for. */
#ifndef IMAP_FETCH_H
#define IMAP_FETCH_H

#include "fmt/imap_fetch.h"
#include "imap/session.h"

/* Sends a response with these items for each message of the set, as the command does. */
MUST_USE enum rc fetch_tell(struct imap_session *s, const struct imap_fetch *fetch, const struct uidset *uids,
                            struct err *e);

#endif
