/* Encoding and mending of bodies (RFC 2045 §6.7, §6.8).
 *
 * No line of the result may begin like a delimiter, for which the original was not one. base64 has no "-"; in
 * quoted-printable a "-" at the start of a line is encoded when another one follows. */
#include "fmt/downgrade_impl.h"

#include "base/enc.h"

enum {
    QP_COLUMNS = 75,     /* before the "=" of a soft line break */
    BASE64_COLUMNS = 76, /* RFC 2045 §6.8 */
    MEND_COLUMNS = 900   /* where mending breaks lines that are too long */
};

void downgrade_body_begin(struct downgrade *d)
{
    d->column = d->group_n = 0;
    d->held = '\0';
    d->escape = 0;
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t';
}

static void qp_emit(struct downgrade *d, char c, bool encode)
{
    size_t n = encode ? 3 : 1;
    if (d->column + n > QP_COLUMNS) {
        buf_puts(d->out, S("=\n"));
        d->column = 0;
    }
    if (encode)
        buf_printf(d->out, "=%02X", (unsigned char)c);
    else
        buf_putc(d->out, c);
    d->column += n;
}

/* White space is plain unless it ends the line; "-" where a line begins unless another one follows. */
static void qp_byte(struct downgrade *d, char c)
{
    if (d->held) {
        qp_emit(d, d->held, d->held == '-' && c == '-');
        d->held = '\0';
    }
    if (is_white(c) || (c == '-' && (d->column == 0 || d->column == QP_COLUMNS)))
        d->held = c;
    else
        qp_emit(d, c, c <= ' ' || c == '=' || c > '~');
}

static void qp_line_end(struct downgrade *d)
{
    if (d->held)
        qp_emit(d, d->held, d->held != '-');
    d->held = '\0';
    d->column = 0;
}

static void base64_flush(struct downgrade *d)
{
    if (d->group_n == 0)
        return;
    if (d->column)
        buf_putc(d->out, '\n');
    enc_base64(d->out, str_mem(d->group, d->group_n));
    d->column = 1;
    d->group_n = 0;
    d->open_line = true;
}

static void base64_text(struct downgrade *d, str bytes)
{
    while (bytes.n) {
        size_t room = sizeof d->group - d->group_n, n = bytes.n < room ? bytes.n : room;
        memcpy(d->group + d->group_n, bytes.p, n);
        d->group_n += n;
        bytes = str_from(bytes, n);
        if (d->group_n == sizeof d->group)
            base64_flush(d);
    }
}

/* A decoder takes bytes that are not 7bit as they are, so encoding them changes nothing. Escapes stay whole.
 */
static void mend_qp_byte(struct downgrade *d, char c)
{
    bool dirty = downgrade_is_dirty(str_mem(&c, 1)), broken = false;
    if (d->column >= MEND_COLUMNS && d->escape == 0 && (!is_white(c) || d->column > LINE_MAX_7BIT - 4)) {
        buf_puts(d->out, S("=\n"));
        d->column = 0;
        broken = true;
    }
    if (dirty || (broken && c == '-')) {
        buf_printf(d->out, "=%02X", (unsigned char)c);
        d->column += 3;
    } else {
        buf_putc(d->out, c);
        d->column++;
    }
    if (d->escape)
        d->escape--;
    if (c == '=')
        d->escape = 2;
}

/* A decoder skips what is not in the alphabet (RFC 2045 §6.8). */
static void mend_base64_byte(struct downgrade *d, char c)
{
    if (!ascii_alnum(c) && c != '+' && c != '/' && c != '=')
        return;
    if (d->column == BASE64_COLUMNS) {
        buf_putc(d->out, '\n');
        d->column = 0;
    }
    buf_putc(d->out, c);
    d->column++;
}

void downgrade_body_text(struct downgrade *d, char plan, str bytes)
{
    if (plan == KEEP || plan == LABEL)
        buf_puts(d->out, bytes);
    else if (plan == TO_BASE64)
        base64_text(d, bytes);
    else
        for (size_t i = 0; i < bytes.n; i++) {
            if (plan == TO_QP)
                qp_byte(d, bytes.p[i]);
            else if (plan == MEND_QP)
                mend_qp_byte(d, bytes.p[i]);
            else
                mend_base64_byte(d, bytes.p[i]);
        }
}

void downgrade_body_eol(struct downgrade *d, char plan, str eol)
{
    if (plan == TO_BASE64) {
        base64_text(d, d->binary ? eol : S("\r\n")); /* the canonical form */
        return;
    }
    if (plan == TO_QP)
        qp_line_end(d);
    buf_puts(d->out, eol);
    d->column = 0;
    d->escape = 0;
}

void downgrade_body_end(struct downgrade *d, char plan)
{
    if (plan == TO_BASE64)
        base64_flush(d);
    else if (plan == TO_QP)
        qp_line_end(d);
    d->column = 0;
}
