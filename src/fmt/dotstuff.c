/* Dot-stuffing on the way out (dotstuff.h), line by line so that each run of bytes is copied once. */
#include "fmt/dotstuff.h"

void dotstuff_put(struct dotstuff *d, struct buf *out, str in)
{
    while (in.n) {
        if (!d->within_line && in.p[0] == '.')
            buf_putc(out, '.');
        ptrdiff_t lf = str_chr(in, '\n');
        size_t n = lf < 0 ? in.n : (size_t)lf + 1;
        crlf_encode(&d->crlf, out, str_sub(in, 0, n));
        d->within_line = lf < 0;
        in = str_from(in, n);
    }
}

void dotstuff_finish(struct dotstuff *d, struct buf *out)
{
    if (d->within_line)
        dotstuff_put(d, out, S("\n"));
    buf_puts(out, S(".\r\n"));
}
