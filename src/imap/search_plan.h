/* search_plan: a SEARCH program made ready for one open mailbox: message sets resolved, keywords looked up,
 * texts folded, and what is cheap put in front of what is dear at each level of the tree. */
#ifndef IMAP_SEARCH_PLAN_H
#define IMAP_SEARCH_PLAN_H

#include "fmt/fuzzy.h"
#include "fmt/imap_search.h"
#include "imap/session.h"

enum search_cost {
    COST_VIEW,      /* the UID alone decides */
    COST_FLAGS,     /* one look through the index for each key */
    COST_ROW,       /* dates and sizes from the index */
    COST_COMMON,    /* the header fields that the store keeps (fmt/header_common.h) */
    COST_SIGNATURE, /* what the signature of its text excludes; no key costs this */
    COST_HEADER,    /* the message's header */
    COST_BODY       /* its decoded text */
};

struct search_plan {
    enum search_key key;
    bool negated;
    enum search_cost cost; /* of the dearest key below */
    struct uidset uids; /* SEQ_SET and UID_SET: what they name in the view; RECENT, FLAG and KEYWORD: who is
                           or has it */
    unsigned flags;     /* FLAG, and KEYWORD of a flag that is told as one: a bit of enum msg_flag */
    uint64_t keywords;  /* KEYWORD: its bit; 0 when the mailbox does not have it */
    int64_t number;
    str field;
    str needle;          /* folded text */
    struct fuzzy *fuzzy; /* its words, where the key is matched by them (RFC 6203); else NULL */
    struct search_plan *child, *next;

    /* BODY and TEXT of one message are answered in one pass over it, for all such keys at once; fuzzy ones
     * are a list of their own */
    struct search_plan *next_text;
    bool found;
};

struct search_program {
    struct box *box; /* that is searched */
    struct arena *arena;
    struct search_plan *root;
    struct search_plan *bodies, *texts; /* all BODY keys; all TEXT keys */
    struct search_plan *fuzzies;        /* all keys that have `fuzzy` */
    bool has_modseq;
    unsigned want;  /* enum box_want: columns that its keys look at */
    unsigned costs; /* 1 << enum search_cost: of its keys but AND and OR */
    int64_t now;    /* seconds since 1970, for OLDER and YOUNGER: one moment for all messages */
};

/* search_program_deinit frees it, also after a failure. RC_INVALID: a message set that is none; RC_LIMIT: it
 * is too large. */
MUST_USE enum rc search_program_make(struct imap_session *s, struct box *b, const struct search_node *root,
                                     struct search_program *ret);
void search_program_deinit(struct search_program *p);

#endif
