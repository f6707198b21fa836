#include "fmt/header_drop.h"

void header_drop_init(struct header_drop *d, const str *names, size_t n)
{
    *d = (struct header_drop){.names = names, .n = n, .state = n > 0 ? HEADER_DROP_START : HEADER_DROP_DONE};
}

static bool is_dropped(const struct header_drop *d, str name)
{
    for (size_t i = 0; i < d->n; i++)
        if (str_ieq(d->names[i], name))
            return true;
    return false;
}

static void release(struct header_drop *d, struct buf *out)
{
    buf_puts(out, str_mem(d->name, d->held));
    d->held = 0;
}

/* The name is whole, or longer than any. */
static void begin_field(struct header_drop *d, bool drops, struct buf *out)
{
    d->any = true;
    d->dropped = drops;
    d->bytes += drops ? d->held : 0;
    if (!drops)
        release(d, out);
    d->held = 0;
    d->state = drops ? HEADER_DROP_DROPS : HEADER_DROP_KEEPS;
}

/* One byte at the start of a line; false: it was not taken, and the state has changed. */
static bool start(struct header_drop *d, char c, struct buf *out)
{
    if (d->held == 0 && (c == ' ' || c == '\t') && d->any) {
        d->state = d->dropped ? HEADER_DROP_DROPS : HEADER_DROP_KEEPS;
    } else if (c == ':' && d->held > 0) {
        begin_field(d, is_dropped(d, str_trim(str_mem(d->name, d->held))), out);
    } else if (c == '\n' || (d->held == 0 && (c == ' ' || c == '\t'))) {
        release(d, out);
        d->state = HEADER_DROP_DONE;
    } else if (d->held == HEADER_DROP_NAME_MAX) {
        begin_field(d, false, out);
    } else {
        d->name[d->held++] = c;
        return true;
    }
    return false;
}

/* The rest of a line, or of what is there of it. */
static size_t pass_line(struct header_drop *d, str in, struct buf *out)
{
    ptrdiff_t end = str_chr(in, '\n');
    str piece = str_sub(in, 0, end < 0 ? in.n : (size_t)end + 1);
    if (d->state == HEADER_DROP_KEEPS) {
        buf_puts(out, piece);
    } else {
        d->bytes += piece.n;
        d->lines += end >= 0;
    }
    if (end >= 0)
        d->state = HEADER_DROP_START;
    return piece.n;
}

void header_drop_feed(struct header_drop *d, str in, struct buf *out)
{
    while (in.n > 0 && d->state != HEADER_DROP_DONE) {
        if (d->state != HEADER_DROP_START)
            in = str_from(in, pass_line(d, in, out));
        else if (start(d, in.p[0], out))
            in = str_from(in, 1);
    }
    buf_puts(out, in);
}

void header_drop_finish(struct header_drop *d, struct buf *out)
{
    release(d, out);
}
