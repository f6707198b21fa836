/* site_name: the names of sites (doc/queue.md). A plain next hop, "example.com" or "[192.0.2.1]:2525", is one
 * for SMTP; every other way has its word in front: "lmtp:inet:[::1]:24", "lmtp:unix:/path", "error:text",
 * "retry:text", "discard:text", "command:user", "pipe:name:nexthop". A transport with settings of its own is
 * named behind the word: "smtp/slow:example.com". "local" leads to mailboxes here, and "route:" holds what
 * could not be routed yet. Pure. */
#ifndef QUEUE_SITE_NAME_H
#define QUEUE_SITE_NAME_H

#include "base/buf.h"

enum site_transport {
    SITE_SMTP,
    SITE_LMTP,
    SITE_LOCAL,
    SITE_ROUTE,
    SITE_ERROR,   /* returned to its sender, with the text */
    SITE_RETRY,   /* waits, with the text as the reason */
    SITE_DISCARD, /* dropped, as if it had been delivered */
    SITE_COMMAND, /* a user of the system, or an alias with "|" in front: what he or it has mail handed to */
    SITE_PIPE     /* the name of one of pipe_transports, ":" and the next hop */
};

struct site_name {
    enum site_transport transport;
    str next;    /* the next hop, or the text; a view of the name */
    str service; /* the name of the transport: of SMTP, LMTP and pipes; else empty */
};

struct site_name site_name_parse(str name);
/* Appends a name that parses to the same, a text cut to QUEUE_SITE_MAX. RC_LIMIT: the next hop is too long,
 * nothing is appended. */
MUST_USE enum rc site_name_put(struct buf *b, enum site_transport transport, str next);
/* The same for SMTP and LMTP by a transport of this name, which may be "smtp" and "lmtp" themselves. */
MUST_USE enum rc site_name_put_service(struct buf *b, enum site_transport transport, str service, str next);
/* Whether the role smtp delivers there; everything else is dealt with in queue. */
bool site_name_is_remote(str name);
/* Whether the role command runs something for it. */
bool site_name_is_command(str name);

#endif
