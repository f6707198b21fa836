/* SELECT and EXAMINE (RFC 9051 §6.3.2, §6.3.3; RFC 3501 §6.3.1 for RECENT and UNSEEN), with the parameters
 * CONDSTORE and QRESYNC (RFC 7162 §3.1.8, §3.2.5). */
#include "imap/announce.h"
#include "imap/command.h"
#include "imap/list.h"
#include "imap/resync.h"

/* The responses that RFC 3501 §6.3.1 requires, in its order, and LIST for IMAP4rev2, which has no UNSEEN. */
static void tell_mailbox(struct imap_session *s)
{
    const struct store_status *st = box_status(s->box);
    imap_announce_keywords(s);
    imap_announce_counts(s, st->messages, st->recent);
    uint32_t unseen = s->enabled & (IMAP_REV2 | IMAP_UIDONLY) ? 0 : box_first_unseen(s->box);
    if (unseen > 0)
        buf_printf(&s->out, "* OK [UNSEEN %u] The first unseen message.\r\n", unseen);
    buf_printf(&s->out, "* OK [UIDVALIDITY %u] UIDs are valid.\r\n* OK [UIDNEXT %u] The next UID.\r\n",
               st->uidvalidity, st->uidnext);
    buf_printf(&s->out, "* OK [MAILBOXID (%s)] Its id.\r\n", st->id);
    imap_highestmodseq_put(s);
    if (s->enabled & IMAP_REV2) { /* RFC 9051 §6.3.2 */
        list_put(s, "LIST", STR_NONE, str_c(s->box_name));
        buf_puts(&s->out, S("\r\n"));
    }
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

/* select = "SELECT" SP mailbox [select-params] */
static enum rc parse(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re, str *ret_name,
                     struct imap_select_params *ret)
{
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_mailbox(lex, ret_name);
    if (rc == RC_OK)
        rc = imap_select_params(lex, ret);
    if (rc == RC_OK)
        rc = imap_eol(lex);
    if (rc == RC_OK && ret->qresync && !(s->enabled & IMAP_QRESYNC)) /* RFC 7162 §3.2.5 */
        return err_set(&re->err, RC_INVALID, 0, "", "ENABLE QRESYNC comes first.");
    if (rc == RC_OK && ret->match_seqs.n && (s->enabled & IMAP_UIDONLY)) { /* RFC 9586 §3.6 */
        re->code = S("UIDREQUIRED");
        return err_set(&re->err, RC_INVALID, 0, "", "No message sequence match data with UIDONLY.");
    }
    return rc;
}

static enum rc select_mailbox(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re,
                              bool read_only)
{
    str name;
    struct imap_select_params params;
    enum rc rc = parse(s, lex, re, &name, &params);
    if (rc != RC_OK)
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
    if (params.condstore)
        s->enabled |= IMAP_CONDSTORE;
    tell_mailbox(s);
    if (params.qresync && (rc = imap_resync(s, &params, &re->err))) {
        imap_box_close(s);
        return rc;
    }
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
