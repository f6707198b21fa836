#include "role/command_impl.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

/* asctime(3), as every reader of mbox files knows it. */
static void put_from_line(const struct source *s, struct buf *out)
{
    char date[40];
    struct tm tm;
    time_t now = time(NULL);
    str sender = s->request->sender.n > 0 ? s->request->sender : s->null_sender;
    must(localtime_r(&now, &tm) && strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &tm) > 0);
    buf_puts(out, S("From "));
    for (size_t i = 0; i < sender.n; i++) /* a quoted local part may have blanks, which would end it */
        buf_putc(out, sender.p[i] == ' ' || sender.p[i] == '\t' ? '_' : sender.p[i]);
    buf_printf(out, "  %s\n", date);
}

static void put_head(const struct source *s, struct buf *out)
{
    const struct command_rcpt *r = s->rcpt;
    if (s->flags & SOURCE_FROM_LINE)
        put_from_line(s, out);
    if (s->flags & SOURCE_RETURN_PATH)
        buf_printf(out, "Return-Path: <" STR_FMT ">\n", STR_ARG(s->request->sender));
    if (s->flags & SOURCE_ORIGINAL)
        buf_printf(out, "X-Original-To: " STR_FMT "\n", STR_ARG(r->orig.n > 0 ? r->orig : r->address));
    if (s->flags & SOURCE_DELIVERED)
        buf_printf(out, "Delivered-To: " STR_FMT "\n", STR_ARG(r->address));
    buf_puts(out, s->request->trace);
}

/* What a line needs in front of it; all that decides it must be in rest. */
static void put_line_start(const struct source *s, str rest, struct buf *out)
{
    if (s->flags & SOURCE_QUOTE_FROM && str_starts(rest, S("From ")))
        buf_putc(out, '>');
    if (s->flags & SOURCE_DOTS && str_starts(rest, S(".")))
        buf_putc(out, '.');
}

/* Whole lines, and pieces of those that are longer than a read. */
static void put_lines(struct source *s, str text, struct buf *out)
{
    while (text.n > 0) {
        ptrdiff_t end = str_chr(text, '\n');
        size_t n = end < 0 ? text.n : (size_t)end + 1;
        if (!s->in_line)
            put_line_start(s, text, out);
        s->in_line = end < 0;
        buf_puts(out, str_sub(text, 0, n));
        text = str_from(text, n);
    }
}

/* Up to the last line end, so that the start of each line is seen as a whole. */
static size_t whole_lines(str text, bool last)
{
    ptrdiff_t end = str_rchr(text, '\n');
    return last || end < 0 ? text.n : (size_t)end + 1;
}

static enum rc put_content(struct source *s, struct buf *out)
{
    char room[SOURCE_READ];
    uint64_t left = s->request->size - s->at;
    size_t want = left < sizeof room ? (size_t)left : sizeof room, n = 0;
    while (n < want) {
        ssize_t got = pread(s->request->content_fd, room + n, want - n, (off_t)(s->at + n));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return RC_TEMP;
        n += (size_t)got;
    }
    size_t used = whole_lines(str_mem(room, n), n == left);
    put_lines(s, str_mem(room, used), out);
    s->at += used;
    return RC_OK;
}

static void put_end(struct source *s, struct buf *out)
{
    if (s->in_line)
        buf_putc(out, '\n');
    if (s->flags & SOURCE_BLANK_LINE)
        buf_putc(out, '\n');
    s->done = true;
}

enum rc source_next(struct source *s, struct buf *out)
{
    enum rc rc = RC_OK;
    buf_reset(out);
    if (!s->head_done)
        put_head(s, out);
    s->head_done = true;
    if (s->at < s->request->size)
        rc = put_content(s, out);
    if (rc == RC_OK && s->at == s->request->size && !s->done)
        put_end(s, out);
    return rc == RC_OK && out->overflow ? RC_TEMP : rc;
}
