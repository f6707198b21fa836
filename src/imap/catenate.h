/* catenate: parts of messages that are there already, as pieces of one that is appended (RFC 4469). They are
 * copied as FETCH BODY would send them; no flag changes and the selected mailbox stays. */
#ifndef IMAP_CATENATE_H
#define IMAP_CATENATE_H

#include "imap/reply.h"

struct catenate;

/* For the parts of one message, whose bytes `put` takes. free accepts NULL and returns NULL. */
struct catenate *catenate_new(struct imap_session *s, enum rc (*put)(void *ctx, str bytes), void *ctx);
struct catenate *catenate_free(struct catenate *c);

/* Puts what the URL names. RC_PERM with BADURL in *re: there is no such thing; RC_LIMIT, RC_TEMP: the
 * store's; or what `put` returns. *ret_bytes grows by the bytes taken. */
MUST_USE enum rc catenate_url(struct catenate *c, str url, uint64_t *ret_bytes, struct imap_reply *re);

#endif
