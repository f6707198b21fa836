/* imap_search: the program of a SEARCH command (RFC 9051 §6.4.4, RFC 3501 §6.4.4) as a tree of nodes.
 *
 * Keys that say the same are one: NEW is (RECENT UNSEEN), UNSEEN is NOT SEEN, FROM x is HEADER From x,
 * UIDAFTER 5 is UID 6:4294967295.
 * Strings are UTF-8 whatever CHARSET the client used; message sets stay text, because only the session knows
 * what "*" and "$" stand for. The tree lies in the lexer's arena. */
#ifndef FMT_IMAP_SEARCH_H
#define FMT_IMAP_SEARCH_H

#include "fmt/imap_lex.h"

enum { SEARCH_NODES_MAX = 1000, SEARCH_TEXT_MAX = 8 * 1024 };

enum search_key {
    SEARCH_AND,     /* all of child; without any: every message */
    SEARCH_OR,      /* one of child */
    SEARCH_SEQ_SET, /* text: a sequence-set or "$" */
    SEARCH_UID_SET, /* text */
    SEARCH_FLAG,    /* flag is set */
    SEARCH_KEYWORD, /* text */
    SEARCH_RECENT,
    SEARCH_BEFORE, /* day of INTERNALDATE < number */
    SEARCH_ON,
    SEARCH_SINCE,  /* >= number */
    SEARCH_LARGER, /* RFC822.SIZE > number */
    SEARCH_SMALLER,
    SEARCH_SENTBEFORE, /* the same with the Date field, as written, in its own time zone */
    SEARCH_SENTON,
    SEARCH_SENTSINCE,
    SEARCH_HEADER, /* a field called `field` holds text; with an empty text: exists */
    SEARCH_BODY,   /* text */
    SEARCH_TEXT,
    SEARCH_MODSEQ,      /* modification sequence >= number (RFC 7162 §3.1.5) */
    SEARCH_OLDER,       /* INTERNALDATE at least number seconds ago (RFC 5032) */
    SEARCH_YOUNGER,     /* at most */
    SEARCH_SAVEDBEFORE, /* as BEFORE, ON and SINCE, with the day it came into the mailbox (RFC 8514) */
    SEARCH_SAVEDON,
    SEARCH_SAVEDSINCE,
    SEARCH_EMAILID, /* text: an id of RFC 8474 */
    SEARCH_THREADID
};

enum search_flag {
    SEARCH_FLAG_ANSWERED,
    SEARCH_FLAG_DELETED,
    SEARCH_FLAG_DRAFT,
    SEARCH_FLAG_FLAGGED,
    SEARCH_FLAG_SEEN
};

struct search_node {
    enum search_key key;
    bool negated;
    bool fuzzy; /* FUZZY, or a key within it (RFC 6203) */
    enum search_flag flag;
    int64_t number; /* days since 1970-01-01, or bytes */
    str field, text;
    struct search_node *child, *next;
};

/* Takes "[CHARSET name] key..." off the lexer, which stands behind the space. RC_PERM: the charset is not
 * known (NO [BADCHARSET]); RC_INVALID: the lexer knows what was expected, also where the charset contradicts
 * lex->utf8_only; RC_LIMIT: nesting, number of keys, text or arena. */
MUST_USE enum rc imap_search_parse(struct imap_lex *lex, struct search_node **ret);
/* The same for SORT and THREAD (RFC 5256 §5), where the charset is always said: "charset SP key...". */
MUST_USE enum rc imap_search_parse_sorted(struct imap_lex *lex, struct search_node **ret);

/* Whether FUZZY is among the keys. */
bool imap_search_is_fuzzy(const struct search_node *root);

#endif
