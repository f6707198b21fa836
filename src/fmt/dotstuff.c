#include "fmt/dotstuff.h"

void dotstuff_put(struct dotstuff *d, struct buf *out, str in)
{
    crlf_encode_dots(&d->crlf, &d->within_line, out, in);
}

void dotstuff_finish(struct dotstuff *d, struct buf *out)
{
    if (d->within_line)
        dotstuff_put(d, out, S("\n"));
    buf_puts(out, S(".\r\n"));
}
