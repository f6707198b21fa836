/* ASCII is most of it and needs no library. */
#include "table/fold.h"

#include "fmt/unicode.h"

enum rc table_fold(str key, struct buf *out)
{
    bool ascii = true;
    size_t before = out->n;
    for (size_t i = 0; i < key.n && ascii; i++)
        ascii = (unsigned char)key.p[i] < 0x80;
    if (!ascii && unicode_casefold(key, out) == RC_OK)
        return RC_OK;
    if (out->overflow)
        return RC_LIMIT;
    buf_truncate(out, before);
    for (size_t i = 0; i < key.n; i++)
        buf_putc(out, ascii_lower(key.p[i]));
    return out->overflow ? RC_LIMIT : RC_OK;
}
