/* announce: the untagged responses that tell what changed in the selected mailbox, from one place, after the
 * command's own responses and before its tagged reply (RFC 9051 §5.2, §7.5.1). */
#include "imap/announce.h"

#include "imap/context.h"
#include "imap/flags.h"
#include "imap/notify.h"
#include "imap/reply.h"

#include "base/log.h"

enum {
    OUT_SEND_AT = 16 * 1024,
    VANISHED_RANGES = 300 /* in one line: clients take lines of 8,000 bytes (RFC 7162 §4) */
};

struct changes {
    struct imap_session *s;
    struct uidset flagged;  /* messages whose flags are to be told */
    struct uidset vanished; /* QRESYNC: expunged, to be told in one response */
};

void imap_announce_vanished(struct imap_session *s, const struct uidset *uids, bool earlier)
{
    for (size_t i = 0; i < uids->n; i += VANISHED_RANGES) {
        size_t n = uids->n - i < VANISHED_RANGES ? uids->n - i : VANISHED_RANGES;
        const struct uidset part = {.r = uids->r + i, .n = n};
        buf_puts(&s->out, earlier ? S("* VANISHED (EARLIER) ") : S("* VANISHED "));
        uidset_format(&part, &s->out);
        buf_puts(&s->out, S("\r\n"));
        imap_send(s);
    }
}

static void tell_expunged(void *ctx, uint32_t seq, uid32 uid)
{
    struct changes *c = ctx;
    bool vanishes = c->s->enabled & (IMAP_QRESYNC | IMAP_UIDONLY);
    uidset_del(&c->s->saved, uid, uid);
    /* numbers of those that vanish stay until all are told */
    context_expunged(c->s, vanishes ? seq + uidset_count(&c->vanished) : seq, uid);
    if (vanishes) {
        uidset_add(&c->vanished, uid, uid);
        return;
    }
    buf_printf(&c->s->out, "* %u EXPUNGE\r\n", seq);
    imap_send(c->s);
}

static void tell_vanished(struct changes *c)
{
    imap_announce_vanished(c->s, &c->vanished, false);
    uidset_clear(&c->vanished);
}

void imap_announce_counts(struct imap_session *s, uint32_t count, uint32_t recent)
{
    buf_printf(&s->out, "* %u EXISTS\r\n", count);
    if (!(s->enabled & IMAP_REV2))
        buf_printf(&s->out, "* %u RECENT\r\n", recent);
}

static void tell_exists(void *ctx, uint32_t count, uint32_t recent)
{
    struct changes *c = ctx;
    tell_vanished(c);
    imap_announce_counts(c->s, count, recent);
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
    imap_flags_put_all(&s->out, s->box, ACL_ALL_RIGHTS);
    buf_puts(&s->out, S(")\r\n* OK [PERMANENTFLAGS ("));
    if (!fixed) {
        unsigned rights = box_rights(s->box);
        imap_flags_put_all(&s->out, s->box, rights);
        if ((rights & ACL_W) && box_keyword_room(s->box))
            buf_puts(&s->out, S(" \\*"));
    }
    buf_printf(&s->out, ")] %s\r\n", fixed ? "The mailbox is read-only." : "These flags are kept.");
    imap_send(s);
    s->keywords_told = box_keywords(s->box, &names);
}

void imap_announce_begin(struct imap_session *s, const struct box_msg *msg)
{
    bool uid_only = s->enabled & IMAP_UIDONLY;
    buf_puts(&s->out, S("* "));
    buf_put_u64(&s->out, uid_only ? msg->uid : msg->seq);
    buf_puts(&s->out, uid_only ? S(" UIDFETCH ") : S(" FETCH "));
}

static void put_message(struct imap_session *s, const struct box_msg *msg, unsigned what)
{
    struct buf *out = &s->out;
    if (s->enabled & IMAP_UIDONLY)
        what &= ~(unsigned)TOLD_UID;
    imap_announce_begin(s, msg);
    buf_putc(out, '(');
    if (what & TOLD_UID) {
        buf_puts(out, S("UID "));
        buf_put_u64(out, msg->uid);
    }
    if (what & TOLD_FLAGS) {
        buf_puts(out, what & TOLD_UID ? S(" FLAGS ") : S("FLAGS "));
        imap_flags_put(s, msg);
    }
    if (what & TOLD_MODSEQ) {
        buf_puts(out, what & (TOLD_UID | TOLD_FLAGS) ? S(" MODSEQ (") : S("MODSEQ ("));
        buf_put_u64(out, msg->modseq);
        buf_putc(out, ')');
    }
    buf_puts(out, S(")\r\n"));
    if (out->n > OUT_SEND_AT)
        imap_send(s);
}

enum rc imap_announce_messages(struct imap_session *s, const struct uidset *uids, unsigned what,
                               struct err *e)
{
    struct box_query *q;
    struct box_msg msg;
    enum rc rc = box_query_open(s->box, uids, 0, &q, e);
    if (rc)
        return rc;
    while ((rc = box_query_next(q, &msg, e)) == RC_OK)
        put_message(s, &msg, what);
    box_query_close(q);
    imap_send(s);
    return rc == RC_GONE ? RC_OK : rc;
}

/* The UID goes along always: RFC 9051 §6.4.9 wants it during UID commands, RFC 7162 §3.2.4 with QRESYNC, and
 * clients take it at any time. */
static enum rc tell_flags(struct imap_session *s, const struct uidset *uids, struct err *e)
{
    unsigned what = TOLD_UID | TOLD_FLAGS | (s->enabled & IMAP_CONDSTORE ? TOLD_MODSEQ : 0);
    return imap_announce_messages(s, uids, what, e);
}

void imap_announce(struct imap_session *s, unsigned sync_flags)
{
    struct changes c = {.s = s};
    AUTO(fetch_wishes_deinit) struct fetch_wishes of_new = {0};
    struct err e = {0};
    const str *names;
    unsigned told = notify_of_selected(s);
    uid32 last = uidset_max(box_view(s->box));
    if (!(told & NOTIFY_MESSAGES))
        return;
    const struct box_events events = {
        .expunged = tell_expunged, .exists = tell_exists, .flags = note_flags, .ctx = &c};
    enum rc rc = box_sync(s->box, sync_flags, &events, &e);
    tell_vanished(&c);
    if (rc == RC_OK && box_keywords(s->box, &names) > s->keywords_told)
        imap_announce_keywords(s);
    if (rc == RC_OK) {
        notify_of_new(s, last, &of_new);
        rc = context_look(s, &c.flagged, last, &of_new, &e);
    }
    if (rc == RC_OK)
        rc = fetch_grant(s, &of_new, &e);
    if (rc == RC_OK && uidset_count(&c.flagged) > 0 && (told & NOTIFY_FLAGS))
        rc = tell_flags(s, &c.flagged, &e);
    if (rc == RC_OK)
        context_tell(s);
    uidset_deinit(&c.flagged);
    uidset_deinit(&c.vanished);
    if (rc == RC_GONE)
        imap_reply_bye(s, "The selected mailbox was deleted.");
    else if (rc)
        log_error("%s: %s", s->box_name, err_text(&e));
}
