/* SEARCH and UID SEARCH (RFC 3501 §6.4.4, RFC 9051 §6.4.4), with RETURN (RFC 4731, RFC 5182, RFC 5267, RFC
 * 9394) and MODSEQ (RFC 7162 §3.1.5). */
#include "imap/command.h"
#include "imap/context.h"
#include "imap/relevancy.h"
#include "imap/search_eval.h"
#include "imap/search_result.h"

/* search = "SEARCH" [search-return-opts] [SP "CHARSET" SP charset] 1*(SP search-key) */
static enum rc parse(struct imap_lex *lex, struct imap_reply *re, struct imap_return *ret_how,
                     struct search_node **ret)
{
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_return_parse(lex, ret_how);
    if (rc == RC_OK)
        rc = imap_search_parse(lex, ret);
    if (rc == RC_PERM)
        return search_badcharset(re);
    if (rc == RC_OK)
        rc = imap_eol(lex);
    return rc == RC_OK ? relevancy_check(lex, ret_how, NULL, *ret) : rc;
}

enum rc imap_cmd_search(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    AUTO(uidset_deinit) struct uidset found = {0};
    AUTO(search_result_deinit) struct search_result result = search_result_of(s, "SEARCH");
    struct imap_return how = {0};
    struct search_node *root;
    enum rc rc = parse(lex, re, &how, &root);
    if (rc == RC_OK)
        rc = context_check(s, &how, re);
    if (rc == RC_OK)
        rc = search_find(s, s->box, lex, root, &found, &result.with_modseq, re);
    if (rc == RC_OK && (s->enabled & IMAP_REV2) && !how.given) /* RFC 9051 §6.4.4: always ESEARCH */
        how = (struct imap_return){.given = true, .options = RETURN_ALL};
    if (rc == RC_OK) {
        search_result_take(&result, &found);
        rc = relevancy_add(s, &how, root, &result, &re->err);
    }
    if (rc == RC_OK)
        rc = search_result_put(s, &result, &how, &re->err);
    if (rc == RC_OK)
        context_open(s, &how, root, NULL, &result);
    search_forget_saved(s, rc, &how);
    return rc;
}
