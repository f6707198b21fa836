/* DELE, RSET, and the UPDATE state that QUIT enters (RFC 1939 §5, §6). */
#include "pop3/session.h"

#include "base/log.h"

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

/* What was retrieved and stays is read now, as IMAP shows it. A failure loses no mail: it is logged only. */
static void mark_seen(struct pop3_session *s)
{
    static const struct flag_change seen = {
        .op = FLAGS_ADD, .flags = FLAG_SEEN, .unchanged_since = UINT64_MAX};
    struct uidset uids;
    struct err e = {0};
    uidset_init(&uids);
    for (size_t i = 0; i < s->n; i++)
        if (s->messages[i].seen_now && !s->messages[i].deleted)
            uidset_add(&uids, s->messages[i].uid, s->messages[i].uid);
    if (uidset_count(&uids) > 0 && box_change_flags(s->box, &uids, &seen, true, NULL, &e) != RC_OK)
        log_warn("\\Seen: %s", err_text(&e));
    uidset_deinit(&uids);
}

static enum rc expunge(struct pop3_session *s, struct err *e)
{
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
    enum rc rc = n ? box_expunge(s->box, &uids, true, e) : RC_OK;
    uidset_deinit(&uids);
    if (rc == RC_OK) {
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
