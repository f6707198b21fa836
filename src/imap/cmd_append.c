/* APPEND (RFC 9051 §6.3.12, RFC 3502 MULTIAPPEND), REPLACE and UID REPLACE (RFC 8508), with APPENDUID (RFC
 * 4315 §3). All messages of an APPEND are there or none; what REPLACE replaces goes with the same change that
 * brings the other. */
#include "imap/append_message.h"
#include "imap/command.h"
#include "imap/mail_log.h"
#include "imap/message_limit.h"
#include "imap/notify.h"

/* The messages follow the mailbox. Bad arguments are gathered like any command, unless this is the place of
 * content: then they are refused there. */
static bool messages_stream(struct imap_lex *lex)
{
    str mailbox;
    return imap_sp(lex) == RC_OK && imap_mailbox(lex, &mailbox) == RC_OK && imap_sp(lex) == RC_OK &&
           append_message_streams(lex->text);
}

bool imap_append_streams(struct imap_lex lex)
{
    return messages_stream(&lex);
}

bool imap_replace_streams(struct imap_lex lex)
{
    str number;
    return imap_sp(&lex) == RC_OK && imap_set_text(&lex, &number) == RC_OK && messages_stream(&lex);
}

static enum rc begin(struct imap_session *s, str mailbox, struct append **ret, struct imap_reply *re)
{
    enum rc rc = append_begin(s->store, mailbox, ret, &re->err);
    if (rc == RC_GONE)
        re->code = S("TRYCREATE"); /* RFC 9051 §6.3.12 */
    return rc;
}

/* "APPENDUID 38505 3955" or "APPENDUID 38505 3955:3957" */
static str appenduid(struct arena *a, const struct append_result *r)
{
    return r->first == r->last ? arena_printf(a, "APPENDUID %u %u", r->uidvalidity, r->first)
                               : arena_printf(a, "APPENDUID %u %u:%u", r->uidvalidity, r->first, r->last);
}

static enum rc commit(struct imap_session *s, str mailbox, struct append **ap, str *ret_code,
                      struct imap_reply *re)
{
    AUTO(uidset_deinit) struct uidset uids = {0};
    struct append_result result;
    enum rc rc = append_commit(ap, &result, &re->err);
    if (rc != RC_OK)
        return rc;
    *ret_code = appenduid(s->arena, &result);
    uidset_add(&uids, result.first, result.last);
    s->done.appended += uidset_count(&uids);
    imap_log_new(s, MAIL_LOG_SAVE, "save", mailbox, &uids);
    notify_own_messages(s, mailbox, &uids);
    imap_changed(s, mailbox);
    return RC_OK;
}

static enum rc mailbox_take(struct imap_lex *lex, str *ret)
{
    enum rc rc = imap_sp(lex);
    return rc == RC_OK ? imap_mailbox(lex, ret) : rc;
}

static bool is_complete(struct imap_lex lex)
{
    return imap_eol(&lex) == RC_OK;
}

/* append = "APPEND" SP mailbox 1*append-message */
enum rc imap_cmd_append(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct append *ap = NULL;
    str mailbox;
    enum rc rc = mailbox_take(lex, &mailbox);
    if (rc == RC_OK)
        rc = begin(s, mailbox, &ap, re);
    if (rc == RC_OK)
        rc = append_message_take(s, lex, ap, re);
    for (uint64_t n = 2; rc == RC_OK && !is_complete(*lex); n++)
        rc = message_limit_passed(s, n, true) ? message_limit_refuse(s, 0, re)
                                              : append_message_take(s, lex, ap, re);
    if (rc == RC_OK)
        return commit(s, mailbox, &ap, &re->code, re);
    append_abort(&ap);
    return rc;
}

/* seq-number / uniqueid: one message of the view */
static enum rc number_take(struct imap_session *s, struct imap_lex *lex, uid32 *ret)
{
    AUTO(uidset_deinit) struct uidset uids = {0};
    enum rc rc = imap_sp(lex);
    str text = imap_rest(lex);
    if (rc == RC_OK)
        rc = imap_parse_set(s, lex, s->command->flags & CMD_UID, &uids);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < text.n && text.p[i] != ' '; i++)
        if (!ascii_digit(text.p[i]) && text.p[i] != '*')
            return imap_expect(lex, "the number of one message");
    *ret = uidset_max(&uids);
    return RC_OK;
}

static enum rc refuse_replace(const struct imap_session *s, uid32 uid, struct imap_reply *re)
{
    if (uid == 0) {
        re->code = S("NONEXISTENT");
        return err_set(&re->err, RC_PERM, 0, "", "There is no message with that UID.");
    }
    if (!box_read_only(s->box))
        return RC_OK;
    re->code = S("READ-ONLY");
    return err_set(&re->err, RC_PERM, 0, "", "The mailbox was opened read-only.");
}

static enum rc replace_begin(struct imap_session *s, str mailbox, uid32 uid, struct append **ret,
                             struct imap_reply *re)
{
    enum rc rc = begin(s, mailbox, ret, re);
    if (rc != RC_OK)
        return rc;
    rc = append_replace(*ret, s->box, uid, &re->err);
    if (rc == RC_GONE)
        re->code = S("EXPUNGEISSUED"); /* RFC 5530 §3 */
    return rc;
}

/* replace = "REPLACE" SP seq-number SP mailbox append-message */
enum rc imap_cmd_replace(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    AUTO(uidset_deinit) struct uidset replaced = {0};
    AUTO(mail_log_deinit) struct mail_log log;
    struct append *ap = NULL;
    str mailbox, code;
    uid32 uid = 0;
    enum rc rc = number_take(s, lex, &uid);
    if (rc == RC_OK)
        rc = mailbox_take(lex, &mailbox);
    if (rc == RC_OK)
        rc = refuse_replace(s, uid, re);
    if (rc == RC_OK)
        rc = replace_begin(s, mailbox, uid, &ap, re);
    if (rc == RC_OK)
        rc = append_message_take(s, lex, ap, re);
    if (rc == RC_OK)
        rc = imap_eol(lex);
    if (rc == RC_OK)
        uidset_add(&replaced, uid, uid);
    imap_log_expunge(s, &log, &replaced);
    if (rc == RC_OK)
        rc = commit(s, mailbox, &ap, &code, re);
    append_abort(&ap);
    if (rc != RC_OK)
        return rc;
    mail_log_tell(&log, "expunge");
    imap_reply_untagged(s, "OK", code.p, "The replacement is there."); /* before the EXPUNGE: RFC 8508 §4.3 */
    imap_changed(s, str_c(s->box_name));
    s->done.expunged++;
    re->expunged = true;
    return RC_OK;
}
