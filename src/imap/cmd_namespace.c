/* NAMESPACE (RFC 2342): one personal namespace without a prefix, and that of other users' mailboxes. */
#include "imap/command.h"

enum rc imap_cmd_namespace(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    (void)re;
    enum rc rc = imap_eol(lex);
    if (rc)
        return rc;
    char separator = s->start->separator;
    buf_printf(&s->out, "* NAMESPACE ((\"\" \"%c\")) ", separator);
    if (s->start->shared_prefix.n > 0)
        buf_printf(&s->out, "((\"" STR_FMT "\" \"%c\")) NIL\r\n", STR_ARG(s->start->shared_prefix),
                   separator);
    else
        buf_puts(&s->out, S("NIL NIL\r\n"));
    imap_send(s);
    return RC_OK;
}
