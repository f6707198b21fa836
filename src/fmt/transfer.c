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

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (ascii_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* A pad ends a group; what follows starts a new one, so that joined base64 texts decode. */
static void base64_feed(struct transfer_decoder *d, struct buf *out, str in)
{
    char *p = buf_room(out, in.n);
    size_t n = 0;
    if (!p)
        return;
    for (size_t i = 0; i < in.n; i++) {
        int value = base64_value(in.p[i]);
        if (value < 0) {
            if (in.p[i] == '=')
                d->bit_count = 0;
            continue;
        }
        d->bits = d->bits << 6 | (uint32_t)value;
        d->bit_count += 6;
        if (d->bit_count >= 8) {
            d->bit_count -= 8;
            p[n++] = (char)(d->bits >> d->bit_count & 0xff);
        }
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

/* Bytes that stand for themselves wherever they are. */
static size_t qp_plain(str in)
{
    size_t n = 0;
    while (n < in.n && in.p[n] != '=' && in.p[n] != '\n' && !is_white(in.p[n]))
        n++;
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
