/* DELE, RSET, and the UPDATE state that QUIT enters (RFC 1939 §5, §6). */
#include "pop3/session.h"

#include "base/log.h"
#include "store/mail_log.h"

void pop3_cmd_dele(struct pop3_session *s, const struct pop3_cmd *cmd)
{
    struct pop3_message *m = pop3_find(s, cmd->number);
    if (!m)
        return;
    m->deleted = true;
    stream_write(s->io, S("+OK Marked to be deleted.\r\n"));
}

void pop3_cmd_rset(struct pop3_session *s, const struct pop3_cmd *cmd)
{
    for (size_t i = 0; i < s->n; i++)
        s->messages[i].deleted = false;
    stream_write(s->io, S("+OK\r\n"));
}

static void note(struct pop3_session *s, enum mail_log_event event, const struct uidset *uids,
                 struct mail_log *ret)
{
    mail_log_init(ret, &s->start->mail_log);
    if (s->start->mail_log.events & event && uids->n > 0)
        mail_log_note(ret, s->box, S("INBOX"), uids);
}

/* What was retrieved and stays is read now, as IMAP shows it. A failure loses no mail: it is logged only. */
static void mark_seen(struct pop3_session *s)
{
    static const struct flag_change seen = {
        .op = FLAGS_ADD, .flags = FLAG_SEEN, .unchanged_since = UINT64_MAX};
    AUTO(mail_log_deinit) struct mail_log log;
    AUTO(uidset_deinit) struct uidset read = {0}, uids = {0};
    struct err e = {0};
    for (size_t i = 0; i < s->n; i++)
        if (s->messages[i].seen_now && !s->messages[i].deleted)
            uidset_add(&read, s->messages[i].uid, s->messages[i].uid);
    enum rc rc = read.n > 0 ? box_find_flags(s->box, &read, FLAG_SEEN, 0, true, &uids, &e) : RC_OK;
    if (rc == RC_OK && uids.n > 0)
        rc = box_change_flags(s->box, &uids, &seen, true, NULL, &e);
    if (rc != RC_OK)
        log_warn("\\Seen: %s", err_text(&e));
    note(s, MAIL_LOG_FLAG_CHANGE, &uids, &log);
    if (rc == RC_OK)
        mail_log_tell(&log, "flag_change");
}

static enum rc expunge(struct pop3_session *s, struct err *e)
{
    AUTO(mail_log_deinit) struct mail_log log;
    struct uidset uids;
    uint64_t bytes = 0;
    uidset_init(&uids);
    for (size_t i = 0; i < s->n; i++) {
        if (!s->messages[i].deleted)
            continue;
        uidset_add(&uids, s->messages[i].uid, s->messages[i].uid);
        bytes += s->messages[i].size;
    }
    size_t n = uidset_count(&uids);
    note(s, MAIL_LOG_EXPUNGE, &uids, &log);
    enum rc rc = n ? box_expunge(s->box, &uids, true, e) : RC_OK;
    uidset_deinit(&uids);
    if (rc == RC_OK) {
        mail_log_tell(&log, "expunge");
        s->expunged = n;
        s->expunged_bytes = bytes;
    }
    return rc;
}

void pop3_cmd_quit(struct pop3_session *s, const struct pop3_cmd *cmd)
{
    struct err e = {0};
    s->closing = "Logged out";
    mark_seen(s);
    if (expunge(s, &e) == RC_OK) {
        stream_printf(s->io, "+OK Logging out, %zu messages deleted.\r\n", s->expunged);
        return;
    }
    log_error("expunge: %s", err_text(&e));
    stream_write(s->io, S("-ERR [SYS/TEMP] Some messages were not deleted.\r\n"));
    s->status = 1;
}
