/* parked: what an idle IMAP session leaves behind for the one that goes on in its place (doc/architecture.md,
 * *Parking*): a record of at most 4 KiB that mailbox keeps unread. It is parsed in the cage of the new
 * session, by the rule that whoever wrote it may have been taken over.
 *
 * Grammar: version, then the members of struct parked in their order. A number is 7 bits a byte, the lowest
 * first, 0x80 set in all but the last; a string is its length and its bytes; a set is the number of its
 * ranges and, for each, the distance from the one before and how many UIDs it has behind its first. */
#ifndef FMT_PARKED_H
#define FMT_PARKED_H

#include "fmt/uidset.h"

enum { PARKED_MAX = 4096, PARKED_TRAFFIC = 10 };

struct parked_view { /* of a mailbox, as the session was told of it */
    bool read_only;
    uint32_t uidvalidity;
    uint64_t told;     /* the modification sequence up to which changes were told */
    uint32_t keywords; /* how many of its names were known */
    struct uidset uids, recent;
    struct uidset gone; /* expunged, and not told yet */
};

struct parked {
    uint64_t deadline_ms; /* monotonic: when the client was silent too long */
    uint32_t enabled;     /* the extensions that were switched on, as bits */
    uint32_t bad_in_row;
    uint64_t traffic[PARKED_TRAFFIC]; /* what was counted so far, for the log */
    bool idling;
    str tag;       /* of the IDLE under way */
    bool selected; /* else the rest is empty */
    str mailbox;
    struct parked_view view;
    uint32_t keywords_told; /* to the client */
    struct uidset saved;    /* the result of a search, "$" */
};

/* out was made with the maximum PARKED_MAX: a session for which that is not enough does not park. */
void parked_put(struct buf *out, const struct parked *p);
/* Strings are views into bytes; the sets are the caller's (parked_deinit), whatever the result. RC_INVALID:
 * not what parked_put wrote. */
MUST_USE enum rc parked_parse(str bytes, struct parked *ret);
void parked_deinit(struct parked *p);

#endif
