/* imap_select: see imap_select.h. */
#include "fmt/imap_select.h"

/* known-sequence-set, known-uid-set, known-uids = sequence-set, where "*" is not allowed */
static enum rc parse_known(struct imap_lex *lex, str *ret)
{
    str text;
    enum rc rc = imap_set_text(lex, &text);
    if (rc == RC_OK && (str_chr(text, '*') >= 0 || str_chr(text, '$') >= 0))
        return imap_expect(lex, "a set of plain numbers");
    if (rc == RC_OK)
        *ret = text;
    return rc;
}

/* seq-match-data = "(" known-sequence-set SP known-uid-set ")" */
static enum rc parse_match(struct imap_lex *lex, struct imap_select_params *p)
{
    enum rc rc = imap_list_begin(lex);
    if (rc == RC_OK)
        rc = parse_known(lex, &p->match_seqs);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = parse_known(lex, &p->match_uids);
    return rc == RC_OK ? imap_list_end(lex) : rc;
}

/* "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")" */
static enum rc parse_qresync(struct imap_lex *lex, struct imap_select_params *p)
{
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_list_begin(lex);
    if (rc == RC_OK)
        rc = imap_nz_number(lex, &p->uidvalidity);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_number64(lex, &p->modseq);
    while (rc == RC_OK && imap_peek(lex) == ' ') {
        rc = imap_sp(lex);
        if (rc == RC_OK && imap_peek(lex) == '(' && !p->match_seqs.n)
            rc = parse_match(lex, p);
        else if (rc == RC_OK && !p->known_uids.n && !p->match_seqs.n)
            rc = parse_known(lex, &p->known_uids);
        else if (rc == RC_OK)
            rc = imap_expect(lex, ")");
    }
    return rc == RC_OK ? imap_list_end(lex) : rc;
}

/* select-param = "CONDSTORE" / "QRESYNC" SP "(" ... ")" */
static enum rc parse_param(struct imap_lex *lex, void *ctx)
{
    struct imap_select_params *p = ctx;
    if (imap_take_word(lex, S("CONDSTORE"))) {
        p->condstore = true;
        return RC_OK;
    }
    if (p->qresync || !imap_take_word(lex, S("QRESYNC")))
        return imap_expect(lex, "CONDSTORE or QRESYNC");
    p->qresync = true;
    return parse_qresync(lex, p);
}

enum rc imap_select_params(struct imap_lex *lex, struct imap_select_params *ret)
{
    struct imap_select_params p = {0};
    enum rc rc = RC_OK;
    if (imap_peek(lex) == ' ')
        rc = imap_sp(lex);
    if (rc == RC_OK && imap_peek(lex) == '(')
        rc = imap_list_of(lex, parse_param, &p);
    if (rc == RC_OK)
        *ret = p;
    return rc;
}
