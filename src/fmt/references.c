/* references: see references.h. */
#include "fmt/references.h"

#include "fmt/header.h"

str references_take(str *text)
{
    for (ptrdiff_t open; (open = str_chr(*text, '<')) >= 0;) {
        str rest = str_from(*text, (size_t)open + 1);
        size_t n = 0;
        while (n < rest.n && rest.p[n] > ' ' && rest.p[n] != '<' && rest.p[n] != '>' && rest.p[n] != 0x7f)
            n++;
        bool whole = n > 0 && n < rest.n && rest.p[n] == '>';
        *text = str_from(rest, whole ? n + 1 : n);
        if (whole)
            return str_sub(rest, 0, n);
    }
    *text = str_from(*text, text->n);
    return STR_NONE;
}

static size_t put_ids(struct buf *out, str value, size_t most)
{
    size_t n = 0;
    for (str id; n < most && (id = references_take(&value)).p; n++) {
        if (n > 0)
            buf_putc(out, ' ');
        buf_putc(out, '<');
        buf_puts(out, id);
        buf_putc(out, '>');
    }
    return n;
}

void references_put(struct buf *out, str header_block)
{
    struct header_field f;
    if (header_find(header_block, S("References"), 0, &f) && put_ids(out, f.value, SIZE_MAX) > 0)
        return;
    if (header_find(header_block, S("In-Reply-To"), 0, &f))
        (void)put_ids(out, f.value, 1);
}
