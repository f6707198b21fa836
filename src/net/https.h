/* https: fetches a small document over HTTPS (RFC 9110, RFC 9112): one GET, no redirects, a certificate of a
 * CA for the very host, everything within one deadline. */
#ifndef NET_HTTPS_H
#define NET_HTTPS_H

#include "base/buf.h"
#include "net/dial.h"
#include "net/mx.h"
#include "os/tls_client.h"

struct https_request {
    str host;         /* a name; its addresses are asked for */
    int port;         /* 443 */
    str path;         /* "/.well-known/mta-sts.txt" */
    str content_type; /* what the answer must be, "text/plain" */
    enum mx_families families;
    const struct dial_way *way;
};

/* body: created with the most that it may have. Not RC_OK: e says why, for the log. RC_TEMP: the host cannot
 * be reached, or did not answer in time; RC_PERM: its certificate is not verified; RC_INVALID: it answers
 * something else than 200 with such a document; RC_LIMIT: with too long a one. */
MUST_USE enum rc https_get(struct resolver *r, struct tls_client *tls, const struct https_request *q,
                           msec deadline, struct buf *body, struct err *e);

#endif
