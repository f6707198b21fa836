/* progress: see progress.h. A command may have several parts with goals of their own, SORT one for its
 * search; a client would take the second for the first going backwards, so from then on no numbers are told.
 * Nothing waits for a client that does not read: a copy goes on under the lock of a mailbox. */
#include "imap/progress.h"

void imap_progress_begin(struct imap_session *s)
{
    s->progress.next = clock_mono() + s->limits.progress_ms;
    s->progress.done = s->progress.goal = 0;
    s->progress.vague = false;
}

/* inprogress-response-code = "INPROGRESS" SP "(" inprogress-tag SP inprogress-state ")"; a tag with "]" would
 * end the code early */
static void put(struct imap_session *s, uint32_t done, uint32_t goal)
{
    buf_puts(&s->out, S("* OK [INPROGRESS ("));
    if (str_chr(s->tag, ']') >= 0)
        buf_puts(&s->out, S("NIL"));
    else
        buf_printf(&s->out, "\"" STR_FMT "\"", STR_ARG(s->tag));
    if (s->progress.vague)
        buf_puts(&s->out, S(" NIL NIL"));
    else
        buf_printf(&s->out, " %u %u", done, goal);
    buf_puts(&s->out, S(")] Still working.\r\n"));
    imap_send(s);
}

enum rc imap_progress(struct imap_session *s, uint32_t done, uint32_t goal)
{
    msec now = clock_mono();
    if (!s->command || now < s->progress.next || done >= goal || !stream_writable(s->io))
        return RC_OK;
    s->progress.next = now + s->limits.progress_ms;
    s->progress.vague |= s->progress.goal != 0 && (s->progress.goal != goal || done < s->progress.done);
    s->progress.done = done;
    s->progress.goal = goal;
    put(s, done, goal);
    stream_set_deadline(s->io, now + s->limits.idle_ms);
    if (stream_flush(s->io) == RC_OK)
        return RC_OK;
    s->closing = s->lost = true;
    return RC_TEMP;
}
