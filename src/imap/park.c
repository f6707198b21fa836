/* park: see park.h. What is not in the record (fmt/parked.h) must not matter: no command is under way but
 * IDLE, nothing of the next one has come, nothing waits to be sent, both sides of the stream are as they are
 * on the wire, which compression is not, and the client did not ask for changes of its searches (RFC 5267),
 * or by NOTIFY, which is about other mailboxes as well. */
#include "imap/park.h"

#include "imap/command.h"
#include "imap/shared.h"

#include "base/log.h"
#include "fmt/parked.h"

enum {
    LINGER_MS = 1000, /* a client that was told of a change may ask for it at once */
    KNOWN_EXTENSIONS = IMAP_CONDSTORE | IMAP_QRESYNC | IMAP_UIDONLY | IMAP_REV2 | IMAP_UNTOLD | IMAP_UTF8
};

/* --- before --- */

bool imap_has_parked(const struct imap_session *s)
{
    return s->start->parked && s->start->parked->record.n > 0;
}

static bool may_park(const struct imap_session *s)
{
    return s->start->parked && !s->notify && !s->contexts && !shared_is_selected(s) &&
           !stream_is_deflated(s->io) && stream_buffered(s->io) == 0 && !imap_reader_within(&s->reader);
}

static bool put_record(const struct imap_session *s, msec deadline, bool idling, struct buf *out)
{
    const struct stream_traffic t = imap_traffic(s);
    struct parked p = {.deadline_ms = (uint64_t)deadline,
                       .enabled = s->enabled,
                       .bad_in_row = s->bad_in_row,
                       .traffic = {t.in, t.out, s->sent.headers, s->sent.header_bytes, s->sent.bodies,
                                   s->sent.body_bytes, s->done.deleted, s->done.expunged, s->done.trashed,
                                   s->done.appended},
                       .idling = idling,
                       .tag = s->tag,
                       .selected = s->box != NULL,
                       .mailbox = str_c(s->box_name),
                       .keywords_told = (uint32_t)s->keywords_told};
    uidset_copy(&p.saved, &s->saved);
    bool rests = !s->box || box_park(s->box, &p.view);
    if (rests)
        parked_put(out, &p);
    parked_deinit(&p);
    return rests && !out->overflow;
}

static bool park(struct imap_session *s, msec deadline, bool idling)
{
    struct imap_parked *p = s->start->parked;
    if (!may_park(s) || !put_record(s, deadline, idling, &p->record)) {
        buf_reset(&p->record);
        return false;
    }
    p->deadline = deadline;
    p->idling = idling;
    p->sign_ms = s->limits.keepalive_ms;
    imap_put_end(s, "Connection closed", &p->end);
    s->closing = s->lost = true;
    return true;
}

enum rc imap_await(struct imap_session *s, msec until, bool *ret_woken)
{
    const struct imap_start *start = s->start;
    bool idling = s->command != NULL;
    int wake_fd = idling || s->notify ? start->ops.wake_fd : -1;
    msec now = clock_mono(), patience = start->park_ms;
    if (s->unasked && patience > LINGER_MS)
        patience = LINGER_MS;
    enum rc rc = RC_TEMP;
    if (may_park(s) && patience < until - now) {
        stream_set_deadline(s->io, now + patience);
        rc = stream_wait(s->io, wake_fd, ret_woken);
        if (rc == RC_TEMP && park(s, idling ? s->idle_end : until, idling))
            return RC_GONE;
    }
    stream_set_deadline(s->io, until); /* also for the output of what has come */
    return rc == RC_TEMP ? stream_wait(s->io, wake_fd, ret_woken) : rc;
}

/* --- afterwards --- */

static bool resume_box(struct imap_session *s, const struct parked *p)
{
    struct err e = {0};
    enum rc rc = box_resume(s->store, p->mailbox, &p->view, &s->box, &e);
    if (rc == RC_OK) {
        s->box_name = str_dup(p->mailbox);
        s->keywords_told = p->keywords_told;
        uidset_copy(&s->saved, &p->saved);
        return true;
    }
    if (rc != RC_GONE) {
        log_error(STR_FMT ": %s", STR_ARG(p->mailbox), err_text(&e));
        s->status = 1;
    }
    imap_reply_bye(s, rc == RC_GONE ? "The selected mailbox was deleted." : "The mailbox cannot be opened.");
    return false;
}

static void take_counts(struct imap_session *s, const uint64_t *t)
{
    s->earlier = (struct stream_traffic){.in = t[0], .out = t[1]};
    s->sent = (struct imap_sent){t[2], t[3], t[4], t[5]};
    s->done = (struct imap_done){t[6], t[7], t[8], t[9]};
}

static void go_on(struct imap_session *s, const struct parked *p)
{
    msec deadline = (msec)p->deadline_ms;
    s->enabled = p->enabled & KNOWN_EXTENSIONS;
    s->bad_in_row = p->bad_in_row;
    take_counts(s, p->traffic);
    stream_set_deadline(s->io, clock_mono() + s->limits.idle_ms);
    if (p->selected && !resume_box(s, p))
        return;
    if (p->idling) {
        s->unasked = true;
        s->idle_end = deadline;
        imap_command_resume_idle(s, p->tag);
    } else if (clock_mono() >= deadline && !stream_readable(s->io)) {
        imap_reply_bye(s, "Disconnected for inactivity.");
    }
}

void imap_resume(struct imap_session *s)
{
    struct parked p;
    if (parked_parse(s->start->resume, &p) == RC_OK) {
        go_on(s, &p);
    } else {
        log_error("the record of the parked session is malformed");
        s->status = 1;
        imap_reply_bye(s, "The session cannot go on.");
    }
    parked_deinit(&p);
}
