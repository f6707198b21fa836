/* LANGUAGE (RFC 5255 §3.2). */
#include "imap/command.h"
#include "imap/language.h"

enum rc imap_cmd_language(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    enum rc rc = imap_language(lex, &s->out);
    if (rc == RC_PERM)
        return err_set(&re->err, rc, 0, "", "%s", IMAP_LANGUAGE_REFUSAL);
    imap_send(s);
    return rc;
}
