/* CLOSE (RFC 9051 §6.4.1): expunges without telling, unless the mailbox was opened with EXAMINE, and
 * deselects. */
#include "imap/command.h"

enum rc imap_cmd_close(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    enum rc rc = imap_eol(lex);
    if (rc)
        return rc;
    if (!box_read_only(s->box)) {
        rc = box_expunge(s->box, NULL, false, &re->err);
        if (rc == RC_OK)
            imap_changed(s, str_c(s->box_name));
    }
    imap_box_close(s);
    return rc == RC_GONE ? RC_OK : rc; /* deleted meanwhile: it is closed all the same */
}
