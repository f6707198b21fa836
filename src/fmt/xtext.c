/* Writing xtext, and both directions of the forms of internationalized addresses.
 *
 *   xtext               = *( xchar / "+" 2HEXDIG )                          ; RFC 3461 §4
 *   xchar               = %x21-2a / %x2c-3c / %x3e-7e
 *   utf-8-addr-xtext    = 1*(QCHAR / EmbeddedUnicodeChar)                   ; RFC 6533 §3
 *   utf-8-addr-unitext  = 1*(QCHAR / UTF8-2 / UTF8-3 / UTF8-4 / EmbeddedUnicodeChar)
 *   QCHAR               = %x21-2a / %x2c-3c / %x3e-5b / %x5d-7e
 *   EmbeddedUnicodeChar = "\x{" HEXPOINT "}"                                ; HEXPOINT without leading zeros
 *
 * utf-8-address is the address itself; since it may hold "+", "=" and spaces in quotes, decoding takes those
 * as they are: nothing else could be meant. */
#include "fmt/xtext.h"

#include "base/utf8.h"

static bool is_xchar(unsigned char c)
{
    return c >= '!' && c <= '~' && c != '+' && c != '=';
}

void xtext_put(struct buf *out, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_xchar(c))
            buf_putc(out, (char)c);
        else
            buf_printf(out, "+%02X", c);
    }
}

void xtext_put_utf8_addr(struct buf *out, str addr)
{
    for (size_t at = 0; at < addr.n;) {
        uint32_t cp;
        size_t n = utf8_decode(str_from(addr, at), &cp);
        if (n == 0)
            cp = 0xfffd;
        at += n ? n : 1;
        if (cp < 0x80 && is_xchar((unsigned char)cp) && cp != '\\')
            buf_putc(out, (char)cp);
        else
            buf_printf(out, "\\x{%02X}", (unsigned)cp);
    }
}

static int hex_upper(char c)
{
    return ascii_digit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Takes "\x{HEX}" off the front of *text; false when it is none or stands for a control character. */
static bool take_embedded(str *text, uint32_t *ret)
{
    str rest = *text;
    if (!str_starts(rest, S("\\x{")))
        return false;
    rest = str_from(rest, 3);
    str digits = str_take(&rest, '}');
    uint32_t cp = 0;
    if (!rest.p || digits.n < 2 || digits.n > 6 || (digits.n > 2 && digits.p[0] == '0'))
        return false;
    for (size_t i = 0; i < digits.n; i++) {
        int value = hex_upper(digits.p[i]);
        if (value < 0)
            return false;
        cp = cp << 4 | (uint32_t)value;
    }
    if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
        return false;
    *text = rest;
    *ret = cp;
    return true;
}

/* Without looking for escapes: "\" that begins none is a backslash of a quoted local part. */
static bool take_plain(str *text, uint32_t *ret)
{
    size_t n = utf8_decode(*text, ret);
    if (n == 0 || *ret < 0x20 || (*ret >= 0x7f && *ret < 0xa0))
        return false;
    *text = str_from(*text, n);
    return true;
}

enum rc xtext_decode_utf8_addr(struct buf *out, str text)
{
    size_t before = out->n;
    if (text.n == 0)
        return RC_INVALID;
    while (text.n) {
        uint32_t cp;
        bool escape = str_starts(text, S("\\x{"));
        if (escape ? !take_embedded(&text, &cp) : !take_plain(&text, &cp)) {
            buf_truncate(out, before);
            return RC_INVALID;
        }
        utf8_put(out, cp);
    }
    return out->overflow ? RC_LIMIT : RC_OK;
}
