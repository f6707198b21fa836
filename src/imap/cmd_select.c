/* SELECT and EXAMINE (RFC 9051 §6.3.2, §6.3.3; RFC 3501 §6.3.1 for RECENT and UNSEEN). */
#include "imap/announce.h"
#include "imap/command.h"

/* The responses that RFC 3501 §6.3.1 requires, in its order. */
static void tell_mailbox(struct imap_session *s)
{
    const struct store_status *st = box_status(s->box);
    imap_announce_keywords(s);
    buf_printf(&s->out, "* %u EXISTS\r\n* %u RECENT\r\n", st->messages, st->recent);
    uint32_t unseen = box_first_unseen(s->box);
    if (unseen > 0)
        buf_printf(&s->out, "* OK [UNSEEN %u] The first unseen message.\r\n", unseen);
    buf_printf(&s->out, "* OK [UIDVALIDITY %u] UIDs are valid.\r\n* OK [UIDNEXT %u] The next UID.\r\n",
               st->uidvalidity, st->uidnext);
    imap_send(s);
}

static void watch(struct imap_session *s)
{
    int fds[2];
    if (!s->start->ops.watch)
        return;
    box_watch_fds(s->box, fds);
    s->start->ops.watch(s->start->ops.ctx, str_c(s->box_name), fds);
}

static enum rc select_mailbox(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re,
                              bool read_only)
{
    str name;
    enum rc rc;
    if ((rc = imap_sp(lex)) || (rc = imap_mailbox(lex, &name)) || (rc = imap_eol(lex)))
        return rc;
    if (s->box) { /* deselected even when the new one cannot be opened: RFC 9051 §6.3.2 */
        imap_box_close(s);
        imap_reply_untagged(s, "OK", "CLOSED", "The previous mailbox is closed.");
    }
    rc = box_open(s->store, name, read_only, &s->box, &re->err);
    if (rc)
        return rc;
    s->box_name = str_dup(name);
    watch(s);
    tell_mailbox(s);
    re->code = box_read_only(s->box) ? S("READ-ONLY") : S("READ-WRITE");
    return RC_OK;
}

enum rc imap_cmd_select(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    return select_mailbox(s, lex, re, false);
}

enum rc imap_cmd_examine(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    return select_mailbox(s, lex, re, true);
}
