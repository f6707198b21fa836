/* imap_response: what an IMAP server says, for a client (RFC 9051 §7): the text of one response that
 * fmt/imap_reader.h gathered, literals in place.
 *
 * imap_response_parse tells what kind it is; of data it leaves the cursor behind the word, and one of the
 * others reads the rest. Results are views into the text or lie in the lexer's arena. RC_INVALID: the grammar
 * is broken; RC_LIMIT: nesting or the arena. What a response says beyond what is asked here is skipped. */
#ifndef FMT_IMAP_RESPONSE_H
#define FMT_IMAP_RESPONSE_H

#include "fmt/imap_lex.h"

enum imap_condition { /* resp-cond-state, and what is none */
                      IMAP_SAYS_DATA,
                      IMAP_SAYS_CONTINUE, /* "+" */
                      IMAP_SAYS_OK,
                      IMAP_SAYS_NO,
                      IMAP_SAYS_BAD,
                      IMAP_SAYS_BYE,
                      IMAP_SAYS_PREAUTH
};

struct imap_response {
    str tag; /* empty: untagged */
    enum imap_condition condition;
    str code, text;  /* resp-text of all but data: "[CODE] TEXT" */
    uint32_t number; /* of data: in front of its word, else 0 */
    str word;        /* of data: "FETCH", "LIST" */
};
MUST_USE enum rc imap_response_parse(struct imap_lex *lex, struct imap_response *ret);

/* Whether a list of words, as CAPABILITY has it, holds one. */
bool imap_capability_has(str words, str name);

struct imap_listed {
    str name;       /* UTF-8 */
    char separator; /* 0: there is no hierarchy */
    bool selectable, subscribed;
    str use; /* "\Drafts"; empty: none */
};
MUST_USE enum rc imap_response_list(struct imap_lex *lex, struct imap_listed *ret);

/* NAMESPACE (RFC 2342 §6): the prefix of one's own mailboxes, "INBOX." or "". */
MUST_USE enum rc imap_response_namespace(struct imap_lex *lex, str *ret_prefix);

enum imap_counted {
    IMAP_MESSAGES,
    IMAP_RECENT,
    IMAP_UNSEEN,
    IMAP_UIDNEXT,
    IMAP_UIDVALIDITY,
    IMAP_HIGHESTMODSEQ,
    IMAP_SIZE,
    IMAP_COUNTED /* how many there are */
};
struct imap_counts {
    str mailbox; /* UTF-8 */
    uint64_t v[IMAP_COUNTED];
    str id; /* MAILBOXID (RFC 8474 §4.3); "": not said */
};
MUST_USE enum rc imap_response_status(struct imap_lex *lex, struct imap_counts *ret);
/* The name of one as STATUS has it, "MESSAGES". */
str imap_counted_name(enum imap_counted which);

/* ESEARCH (RFC 4731 §3.1). */
struct imap_found {
    uint32_t count;
    str all; /* a set of UIDs or of numbers; empty: none */
};
MUST_USE enum rc imap_response_esearch(struct imap_lex *lex, struct imap_found *ret);

struct imap_fetched {
    uint32_t uid;  /* 0: not said */
    uint64_t size; /* RFC822.SIZE */
    bool has_date, has_flags;
    int64_t date; /* INTERNALDATE, seconds since 1970 */
    const str *flags;
    size_t n_flags;
    str body; /* of the BODY[...] that was asked for; p is NULL when there is none */
    uint64_t modseq;
    bool has_saved;
    int64_t saved; /* SAVEDATE (RFC 8514) */
    str email_id;
    str envelope, bodystructure,
        short_structure; /* as they were sent, with their parentheses; the last: BODY */
};
MUST_USE enum rc imap_response_fetch(struct imap_lex *lex, struct imap_fetched *ret);

#endif
