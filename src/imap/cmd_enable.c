/* ENABLE (RFC 5161 §3.1): none of the announced extensions needs enabling, and unknown names are ignored. */
#include "imap/command.h"

enum rc imap_cmd_enable(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    str name;
    enum rc rc;
    (void)re;
    do {
        if ((rc = imap_sp(lex)) || (rc = imap_atom(lex, &name)))
            return rc;
    } while (imap_peek(lex) == ' ');
    if ((rc = imap_eol(lex)))
        return rc;
    buf_puts(&s->out, S("* ENABLED\r\n"));
    imap_send(s);
    return RC_OK;
}
