/* fetch: FETCH responses that no FETCH command asked for: of new messages, by NOTIFY (RFC 5465 §5.2) and by
 * searches with UPDATE (§7). What several of them ask of one message is one response, with nothing twice. */
#ifndef IMAP_FETCH_H
#define IMAP_FETCH_H

#include "fmt/imap_fetch.h"
#include "imap/session.h"

enum { FETCH_WISHES_MAX = 16 };

struct fetch_wishes {
    struct fetch_wish {
        const struct imap_fetch *fetch; /* whoever asks owns it */
        struct uidset uids;
    } v[FETCH_WISHES_MAX];
    size_t n;
};

/* Adds a wish, at most FETCH_WISHES_MAX. */
void fetch_wish(struct fetch_wishes *w, const struct imap_fetch *fetch, const struct uidset *uids);
void fetch_wishes_deinit(struct fetch_wishes *w);
/* Sends the responses. RC_LIMIT: they are too long together; RC_TEMP: the store failed. */
MUST_USE enum rc fetch_grant(struct imap_session *s, const struct fetch_wishes *w, struct err *e);

/* Sends a response with these items for each message of the set, as the command does. */
MUST_USE enum rc fetch_tell(struct imap_session *s, const struct imap_fetch *fetch, const struct uidset *uids,
                            struct err *e);

#endif
