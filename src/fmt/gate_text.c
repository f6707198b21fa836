#include "fmt/gate_text.h"

void gate_text_put(struct buf *out, str bytes)
{
    static const char named[] = "\a\b\f\n\r\t\v\\", letters[] = "abfnrtv\\";
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned char c = (unsigned char)bytes.p[i];
        const char *at = c ? strchr(named, c) : NULL;
        if (at)
            buf_printf(out, "\\%c", letters[at - named]);
        else if (c < ' ' || c > 0x7e)
            buf_printf(out, "\\%03o", c);
        else
            buf_putc(out, (char)c);
    }
}
