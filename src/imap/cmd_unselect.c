/* UNSELECT (RFC 3691): deselects and expunges nothing. */
#include "imap/command.h"

enum rc imap_cmd_unselect(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    (void)re;
    enum rc rc = imap_eol(lex);
    if (rc == RC_OK)
        imap_box_close(s);
    return rc;
}
