/* Strings in IMAP responses (RFC 9051 §9).
 *
 * string  = quoted / literal        quoted = DQUOTE *QUOTED-CHAR DQUOTE
 * literal = "{" number64 "}" CRLF *CHAR8 */
#include "fmt/imapstring.h"

enum { ESCAPES_MAX = 4 }; /* beyond them a literal is shorter */

static bool fits_quoted(str s)
{
    size_t escapes = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x80 || c == '\r' || c == '\n')
            return false;
        escapes += c == '"' || c == '\\';
    }
    return escapes <= ESCAPES_MAX;
}

static void put_quoted(struct buf *out, str s)
{
    buf_putc(out, '"');
    for (size_t i = 0, from = 0; i <= s.n; i++) {
        if (i < s.n && s.p[i] != '"' && s.p[i] != '\\' && s.p[i] != '\0')
            continue;
        buf_puts(out, str_sub(s, from, i - from));
        from = i + 1;
        if (i < s.n && s.p[i] != '\0') {
            buf_putc(out, '\\');
            buf_putc(out, s.p[i]);
        }
    }
    buf_putc(out, '"');
}

static void put_literal(struct buf *out, str s)
{
    size_t nuls = 0;
    for (size_t i = 0; i < s.n; i++)
        nuls += s.p[i] == '\0';
    buf_putc(out, '{');
    buf_put_u64(out, s.n - nuls);
    buf_puts(out, S("}\r\n"));
    while (s.n) {
        str piece = str_take(&s, '\0');
        buf_puts(out, piece);
    }
}

void imapstring_put(struct buf *out, str s)
{
    if (fits_quoted(s))
        put_quoted(out, s);
    else
        put_literal(out, s);
}

void imapstring_put_nil(struct buf *out, str s)
{
    if (s.p)
        imapstring_put(out, s);
    else
        buf_puts(out, S("NIL"));
}

void imapstring_put_nil8(struct buf *out, str s)
{
    if (str_chr(s, '\0') < 0) {
        imapstring_put_nil(out, s);
        return;
    }
    buf_printf(out, "~{%zu}\r\n", s.n);
    buf_puts(out, s);
}
