/* EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9; RFC 4315 §2.1). The EXPUNGE responses are the
 * dispatcher's announcement of what changed. */
#include "imap/command.h"
#include "imap/mail_log.h"
#include "imap/message_limit.h"

/* RFC 9738 §3.1: what has no \Deleted does not count. */
static enum rc cut(const struct imap_session *s, struct uidset *uids, uid32 *ret_lowest, struct err *e)
{
    AUTO(uidset_deinit) struct uidset deleted = {0};
    enum rc rc = box_find_flags(s->box, uids, FLAG_DELETED, 0, false, &deleted, e);
    if (rc != RC_OK)
        return rc;
    *ret_lowest = message_limit_cut(s, &deleted);
    uidset_copy(uids, &deleted);
    return RC_OK;
}

enum rc imap_expunge(struct imap_session *s, const struct uidset *among, uint32_t *ret_count, struct err *e)
{
    AUTO(uidset_deinit) struct uidset deleted = {0};
    AUTO(mail_log_deinit) struct mail_log log;
    enum rc rc =
        box_find_flags(s->box, among ? among : box_view(s->box), FLAG_DELETED, 0, false, &deleted, e);
    imap_log_expunge(s, &log, &deleted);
    if (rc == RC_OK)
        rc = box_expunge(s->box, &deleted, false, e);
    if (rc != RC_OK)
        return rc;
    mail_log_tell(&log, "expunge");
    *ret_count = uidset_count(&deleted);
    s->done.expunged += *ret_count;
    imap_changed(s, str_c(s->box_name));
    return RC_OK;
}

/* expunge = "EXPUNGE"; uid-expunge = "UID" SP "EXPUNGE" SP sequence-set */
enum rc imap_cmd_expunge(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    AUTO(uidset_deinit) struct uidset uids = {0};
    uint32_t count;
    bool uid = s->command->flags & CMD_UID;
    enum rc rc = uid ? imap_sp(lex) : RC_OK;
    if (rc == RC_OK && uid)
        rc = imap_parse_set(s, lex, true, &uids);
    if (rc == RC_OK)
        rc = imap_eol(lex);
    if (rc != RC_OK)
        return rc;
    if (box_read_only(s->box)) {
        re->code = S("READ-ONLY");
        return err_set(&re->err, RC_PERM, 0, "", "The mailbox was opened read-only.");
    }
    re->expunged = true;
    uid32 lowest = 0;
    if (uid && message_limit_passed(s, uidset_count(&uids), false))
        rc = cut(s, &uids, &lowest, &re->err);
    if (rc == RC_OK)
        rc = imap_expunge(s, uid ? &uids : NULL, &count, &re->err);
    if (rc == RC_OK)
        message_limit_tell(s, lowest, re);
    return rc;
}
