/* imap_filter: the mailboxes that ESEARCH (RFC 7377 §2.2) and NOTIFY (RFC 5465 §6) speak of. */
#ifndef FMT_IMAP_FILTER_H
#define FMT_IMAP_FILTER_H

#include "fmt/imap_lex.h"

enum { FILTER_NAMES_MAX = 256 };

enum imap_filter_kind {
    FILTER_SELECTED = 1,
    FILTER_SELECTED_DELAYED = 2,
    FILTER_INBOXES = 4,
    FILTER_PERSONAL = 8,
    FILTER_SUBSCRIBED = 16,
    FILTER_SUBTREE = 32,     /* those below the named ones, and these */
    FILTER_SUBTREE_ONE = 64, /* the same, one level down */
    FILTER_MAILBOXES = 128   /* the named ones */
};

struct imap_filter {
    enum imap_filter_kind kind;
    const str *names; /* of the last three kinds */
    size_t n;
};

/* filter-mailboxes; `permitted` has the kinds that may stand here. Everything lies in the lexer's arena.
 * RC_LIMIT: more than FILTER_NAMES_MAX names, or the arena is exhausted. */
MUST_USE enum rc imap_filter_parse(struct imap_lex *lex, unsigned permitted, struct imap_filter *ret);

/* Whether a mailbox of the account, which is subscribed or not, is one of those. Never what is selected:
 * that the filter does not know. */
bool imap_filter_has(const struct imap_filter *f, str name, bool subscribed, char separator);

#endif
