/* doveadm_query: search keys as doveadm-search-query(7) has them, in words, as a program of IMAP's SEARCH for
 * one mailbox.
 *
 *   query = *(key / "AND" / "OR")       ; with an OR anywhere among them, one of all these must fit
 *   key = "(" query ")" / "NOT" key / a key of RFC 9051 §6.4.4 / MAILBOX mask / MAILBOX-GUID guid / GUID id
 *
 * Where IMAP wants a date, "2026-07-01", "1-Jul-2026", "3 days" and seconds since 1970 do, where it wants
 * bytes "10M". What is asked of the mailbox is answered here: it becomes ALL or NOT ALL. */
#ifndef FMT_DOVEADM_QUERY_H
#define FMT_DOVEADM_QUERY_H

#include "base/arena.h"

enum { DOVEADM_WORDS_MAX = 1000 };

struct doveadm_query {
    char *const *words;
    size_t n;
    str mailbox, guid; /* of the mailbox that is searched */
    char separator;
    int64_t now; /* seconds since 1970 */
};

struct doveadm_program {
    str text;   /* in the arena */
    bool bound; /* whatever it finds lies in mailboxes that it names */
    bool never; /* it finds nothing in this one */
};

/* RC_INVALID with e: a word is no key, or lacks its argument; RC_LIMIT: too many words, nesting, or the
 * arena. */
MUST_USE enum rc doveadm_query_format(const struct doveadm_query *q, struct arena *a,
                                      struct doveadm_program *ret, struct err *e);

#endif
