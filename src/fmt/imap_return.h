/* imap_return: the return options of SEARCH and SORT (RFC 4731 §3.1, RFC 5267 §4, RFC 5182 §2.1, RFC 5465 §7,
 * RFC 9394 §3.1), and the range of PARTIAL, which FETCH knows as well. */
#ifndef FMT_IMAP_RETURN_H
#define FMT_IMAP_RETURN_H

#include "base/buf.h"
#include "fmt/imap_lex.h"

enum imap_return_option {
    RETURN_MIN = 1,
    RETURN_MAX = 2,
    RETURN_ALL = 4,
    RETURN_COUNT = 8,
    RETURN_SAVE = 16,
    RETURN_PARTIAL = 32,
    RETURN_CONTEXT = 64, /* a hint that is not used */
    RETURN_UPDATE = 128,
    RETURN_RELEVANCY = 256 /* RFC 6203 §4 */
};

/* Places in a result, counted from 1: from its begin, or with from_end from its end (PARTIAL -1:-100). */
struct imap_partial {
    bool given, from_end;
    uint32_t first, last; /* first <= last */
};

struct imap_return {
    bool given;       /* RETURN was said: the answer is an ESEARCH response */
    unsigned options; /* enum imap_return_option; "RETURN ()" is RETURN_ALL */
    struct imap_partial partial;
    str of_new; /* "(UID FLAGS)": FETCH items that UPDATE tells of new messages in the result, or STR_NONE */
};

/* ["RETURN" SP "(" [option *(SP option)] ")" SP]. RC_INVALID: an unknown option, or PARTIAL together with ALL
 * (RFC 9394 §3.1). */
MUST_USE enum rc imap_return_parse(struct imap_lex *lex, struct imap_return *ret);

/* partial-range = nz-number ":" nz-number / "-" nz-number ":" "-" nz-number */
MUST_USE enum rc imap_partial_range(struct imap_lex *lex, struct imap_partial *ret);
/* "-1:-100", with the ends as they were counted: the smaller first. */
void imap_partial_put(struct buf *out, const struct imap_partial *p);

#endif
