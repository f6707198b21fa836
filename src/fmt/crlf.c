/* Line-end conversion and counting; see crlf.h. Counting runs over fixed blocks that compilers turn into
 * vector code, conversion copies whole lines between two memchr hits. */
#include "fmt/crlf.h"

enum { BLOCK = 128 }; /* bytes counted at once: at most 255, so that a byte holds the sum */

void crlf_encode_dots(struct crlf_state *s, bool *within_line, struct buf *out, str in)
{
    const char *p = in.p, *const end = in.p + in.n;
    char *const start = buf_room(out, 2 * in.n), *to = start;
    while (start && p < end) {
        const char *lf = memchr(p, '\n', (size_t)(end - p)), *stop = lf ? lf : end;
        bool after_cr = stop > p ? stop[-1] == '\r' : s->last_cr;
        if (within_line && !*within_line && *p == '.')
            *to++ = '.';
        memcpy(to, p, (size_t)(stop - p));
        to += stop - p;
        if (lf && !after_cr)
            *to++ = '\r';
        if (lf)
            *to++ = '\n';
        s->last_cr = after_cr && !lf;
        if (within_line)
            *within_line = !lf;
        p = lf ? lf + 1 : end;
    }
    if (start)
        buf_added(out, (size_t)(to - start));
}

void crlf_encode(struct crlf_state *s, struct buf *out, str in)
{
    crlf_encode_dots(s, NULL, out, in);
}

void crlf_decode(struct crlf_state *s, struct buf *out, str in)
{
    if (s->last_cr && in.n) {
        if (in.p[0] != '\n')
            buf_putc(out, '\r');
        s->last_cr = false;
    }
    while (in.n) {
        const char *cr = memchr(in.p, '\r', in.n);
        size_t text = cr ? (size_t)(cr - in.p) : in.n;
        buf_put(out, in.p, text);
        if (!cr)
            return;
        in = str_from(in, text + 1);
        if (in.n == 0)
            s->last_cr = true;
        else if (in.p[0] != '\n')
            buf_putc(out, '\r');
    }
}

void crlf_decode_finish(struct crlf_state *s, struct buf *out)
{
    if (s->last_cr)
        buf_putc(out, '\r');
    s->last_cr = false;
}

size_t crlf_lines(str raw)
{
    size_t lines = 0, i = 0;
    for (; i + BLOCK <= raw.n; i += BLOCK) {
        uint8_t found = 0;
        for (size_t k = 0; k < BLOCK; k++)
            found = (uint8_t)(found + (raw.p[i + k] == '\n'));
        lines += found;
    }
    for (; i < raw.n; i++)
        lines += raw.p[i] == '\n';
    return lines;
}

size_t crlf_bare(str raw, char before)
{
    if (raw.n == 0)
        return 0;
    size_t bare = raw.p[0] == '\n' && before != '\r', i = 1;
    for (; i + BLOCK <= raw.n; i += BLOCK) {
        uint8_t found = 0;
        for (size_t k = 0; k < BLOCK; k++)
            found = (uint8_t)(found + ((raw.p[i + k] == '\n') & (raw.p[i + k - 1] != '\r')));
        bare += found;
    }
    for (; i < raw.n; i++)
        bare += raw.p[i] == '\n' && raw.p[i - 1] != '\r';
    return bare;
}

/* The run of bytes at cur that is the same in both forms: up to the next LF that needs a CR, or all that is
 * left. */
static size_t same_run(str raw, const struct crlf_cursor *cur, bool *ret_bare_lf)
{
    size_t pos = cur->raw;
    const char *lf;
    while (pos < raw.n && (lf = memchr(raw.p + pos, '\n', raw.n - pos))) {
        size_t at = (size_t)(lf - raw.p);
        if (at == 0 || raw.p[at - 1] != '\r') {
            *ret_bare_lf = true;
            return at - cur->raw;
        }
        pos = at + 1;
    }
    *ret_bare_lf = false;
    return raw.n - cur->raw;
}

/* Puts the part of text that lies in [from, end) when it starts at offset. */
static void put_clipped(struct buf *out, str text, size_t offset, size_t from, size_t end)
{
    size_t skip = from > offset ? from - offset : 0;
    size_t keep = end > offset ? end - offset : 0;
    if (keep > text.n)
        keep = text.n;
    if (skip < keep)
        buf_put(out, text.p + skip, keep - skip);
}

/* Puts the lines at cur that end at or before `end`. Most bytes of most ranges go this way. */
static void put_lines(struct buf *out, str raw, size_t end, struct crlf_cursor *cur)
{
    size_t left = raw.n - cur->raw, room = end - cur->offset;
    if (room > 2 * left) /* a line end may grow by a byte */
        room = 2 * left;
    char *start = room <= out->max - out->n ? buf_room(out, room) : NULL, *p = start;
    const char *from = raw.p + cur->raw, *lf;
    while (p && left && (lf = memchr(from, '\n', left))) {
        size_t n = (size_t)(lf - from) + 1;
        bool bare = lf == raw.p || lf[-1] != '\r';
        if (n + bare > room - (size_t)(p - start))
            break;
        memcpy(p, from, n);
        p += n;
        if (bare) {
            p[-1] = '\r';
            *p++ = '\n';
        }
        from += n;
        left -= n;
    }
    if (!p)
        return;
    cur->raw = raw.n - left;
    cur->offset += (size_t)(p - start);
    buf_added(out, (size_t)(p - start));
}

void crlf_put_range(struct buf *out, str raw, size_t offset, size_t len, struct crlf_cursor *cursor)
{
    struct crlf_cursor cur = {0, 0};
    size_t end = len > SIZE_MAX - offset ? SIZE_MAX : offset + len;
    if (cursor && cursor->offset <= offset && cursor->raw <= raw.n)
        cur = *cursor;
    if (cur.offset >= offset && cur.raw < raw.n && cur.offset < end)
        put_lines(out, raw, end, &cur);
    while (cur.raw < raw.n && cur.offset < end) {
        bool bare_lf;
        size_t run = same_run(raw, &cur, &bare_lf);
        put_clipped(out, str_sub(raw, cur.raw, run), cur.offset, offset, end);
        if (cur.offset + run >= end) { /* ends inside the run: resume there */
            cur.raw += end - cur.offset;
            cur.offset = end;
            break;
        }
        cur.raw += run;
        cur.offset += run;
        if (!bare_lf)
            break;
        put_clipped(out, S("\r\n"), cur.offset, offset, end);
        if (cur.offset + 2 > end) /* between the CR and its LF: resume in front of the LF */
            break;
        cur.raw++;
        cur.offset += 2;
    }
    if (cursor)
        *cursor = cur;
}
