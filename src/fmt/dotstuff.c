/* Dot-stuffing on the way out (dotstuff.h), line by line so that each run of bytes is copied once. */
#include "fmt/dotstuff.h"

void dotstuff_put(struct dotstuff *d, struct buf *out, str in)
{
    while (in.n) {
        const char *lf = memchr(in.p, '\n', in.n);
        size_t text = lf ? (size_t)(lf - in.p) : in.n;
        crlf_put_text(&d->crlf, out, !d->within_line && in.p[0] == '.', str_sub(in, 0, text), lf);
        d->within_line = !lf;
        in = str_from(in, text + (lf != NULL));
    }
}

void dotstuff_finish(struct dotstuff *d, struct buf *out)
{
    if (d->within_line)
        dotstuff_put(d, out, S("\n"));
    buf_puts(out, S(".\r\n"));
}
