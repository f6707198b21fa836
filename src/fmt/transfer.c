/* Quoted-printable and base64 body decoding (RFC 2045 §6.7, §6.8).
 *
 * The quoted-printable decoder holds back a run that only what follows explains: white space (dropped at the
 * end of a line), "=" with white space (a soft line break at the end of a line), "=" with one hex digit. A
 * run that is longer than the space for it is put as it is. */
#include "fmt/transfer.h"

enum transfer_encoding transfer_encoding_find(str name)
{
    name = str_trim(name);
    if (str_ieq(name, S("quoted-printable")))
        return TRANSFER_QP;
    return str_ieq(name, S("base64")) ? TRANSFER_BASE64 : TRANSFER_IDENTITY;
}

bool transfer_encoding_known(str name)
{
    static const str names[] = {S(""), S("7bit"), S("8bit"), S("binary"), S("quoted-printable"), S("base64")};
    name = str_trim(name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_ieq(name, names[i]))
            return true;
    return false;
}

void transfer_init(struct transfer_decoder *d, enum transfer_encoding encoding)
{
    *d = (struct transfer_decoder){.encoding = encoding};
}

/* One more than the value of a character; 0: it is not in the alphabet. */
static const unsigned char base64_codes[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64};

/* Puts whole groups of four characters at p, as long as nothing else comes between. Characters used. */
static size_t base64_groups(str in, char *p, size_t *ret_n)
{
    size_t i = 0, n = 0;
    for (; i + 4 <= in.n; i += 4) {
        const unsigned char *c = (const unsigned char *)in.p + i;
        uint32_t w = base64_codes[c[0]], x = base64_codes[c[1]], y = base64_codes[c[2]],
                 z = base64_codes[c[3]];
        if (!w || !x || !y || !z)
            break;
        uint32_t bits = (w - 1) << 18 | (x - 1) << 12 | (y - 1) << 6 | (z - 1);
        p[n++] = (char)(bits >> 16 & 0xff);
        p[n++] = (char)(bits >> 8 & 0xff);
        p[n++] = (char)(bits & 0xff);
    }
    *ret_n = n;
    return i;
}

static void base64_char(struct transfer_decoder *d, char c, char *p, size_t *n)
{
    uint32_t code = base64_codes[(unsigned char)c];
    if (!code) {
        if (c ==
            '=') /* a pad ends a group; what follows starts a new one, so that joined base64 texts decode */
            d->bit_count = 0;
        return;
    }
    d->bits = d->bits << 6 | (code - 1);
    d->bit_count += 6;
    if (d->bit_count >= 8) {
        d->bit_count -= 8;
        p[(*n)++] = (char)(d->bits >> d->bit_count & 0xff);
    }
}

static void base64_feed(struct transfer_decoder *d, struct buf *out, str in)
{
    char *p = buf_room(out, in.n);
    size_t n = 0, put;
    if (!p)
        return;
    for (size_t i = 0; i < in.n;) {
        if (d->bit_count == 0) {
            i += base64_groups(str_from(in, i), p + n, &put);
            n += put;
        }
        if (i < in.n)
            base64_char(d, in.p[i++], p, &n);
    }
    buf_added(out, n);
}

static int hex_value(char c)
{
    if (ascii_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void put_held(struct transfer_decoder *d, struct buf *out)
{
    buf_put(out, d->held, d->held_n);
    d->held_n = 0;
}

/* The held run is followed by LF: white space goes, "=" joins the lines; the line end keeps its form. */
static void qp_line_end(struct transfer_decoder *d, struct buf *out)
{
    bool soft = d->held_n && d->held[0] == '=';
    bool crlf = d->held_n && d->held[d->held_n - 1] == '\r';
    d->held_n = 0;
    if (!soft)
        buf_puts(out, crlf ? S("\r\n") : S("\n"));
}

/* c behind "=" and what is held of its escape. False when c does not belong to it. */
static bool qp_escape(struct transfer_decoder *d, struct buf *out, char c)
{
    bool hex_first = d->held_n == 2 && hex_value(d->held[1]) >= 0;
    if (hex_first && hex_value(c) >= 0) {
        buf_putc(out, (char)(hex_value(d->held[1]) << 4 | hex_value(c)));
        d->held_n = 0;
        return true;
    }
    bool fits = d->held_n == 1 ? hex_value(c) >= 0 || is_white(c) : !hex_first && is_white(c);
    if (fits)
        d->held[d->held_n++] = c;
    return fits;
}

static void qp_byte(struct transfer_decoder *d, struct buf *out, char c)
{
    if (c == '\n') {
        qp_line_end(d, out);
        return;
    }
    if (d->held_n == TRANSFER_HELD_MAX)
        put_held(d, out);
    if (d->held_n && d->held[0] == '=' && qp_escape(d, out, c))
        return;
    if (d->held_n && (d->held[0] == '=' || !is_white(c)))
        put_held(d, out);
    if (is_white(c) || c == '=')
        d->held[d->held_n++] = c;
    else
        buf_putc(out, c);
}

/* Bytes at the start that stand for themselves: up to "=" or the end of the line, and there without the white
 * space that only what follows explains. */
static size_t qp_plain(str in)
{
    size_t n = 0;
    while (n < in.n && in.p[n] != '=' && in.p[n] != '\n')
        n++;
    if (n < in.n && in.p[n] == '=')
        return n;
    while (n > 0 && is_white(in.p[n - 1]))
        n--;
    return n;
}

static void qp_feed(struct transfer_decoder *d, struct buf *out, str in)
{
    while (in.n) {
        size_t plain = d->held_n ? 0 : qp_plain(in);
        buf_put(out, in.p, plain);
        in = str_from(in, plain);
        if (in.n) {
            qp_byte(d, out, in.p[0]);
            in = str_from(in, 1);
        }
    }
}

void transfer_feed(struct transfer_decoder *d, struct buf *out, str in)
{
    if (d->encoding == TRANSFER_QP)
        qp_feed(d, out, in);
    else if (d->encoding == TRANSFER_BASE64)
        base64_feed(d, out, in);
    else
        buf_puts(out, in);
}

void transfer_finish(struct transfer_decoder *d, struct buf *out)
{
    bool soft = d->held_n == 1 && d->held[0] == '='; /* a soft break whose line end was cut off */
    if (!soft)
        put_held(d, out);
    transfer_init(d, d->encoding);
}
