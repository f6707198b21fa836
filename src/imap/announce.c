/* announce: the untagged responses that tell what changed in the selected mailbox, from one place, after the
 * command's own responses and before its tagged reply (RFC 9051 §5.2, §7.5.1). */
#include "imap/announce.h"

#include "imap/flags.h"
#include "imap/reply.h"

#include "base/log.h"

struct changes {
    struct imap_session *s;
    struct uidset flagged; /* messages whose flags are to be told */
};

static void tell_expunged(void *ctx, uint32_t seq, uid32 uid)
{
    struct changes *c = ctx;
    buf_printf(&c->s->out, "* %u EXPUNGE\r\n", seq);
    imap_send(c->s);
    uidset_del(&c->s->saved, uid, uid);
}

static void tell_exists(void *ctx, uint32_t count, uint32_t recent)
{
    struct changes *c = ctx;
    buf_printf(&c->s->out, "* %u EXISTS\r\n* %u RECENT\r\n", count, recent);
    imap_send(c->s);
}

static void note_flags(void *ctx, uint32_t seq, uid32 uid)
{
    struct changes *c = ctx;
    (void)seq;
    uidset_add(&c->flagged, uid, uid);
}

void imap_announce_keywords(struct imap_session *s)
{
    const str *names;
    bool fixed = box_read_only(s->box);
    buf_puts(&s->out, S("* FLAGS ("));
    imap_flags_put_all(&s->out, s->box);
    buf_puts(&s->out, S(")\r\n* OK [PERMANENTFLAGS ("));
    if (!fixed) {
        imap_flags_put_all(&s->out, s->box);
        if (box_keyword_room(s->box))
            buf_puts(&s->out, S(" \\*"));
    }
    buf_printf(&s->out, ")] %s\r\n", fixed ? "The mailbox is read-only." : "These flags are kept.");
    imap_send(s);
    s->keywords_told = box_keywords(s->box, &names);
}

/* The UID goes along always: RFC 9051 §6.4.9 wants it during UID commands, and clients take it at any time.
 */
static enum rc tell_flags(struct imap_session *s, const struct uidset *uids, struct err *e)
{
    struct box_query *q;
    struct box_msg msg;
    enum rc rc = box_query_open(s->box, uids, 0, &q, e);
    if (rc)
        return rc;
    while ((rc = box_query_next(q, &msg, e)) == RC_OK) {
        buf_printf(&s->out, "* %u FETCH (UID %u FLAGS ", msg.seq, msg.uid);
        imap_flags_put(&s->out, s->box, &msg);
        buf_puts(&s->out, S(")\r\n"));
        imap_send(s);
    }
    box_query_close(q);
    return rc == RC_GONE ? RC_OK : rc;
}

void imap_announce(struct imap_session *s, unsigned sync_flags)
{
    struct changes c = {.s = s};
    struct err e = {0};
    const str *names;
    uidset_init(&c.flagged);
    const struct box_events events = {
        .expunged = tell_expunged, .exists = tell_exists, .flags = note_flags, .ctx = &c};
    enum rc rc = box_sync(s->box, sync_flags, &events, &e);
    if (rc == RC_OK && box_keywords(s->box, &names) > s->keywords_told)
        imap_announce_keywords(s);
    if (rc == RC_OK && uidset_count(&c.flagged) > 0)
        rc = tell_flags(s, &c.flagged, &e);
    uidset_deinit(&c.flagged);
    if (rc == RC_GONE)
        imap_reply_bye(s, "The selected mailbox was deleted.");
    else if (rc)
        log_error("%s: %s", s->box_name, err_text(&e));
}
