/* IDLE (RFC 2177): tells changes as they happen until DONE. A line every few minutes keeps address
 * translators from forgetting the connection, and finds clients that are gone. */
#include "imap/announce.h"
#include "imap/command.h"
#include "imap/notify.h"
#include "imap/park.h"

/* RC_OK: input of the client. RC_TEMP: something may have changed, or a while has passed. RC_GONE: the end.
 */
static enum rc wait_for_input(struct imap_session *s)
{
    const struct imap_ops *ops = &s->start->ops;
    bool woken = false;
    msec now = clock_mono(), end = s->idle_end;
    if (now >= end) {
        imap_reply_bye(s, "Disconnected for inactivity.");
        s->lost = true;
        return RC_GONE;
    }
    msec until = now + s->limits.keepalive_ms;
    stream_set_deadline(s->io, until < end ? until : end);
    bool sent = stream_flush(s->io) == RC_OK;
    enum rc rc = sent ? imap_await(s, until < end ? until : end, &woken) : RC_GONE;
    if (rc == RC_TEMP) {
        if (until < end)
            stream_write(s->io, S(IMAP_SIGN_OF_LIFE));
        return RC_TEMP;
    }
    if (rc) {
        s->closing = s->lost = true;
        return RC_GONE;
    }
    if (!woken)
        return RC_OK;
    if (ops->wake_clear)
        ops->wake_clear(ops->ctx);
    return RC_TEMP;
}

static enum rc read_done(struct imap_session *s, struct imap_lex *lex)
{
    enum imap_event ev;
    enum rc rc = imap_read_event(s, &ev);
    if (rc)
        return rc;
    imap_lex_init(lex, buf_str(&s->reader.text), s->arena);
    if (ev != IMAP_READ_COMMAND || !imap_take_word(lex, S("DONE")))
        return imap_expect(lex, "DONE");
    return imap_eol(lex);
}

enum rc imap_idle_go_on(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    enum rc rc;
    (void)re;
    do {
        if (s->box && !s->closing)
            imap_announce(s, 0);
        if (!s->closing)
            notify_look(s, STR_NONE, STR_NONE); /* RFC 5465 §4 */
        imap_bye_if_stale(s);
        if (s->closing) { /* the mailbox is gone: BYE was said */
            s->lost = true;
            return RC_GONE;
        }
        rc = wait_for_input(s);
    } while (rc == RC_TEMP);
    return rc ? rc : read_done(s, lex);
}

enum rc imap_cmd_idle(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    enum rc rc = imap_eol(lex);
    if (rc == RC_OK)
        rc = imap_reply_continue(s, "idling");
    if (rc)
        return rc;
    s->idle_end = clock_mono() + s->limits.idle_ms;
    return imap_idle_go_on(s, lex, re);
}
