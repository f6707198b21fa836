/* UNAUTHENTICATE (RFC 8437): this session ends, and with its process all that it knew and could do; the
 * connection goes on where it was before log-in. NO is not permitted, so what cannot be undone closes the
 * connection: a client's DEFLATE may end anywhere in the bytes that follow the command. */
#include "imap/command.h"

enum rc imap_cmd_unauthenticate(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    if (!s->start->ops.give_back)
        return err_set(&re->err, RC_INVALID, 0, "", "This connection cannot be used again.");
    enum rc rc = imap_eol(lex);
    if (rc != RC_OK)
        return rc;
    imap_box_close(s);
    if (stream_is_deflated(s->io)) {
        imap_reply_bye(s, "A compressed connection cannot be used again.");
        return RC_OK;
    }
    s->closing = s->unauthenticated = true;
    return RC_OK;
}
