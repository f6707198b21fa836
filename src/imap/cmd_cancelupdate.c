/* CANCELUPDATE (RFC 5267 §4.3.5). */
#include "imap/command.h"
#include "imap/context.h"

/* "CANCELUPDATE" 1*(SP quoted): all of them are closed, or none where one is not known */
enum rc imap_cmd_cancelupdate(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    str tags[CONTEXTS_MAX];
    size_t n = 0;
    enum rc rc;
    do {
        if (n == CONTEXTS_MAX)
            return imap_fail(lex, RC_LIMIT, "fewer tags");
        if ((rc = imap_sp(lex)) || (rc = imap_quoted(lex, &tags[n++])))
            return rc;
    } while (imap_peek(lex) == ' ');
    if ((rc = imap_eol(lex)))
        return rc;
    for (size_t i = 0; i < n; i++)
        if (!context_is_open(s, tags[i]))
            return err_set(&re->err, RC_INVALID, 0, "", "There is no search with UPDATE of that tag.");
    for (size_t i = 0; i < n; i++)
        context_close(s, tags[i]);
    return RC_OK;
}
