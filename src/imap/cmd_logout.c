/* LOGOUT (RFC 9051 §6.1.3). */
#include "imap/command.h"

enum rc imap_cmd_logout(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    (void)re;
    enum rc rc = imap_eol(lex);
    if (rc == RC_OK)
        imap_reply_bye(s, "Logging out.");
    return rc;
}
