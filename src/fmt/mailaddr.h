/* mailaddr: one envelope address, local part and domain (RFC 5321 §4.1.2, RFC 6531 §3.3).
 *
 * Parsing removes quotes that are not needed and normalises the domain: lower case, A-labels. Two addresses
 * are the same mailbox when domain and local part are; only the owner of the domain may fold the local part.
 * Departures from the grammar: "_" is allowed in domain labels, because real names have it. */
#ifndef FMT_MAILADDR_H
#define FMT_MAILADDR_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    MAILADDR_LOCAL_MAX = 64,   /* RFC 5321 §4.5.3.1.1 */
    MAILADDR_DOMAIN_MAX = 255, /* RFC 5321 §4.5.3.1.2 */
    MAILADDR_MAX = 254         /* RFC 5321 §4.5.3.1.3: a path of 256 with its brackets */
};

struct mailaddr {
    str local;    /* without quotes and backslashes */
    str domain;   /* normalised; an address literal keeps its brackets: "[192.0.2.1]" */
    bool utf8;    /* was not all ASCII: needs SMTPUTF8 */
    bool literal; /* the domain is an address literal */
};

/* Reads one Mailbox off the front of *text, which moves behind it; results live in the arena. RC_INVALID: not
 * the grammar; RC_LIMIT: too long (or the arena is exhausted). *text is undefined on failure. */
MUST_USE enum rc mailaddr_take(str *text, struct arena *a, struct mailaddr *ret);
/* The same for text that is one Mailbox and nothing else. */
MUST_USE enum rc mailaddr_parse(str text, struct arena *a, struct mailaddr *ret);
/* One Domain or address literal off the front (EHLO's argument, source routes); the view is not normalised.
 */
MUST_USE enum rc mailaddr_take_domain(str *text, str *ret);
/* "local@domain", the local part quoted where it must be. */
void mailaddr_put(struct buf *out, const struct mailaddr *addr);
str mailaddr_str(struct arena *a, const struct mailaddr *addr); /* STR_NONE when the arena is exhausted */
/* Splits "user+tag" at the first of the delimiter characters that is not the first byte: user in *ret_base;
 * the tag, without its delimiter, in *ret_detail. false: no tag. */
bool mailaddr_split_detail(str local, str delimiters, str *ret_base, str *ret_detail);

#endif
