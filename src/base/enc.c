/* base64 (RFC 4648 §4) and hexadecimal (RFC 4648 §8), strict and in one pass.
 * Decoding writes straight into the output's room and commits only when all of the input was right, so a
 * refused input leaves no bytes behind. Non-zero padding bits are refused (RFC 4648 §3.5): one value has one
 * encoding. */
#include "base/enc.h"

static const char base64_digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Values of base64 digits, marked so that zero means "not a digit". */
#define VALID 0x40
#define VALUE 0x3f
/* clang-format off */
static const unsigned char base64_value[256] = {
    ['A'] = VALID | 0, ['B'] = VALID | 1, ['C'] = VALID | 2, ['D'] = VALID | 3, ['E'] = VALID | 4, ['F'] = VALID | 5, ['G'] = VALID | 6, ['H'] = VALID | 7,
    ['I'] = VALID | 8, ['J'] = VALID | 9, ['K'] = VALID | 10, ['L'] = VALID | 11, ['M'] = VALID | 12, ['N'] = VALID | 13, ['O'] = VALID | 14, ['P'] = VALID | 15,
    ['Q'] = VALID | 16, ['R'] = VALID | 17, ['S'] = VALID | 18, ['T'] = VALID | 19, ['U'] = VALID | 20, ['V'] = VALID | 21, ['W'] = VALID | 22, ['X'] = VALID | 23,
    ['Y'] = VALID | 24, ['Z'] = VALID | 25, ['a'] = VALID | 26, ['b'] = VALID | 27, ['c'] = VALID | 28, ['d'] = VALID | 29, ['e'] = VALID | 30, ['f'] = VALID | 31,
    ['g'] = VALID | 32, ['h'] = VALID | 33, ['i'] = VALID | 34, ['j'] = VALID | 35, ['k'] = VALID | 36, ['l'] = VALID | 37, ['m'] = VALID | 38, ['n'] = VALID | 39,
    ['o'] = VALID | 40, ['p'] = VALID | 41, ['q'] = VALID | 42, ['r'] = VALID | 43, ['s'] = VALID | 44, ['t'] = VALID | 45, ['u'] = VALID | 46, ['v'] = VALID | 47,
    ['w'] = VALID | 48, ['x'] = VALID | 49, ['y'] = VALID | 50, ['z'] = VALID | 51, ['0'] = VALID | 52, ['1'] = VALID | 53, ['2'] = VALID | 54, ['3'] = VALID | 55,
    ['4'] = VALID | 56, ['5'] = VALID | 57, ['6'] = VALID | 58, ['7'] = VALID | 59, ['8'] = VALID | 60, ['9'] = VALID | 61, ['+'] = VALID | 62, ['/'] = VALID | 63,
};
/* clang-format on */

void enc_base64(struct buf *out, str in)
{
    const unsigned char *s = (const unsigned char *)in.p;
    char *w = in.n < SIZE_MAX / 2 ? buf_room(out, (in.n + 2) / 3 * 4) : NULL;
    if (!w)
        return;
    size_t i = 0;
    for (; in.n - i >= 3; i += 3, w += 4) {
        uint32_t v = (uint32_t)s[i] << 16 | (uint32_t)s[i + 1] << 8 | s[i + 2];
        w[0] = base64_digit[v >> 18];
        w[1] = base64_digit[v >> 12 & VALUE];
        w[2] = base64_digit[v >> 6 & VALUE];
        w[3] = base64_digit[v & VALUE];
    }
    if (i < in.n) {
        bool two = in.n - i == 2;
        uint32_t v = (uint32_t)s[i] << 16 | (two ? (uint32_t)s[i + 1] << 8 : 0);
        w[0] = base64_digit[v >> 18];
        w[1] = base64_digit[v >> 12 & VALUE];
        w[2] = two ? base64_digit[v >> 6 & VALUE] : '=';
        w[3] = '=';
    }
    buf_added(out, (in.n + 2) / 3 * 4);
}

/* The 24 bits of four digits; *good loses VALID when one of them is none. */
static inline uint32_t base64_group(const unsigned char *s, unsigned *good)
{
    unsigned a = base64_value[s[0]], b = base64_value[s[1]], c = base64_value[s[2]], d = base64_value[s[3]];
    *good &= a & b & c & d;
    return (a & VALUE) << 18 | (b & VALUE) << 12 | (c & VALUE) << 6 | (d & VALUE);
}

/* The last group with pad (1 or 2) padding characters; false when a digit or the padding bits are wrong. */
static bool base64_padded(char *w, const unsigned char *s, size_t pad)
{
    unsigned good = VALID;
    unsigned char digits[4] = {s[0], s[1], pad == 2 ? 'A' : s[2], 'A'};
    uint32_t v = base64_group(digits, &good);
    w[0] = (char)(v >> 16);
    if (pad == 1)
        w[1] = (char)(v >> 8);
    return good & VALID && (v & (pad == 2 ? 0xffff : 0xff)) == 0;
}

/* base64 = *( 4base64-char ) [ 2base64-char "==" / 3base64-char "=" ]   (RFC 4954 §8) */
enum rc enc_base64_decode(struct buf *out, str in)
{
    if (in.n % 4)
        return RC_INVALID;
    if (in.n == 0)
        return out->overflow ? RC_LIMIT : RC_OK;
    const unsigned char *s = (const unsigned char *)in.p;
    size_t pad = s[in.n - 1] != '=' ? 0 : s[in.n - 2] != '=' ? 1 : 2;
    size_t size = in.n / 4 * 3 - pad;
    char *w = buf_room(out, size);
    if (!w)
        return RC_LIMIT;
    unsigned good = VALID;
    const unsigned char *end = s + in.n - (pad ? 4 : 0);
    for (; s < end; s += 4, w += 3) {
        uint32_t v = base64_group(s, &good);
        w[0] = (char)(v >> 16);
        w[1] = (char)(v >> 8);
        w[2] = (char)v;
    }
    bool ok = good & VALID && (pad == 0 || base64_padded(w, s, pad));
    buf_added(out, ok ? size : 0);
    return ok ? RC_OK : RC_INVALID;
}

enum rc enc_base64url_decode(struct buf *out, str in)
{
    AUTO(buf_wipe) struct buf text = BUF_INIT(in.n + 3);
    (void)buf_room(&text, in.n + 3); /* growing would leave copies of a secret behind */
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '+' || in.p[i] == '/' || in.p[i] == '=')
            return RC_INVALID;
        buf_putc(&text, in.p[i] == '-' ? '+' : in.p[i] == '_' ? '/' : in.p[i]);
    }
    while (text.n % 4)
        buf_putc(&text, '=');
    return enc_base64_decode(out, buf_str(&text));
}

void enc_hex(struct buf *out, str in)
{
    static const char digit[] = "0123456789abcdef";
    char *w = in.n < SIZE_MAX / 2 ? buf_room(out, in.n * 2) : NULL;
    if (!w)
        return;
    for (size_t i = 0; i < in.n; i++) {
        unsigned char c = (unsigned char)in.p[i];
        *w++ = digit[c >> 4];
        *w++ = digit[c & 15];
    }
    buf_added(out, in.n * 2);
}

static int hex_value(char c)
{
    if (ascii_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum rc enc_hex_decode(struct buf *out, str in)
{
    if (in.n % 2)
        return RC_INVALID;
    char *w = buf_room(out, in.n / 2);
    if (!w)
        return RC_LIMIT;
    bool ok = true;
    for (size_t i = 0; i < in.n; i += 2) {
        int high = hex_value(in.p[i]), low = hex_value(in.p[i + 1]);
        ok = ok && high >= 0 && low >= 0;
        *w++ = (char)((unsigned)high << 4 | (unsigned)low);
    }
    buf_added(out, ok ? in.n / 2 : 0);
    return ok ? RC_OK : RC_INVALID;
}
