/* NAMESPACE (RFC 2342): one personal namespace without a prefix. */
#include "imap/command.h"

enum rc imap_cmd_namespace(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    (void)re;
    enum rc rc = imap_eol(lex);
    if (rc)
        return rc;
    buf_printf(&s->out, "* NAMESPACE ((\"\" \"%c\")) NIL NIL\r\n", s->start->separator);
    imap_send(s);
    return RC_OK;
}
