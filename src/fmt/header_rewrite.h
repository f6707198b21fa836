/* header_rewrite: the addresses of a message header (RFC 5322 §3.4), found where they stand and replaced
 * there: comments, display names and folding stay as they are, byte for byte.
 *
 * Only fields that keep the grammar are touched, with the empty list elements and routes of §4.4; a field
 * that does not stays as it is, and so does an address with comments or white space inside. Lines end in LF
 * or CRLF. Pure; linear in the header. */
#ifndef FMT_HEADER_REWRITE_H
#define FMT_HEADER_REWRITE_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    HEADER_REWRITE_ADDRESSES_MAX = 1000,
    HEADER_REWRITE_LINE_MAX = 998 /* RFC 5322 §2.1.1: a field that would get a longer line stays */
};

struct header_address {
    bool recipient;                /* of To, Cc...; else of From, Sender, Reply-To... */
    size_t start, end;             /* where it stands in the header */
    size_t field_start, field_end; /* its field */
    str address; /* "local@domain", the domain normalised (fmt/mailaddr.h), completed by the rules */
    str to;      /* what header_rewrite_put writes instead; p NULL: it stays. Set where it was completed */
};

struct header_addresses { /* in their order */
    struct header_address *v;
    size_t n, room;
    bool is_signed; /* there is a DKIM or ARC signature, which a change may break */
};

/* How addresses are completed; empty: they are not. */
struct header_completion {
    str origin;        /* the domain of those without one */
    str parent_domain; /* what follows a domain without a dot */
};

/* The addresses of the header at the start of `raw`; what stands behind it is not looked at. An address
 * without a domain that is not completed is left out. RC_LIMIT: too many, or the arena is exhausted. */
MUST_USE enum rc header_rewrite_scan(str raw, const struct header_completion *c, struct arena *a,
                                     struct header_addresses *ret);

/* All of raw with what `to` says. Check out->overflow. */
void header_rewrite_put(struct buf *out, str raw, const struct header_addresses *list);

#endif
