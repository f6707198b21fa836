/* dotstream: the decoder. Whole lines are found with memchr and copied in one piece; single bytes are looked
 * at only where a line begins, and where the input was cut inside CRLF.
 *
 *   state     input   does
 *   BOL       "."     DOT (dot form only)          others: TEXT
 *   DOT       CR      DOT_CR                       others: the dot was stuffing, TEXT
 *   DOT_CR    LF      the end                      others: bare CR after stuffing, TEXT
 *   TEXT      ... CRLF to BOL; a CR that ends the input: CR; everything else is text
 *   CR        LF      line end, BOL                others: bare CR, TEXT */
#include "fmt/dotstream.h"

enum { BOL, DOT, DOT_CR, TEXT, CR };

void dotstream_init_dots(struct dotstream *d)
{
    *d = (struct dotstream){.state = BOL, .dots = true};
}

void dotstream_init_counted(struct dotstream *d)
{
    *d = (struct dotstream){.state = BOL};
}

void dotstream_init_binary(struct dotstream *d)
{
    *d = (struct dotstream){.state = BOL, .binary = true};
}

/* The line under way is complete. */
static void count_line(struct dotstream *d)
{
    d->lines++;
    if (d->line_bytes > d->longest_line)
        d->longest_line = d->line_bytes;
    d->line_bytes = 0;
    d->state = BOL;
}

static size_t put_text(struct dotstream *d, const char *p, size_t n, char *out)
{
    memcpy(out, p, n);
    d->line_bytes += n;
    return n;
}

/* Text up to the next line end or the end of input: returns the bytes taken, *out_n grows by those written.
 */
static size_t feed_text(struct dotstream *d, str in, char *out, size_t *out_n)
{
    const char *lf = memchr(in.p, '\n', in.n);
    size_t taken = lf ? (size_t)(lf - in.p) + 1 : in.n;
    size_t text = lf ? taken - 1 : taken;
    bool cr = text > 0 && in.p[text - 1] == '\r';
    if (cr)
        text--;
    if (memchr(in.p, '\r', text))
        d->bare_cr = true;
    *out_n += put_text(d, in.p, text, out + *out_n);
    if (lf) {
        out[(*out_n)++] = '\n';
        if (cr)
            count_line(d);
        else
            d->bare_lf = true;
    } else if (cr) {
        d->state = CR;
    }
    return taken;
}

/* A CR turned out not to begin a line end. */
static void put_bare_cr(struct dotstream *d, char *out, size_t *out_n)
{
    d->bare_cr = true;
    *out_n += put_text(d, "\r", 1, out + *out_n);
    d->state = TEXT;
}

/* The states in which one byte decides: returns the bytes taken, 0 or 1. */
static size_t feed_byte(struct dotstream *d, char c, char *out, size_t *out_n, bool *ret_end)
{
    switch (d->state) {
    case BOL:
        d->state = d->dots && c == '.' ? DOT : TEXT;
        return d->state == DOT;
    case DOT:
        d->state = c == '\r' ? DOT_CR : TEXT;
        return d->state == DOT_CR;
    case DOT_CR:
        if (c == '\n')
            *ret_end = true;
        else
            put_bare_cr(d, out, out_n);
        return *ret_end;
    default: /* CR */
        if (c == '\n') {
            out[(*out_n)++] = '\n';
            count_line(d);
            return 1;
        }
        put_bare_cr(d, out, out_n);
        return 0;
    }
}

size_t dotstream_feed(struct dotstream *d, str in, char *out, size_t *ret_out_n, bool *ret_end)
{
    size_t at = 0, out_n = 0;
    *ret_end = false;
    if (d->binary) {
        memcpy(out, in.p, in.n);
        at = out_n = in.n;
    }
    while (at < in.n && !*ret_end) {
        if (d->state == TEXT)
            at += feed_text(d, str_from(in, at), out, &out_n);
        else
            at += feed_byte(d, in.p[at], out, &out_n, ret_end);
    }
    d->content_bytes += out_n;
    *ret_out_n = out_n;
    return at;
}

size_t dotstream_finish(struct dotstream *d, char *out)
{
    size_t n = 0;
    must(!d->dots);
    if (d->state == CR)
        put_bare_cr(d, out, &n);
    if (d->state == TEXT) {
        out[n++] = '\n';
        count_line(d);
    }
    d->content_bytes += n;
    return n;
}
