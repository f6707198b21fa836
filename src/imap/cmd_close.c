/* CLOSE (RFC 9051 §6.4.1): expunges without telling, unless the mailbox was opened with EXAMINE, and
 * deselects. */
#include "imap/command.h"

static enum rc expunge(struct imap_session *s, uint32_t *ret_count, struct err *e)
{
    AUTO(uidset_deinit) struct uidset deleted = {0};
    enum rc rc = box_find_flags(s->box, box_view(s->box), FLAG_DELETED, 0, false, &deleted, e);
    if (rc == RC_OK)
        rc = box_expunge(s->box, &deleted, false, e);
    if (rc != RC_OK)
        return rc;
    *ret_count = uidset_count(&deleted);
    imap_changed(s, str_c(s->box_name));
    return RC_OK;
}

enum rc imap_cmd_close(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    uint32_t expunged = 0;
    enum rc rc = imap_eol(lex);
    if (rc)
        return rc;
    if (!box_read_only(s->box))
        rc = expunge(s, &expunged, &re->err);
    imap_box_close_expunged(s, expunged);
    return rc == RC_GONE ? RC_OK : rc; /* deleted meanwhile: it is closed all the same */
}
