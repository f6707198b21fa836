/* imap_select: the parameters of SELECT and EXAMINE (RFC 4466 §2.2): CONDSTORE and QRESYNC (RFC 7162 §3.1.8,
 * §3.2.5). */
#ifndef FMT_IMAP_SELECT_H
#define FMT_IMAP_SELECT_H

#include "fmt/imap_lex.h"

struct imap_select_params {
    bool condstore, qresync;
    uint32_t uidvalidity; /* these with qresync: what the client knows */
    uint64_t modseq;
    str known_uids;             /* text of a set without "*"; "" when it was not said */
    str match_seqs, match_uids; /* pairs that the client knows, likewise */
};

/* [SP "(" select-param *(SP select-param) ")"] */
MUST_USE enum rc imap_select_params(struct imap_lex *lex, struct imap_select_params *ret);

#endif
