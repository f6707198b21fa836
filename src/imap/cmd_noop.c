/* NOOP (RFC 9051 §6.1.2) and CHECK (RFC 3501 §6.4.1): the announcements after them are their use. */
#include "imap/command.h"

enum rc imap_cmd_noop(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    (void)s;
    (void)re;
    return imap_eol(lex);
}
