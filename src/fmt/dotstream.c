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

/* Text and line ends, up to where a byte has to be looked at by itself: returns the bytes taken, *out_n grows
 * by those written. */
static size_t feed_text(struct dotstream *d, str in, char *out, size_t *out_n)
{
    const char *p = in.p, *const end = in.p + in.n;
    char *to = out + *out_n;
    while (p < end && (d->state == TEXT || (d->state == BOL && !(d->dots && *p == '.')))) {
        const char *lf = memchr(p, '\n', (size_t)(end - p)), *stop = lf ? lf : end;
        bool cr = stop > p && stop[-1] == '\r';
        size_t text = (size_t)(stop - p) - cr;
        d->bare_cr |= memchr(p, '\r', text) != NULL;
        d->bare_lf |= lf && !cr;
        memcpy(to, p, text);
        to += text;
        if (lf)
            *to++ = '\n';
        d->lines += lf && cr;
        d->state = !cr ? TEXT : lf ? BOL : CR;
        p = lf ? lf + 1 : end;
    }
    *out_n = (size_t)(to - out);
    return (size_t)(p - in.p);
}

/* A CR turned out not to begin a line end. */
static void put_bare_cr(struct dotstream *d, char *out, size_t *out_n)
{
    d->bare_cr = true;
    out[(*out_n)++] = '\r';
    d->state = TEXT;
}

/* The states in which one byte decides: returns the bytes taken, 0 or 1. */
static size_t feed_byte(struct dotstream *d, char c, char *out, size_t *out_n, bool *ret_end)
{
    switch (d->state) {
    case BOL: /* a dot */
        d->state = DOT;
        return 1;
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
            d->lines++;
            d->state = BOL;
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
        at += feed_text(d, str_from(in, at), out, &out_n);
        if (at < in.n)
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
        d->lines++;
        d->state = BOL;
    }
    d->content_bytes += n;
    return n;
}
