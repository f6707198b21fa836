/* SORT and UID SORT (RFC 5256, RFC 5957), with RETURN (RFC 5267 §3). */
#include "imap/command.h"
#include "imap/context.h"
#include "imap/relevancy.h"
#include "imap/search_eval.h"
#include "imap/search_result.h"
#include "imap/sort.h"

/* sort = "SORT" [sort-return-opts] SP sort-criteria SP charset 1*(SP search-key) */
static enum rc parse(struct imap_lex *lex, struct imap_reply *re, struct imap_return *ret_how,
                     struct imap_sort *ret_sort, struct search_node **ret)
{
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_return_parse(lex, ret_how);
    if (rc == RC_OK)
        rc = imap_sort_parse(lex, ret_sort);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_search_parse_sorted(lex, ret);
    if (rc == RC_PERM)
        return search_badcharset(re);
    if (rc == RC_OK)
        rc = imap_eol(lex);
    return rc == RC_OK ? relevancy_check(lex, ret_how, ret_sort, *ret) : rc;
}

enum rc imap_cmd_sort(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    AUTO(uidset_deinit) struct uidset found = {0};
    AUTO(search_result_deinit) struct search_result result = search_result_of(s, "SORT");
    struct imap_sort program;
    struct imap_return how = {0};
    struct search_node *root;
    enum rc rc = parse(lex, re, &how, &program, &root);
    if (rc == RC_OK)
        rc = context_check(s, &how, re);
    if (rc == RC_OK)
        rc = search_find(s, s->box, lex, root, &found, &result.with_modseq, re);
    if (rc == RC_OK)
        rc = sort_messages(s, &program, root, &found, &result, &re->err);
    if (rc == RC_OK)
        rc = relevancy_add(s, &how, root, &result, &re->err);
    if (rc == RC_OK)
        rc = search_result_put(s, &result, &how, &re->err);
    if (rc == RC_OK)
        context_open(s, &how, root, &program, &result);
    search_forget_saved(s, rc, &how);
    return rc;
}
