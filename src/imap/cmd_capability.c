/* CAPABILITY (RFC 9051 §6.1.1). */
#include "imap/command.h"

enum rc imap_cmd_capability(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    (void)re;
    enum rc rc = imap_eol(lex);
    if (rc)
        return rc;
    buf_puts(&s->out, S("* CAPABILITY "));
    imap_put_capabilities(s);
    buf_puts(&s->out, S("\r\n"));
    imap_send(s);
    return RC_OK;
}
