/* CLOSE (RFC 9051 §6.4.1): expunges without telling, unless the mailbox was opened with EXAMINE or the right
 * to expunge is missing (RFC 4314 §4), and deselects. */
#include "imap/command.h"

enum rc imap_cmd_close(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    uint32_t expunged = 0;
    enum rc rc = imap_eol(lex);
    if (rc)
        return rc;
    if (!box_read_only(s->box) && (box_rights(s->box) & ACL_E))
        rc = imap_expunge(s, NULL, &expunged, &re->err);
    imap_box_close_expunged(s, expunged);
    return rc == RC_GONE ? RC_OK : rc; /* deleted meanwhile: it is closed all the same */
}
