/* DELETE (RFC 9051 §6.3.5). A selected mailbox is closed first, as there is no view of what is gone. */
#include "imap/command.h"
#include "imap/mail_log.h"

#include "base/log.h"

enum rc imap_cmd_delete(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    str name;
    enum rc rc;
    if ((rc = imap_sp(lex)) || (rc = imap_mailbox(lex, &name)) || (rc = imap_eol(lex)))
        return rc;
    bool selected = s->box && str_eq(name, str_c(s->box_name)) && !str_eq(name, S("INBOX"));
    if (selected) {
        imap_box_close(s);
        imap_reply_untagged(s, "OK", "CLOSED", "The mailbox to be deleted is closed.");
    }
    rc = store_delete(s->store, name, &re->err);
    if (rc != RC_OK)
        return rc;
    if (imap_logs(s, MAIL_LOG_MAILBOX_DELETE))
        log_info("Mailbox deleted: " STR_FMT, STR_ARG(name));
    imap_changed(s, name);
    imap_names_changed(s, name, STR_NONE);
    return RC_OK;
}
