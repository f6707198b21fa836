/* addrlist: address lists of header fields (RFC 5322 §3.4 with §4.4), in the four parts that IMAP's ENVELOPE
 * tells (RFC 9051 §7.5.2). Parsing never fails: garbage gives the best guess at what was meant. Encoded words
 * stay encoded. A group is a start entry (mailbox is its name, host.p is NULL), its members, and an end entry
 * (all four NULL). */
#ifndef FMT_ADDRLIST_H
#define FMT_ADDRLIST_H

#include "base/arena.h"

struct address {
    struct address *next;
    str name;    /* display name, or the comment behind a bare address; .p NULL when there is none */
    str route;   /* "@a,@b" of an obsolete source route; .p NULL when there is none */
    str mailbox; /* local part, unquoted; empty but not NULL when missing */
    str host;    /* domain; empty but not NULL when missing, NULL for the start and end of a group */
};

static inline bool address_is_group_mark(const struct address *a)
{
    return a->host.p == NULL;
}

/* The list in value (raw, folded), NULL when it holds no address. Cut short where the arena is exhausted. */
struct address *addrlist_parse(str value, struct arena *a);

#endif
