/* UTF-8 (RFC 3629 §4). Validity is checked eight bytes at a time while they are ASCII, as nearly all mail is.
 */
#include "base/utf8.h"

#define UTF8_REPLACEMENT 0xfffdu

size_t utf8_ascii_run(str s)
{
    size_t i = 0;
    for (uint64_t word; s.n - i >= sizeof word; i += sizeof word) {
        memcpy(&word, s.p + i, sizeof word);
        if (word & 0x8080808080808080)
            break;
    }
    while (i < s.n && !(s.p[i] & 0x80))
        i++;
    return i;
}

bool utf8_is_ascii(str s)
{
    return utf8_ascii_run(s) == s.n;
}

/* Length of the run of well-formed bytes at the start of s. */
static size_t valid_run(str s)
{
    size_t i = 0;
    while (i < s.n) {
        uint32_t cp;
        size_t n = utf8_ascii_run(str_from(s, i));
        if (!n)
            n = utf8_decode(str_from(s, i), &cp);
        if (!n)
            break;
        i += n;
    }
    return i;
}

bool utf8_valid(str s)
{
    return valid_run(s) == s.n;
}

/* UTF8-octets = *( UTF8-char )
 * UTF8-char = UTF8-1 / UTF8-2 / UTF8-3 / UTF8-4
 * UTF8-1 = %x00-7F
 * UTF8-2 = %xC2-DF UTF8-tail
 * UTF8-3 = %xE0 %xA0-BF UTF8-tail / %xE1-EC 2( UTF8-tail ) / %xED %x80-9F UTF8-tail / %xEE-EF 2( UTF8-tail )
 * UTF8-4 = %xF0 %x90-BF 2( UTF8-tail ) / %xF1-F3 3( UTF8-tail ) / %xF4 %x80-8F 2( UTF8-tail )
 * UTF8-tail = %x80-BF */
size_t utf8_decode(str s, uint32_t *ret_cp)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* by length: smaller is an overlong form */
    if (s.n == 0)
        return 0;
    unsigned char lead = (unsigned char)s.p[0];
    if (lead < 0x80) {
        *ret_cp = lead;
        return 1;
    }
    size_t n = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (n == 0 || n > s.n)
        return 0;
    uint32_t cp = lead & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        unsigned char tail = (unsigned char)s.p[i];
        if ((tail & 0xc0) != 0x80)
            return 0;
        cp = cp << 6 | (tail & 0x3f);
    }
    if (cp < least[n] || (cp >= 0xd800 && cp < 0xe000) || cp > 0x10ffff)
        return 0;
    *ret_cp = cp;
    return n;
}

void utf8_put(struct buf *b, uint32_t cp)
{
    if ((cp >= 0xd800 && cp < 0xe000) || cp > 0x10ffff)
        cp = UTF8_REPLACEMENT;
    if (cp < 0x80) {
        buf_putc(b, (char)cp);
        return;
    }
    char c[4];
    size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, cp >>= 6)
        c[i] = (char)(0x80 | (cp & 0x3f));
    c[0] = (char)((0xf00u >> n & 0xff) | cp); /* 110xxxxx, 1110xxxx, 11110xxx */
    buf_put(b, c, n);
}

void utf8_put_clean(struct buf *b, str s)
{
    while (s.n) {
        size_t n = valid_run(s);
        buf_put(b, s.p, n);
        if (n < s.n)
            utf8_put(b, UTF8_REPLACEMENT);
        s = str_from(s, n + 1);
    }
}
