/* SMTP replies (smtp_reply.h).
 *
 * Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
 * Reply-code = %x32-35 %x30-35 %x30-39; the second digit goes up to 9 here, because servers make codes up. */
#include "fmt/smtp_reply.h"

#include "base/utf8.h"

static size_t count_digits(str s, size_t max)
{
    size_t n = 0;
    while (n < s.n && n < max && ascii_digit(s.p[n]))
        n++;
    return n;
}

/* RFC 3463 §2: status-code = class "." subject "." detail; class = "2"/"4"/"5"; subject and detail 1*3digit
 */
bool smtp_reply_enhanced(str text, int code, char ret[12])
{
    str rest = text;
    char class = rest.n ? rest.p[0] : '\0';
    if ((class != '2' && class != '4' && class != '5') || class - '0' != code / 100)
        return false;
    rest = str_from(rest, 1);
    for (int part = 0; part < 2; part++) {
        if (!str_starts(rest, S(".")))
            return false;
        rest = str_from(rest, 1);
        size_t digits = count_digits(rest, 3);
        if (digits == 0)
            return false;
        rest = str_from(rest, digits);
    }
    if (rest.n && rest.p[0] != ' ' && rest.p[0] != '\t')
        return false;
    return str_copy(ret, 12, str_sub(text, 0, text.n - rest.n)) == RC_OK;
}

/* Malformed bytes and control characters become "?", byte by byte. */
static void make_printable(char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t cp = 0;
        size_t size = utf8_decode(str_mem(p + i, n - i), &cp);
        if (size == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) {
            size = size ? size : 1;
            memset(p + i, '?', size);
        }
        i += size;
    }
}

static void keep_for_people(struct smtp_reply *r, str line)
{
    if (r->said_n && r->said_n < SMTP_REPLY_SAID_MAX)
        r->said[r->said_n++] = ' ';
    size_t n = SMTP_REPLY_SAID_MAX - r->said_n < line.n ? SMTP_REPLY_SAID_MAX - r->said_n : line.n;
    if (n)
        memcpy(r->said + r->said_n, line.p, n);
    make_printable(r->said + r->said_n, n);
    r->said_n += n;
}

/* The line's code; 0 when there is none. */
static int read_code(str line)
{
    if (line.n < 3 || count_digits(line, 3) != 3 || line.p[0] < '2' || line.p[0] > '5')
        return 0;
    if (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-')
        return 0;
    return (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + (line.p[2] - '0');
}

static enum smtp_reply_event bad(enum rc rc, enum rc *ret_rc)
{
    *ret_rc = rc;
    return SMTP_REPLY_BAD;
}

static enum smtp_reply_event end_line(struct smtp_reply *r, enum rc *ret_rc)
{
    str line = str_mem(r->line, r->line_n);
    if (str_ends(line, S("\r")))
        line.n--;
    if (r->filter && !r->filter(r->filter_ctx, r->line, &line.n))
        return bad(RC_INVALID, ret_rc);
    keep_for_people(r, line);
    r->line_n = 0;
    int code = read_code(line);
    if (code == 0)
        return bad(RC_INVALID, ret_rc);
    if (++r->lines > SMTP_REPLY_LINES_MAX)
        return bad(RC_LIMIT, ret_rc);
    r->code = code;
    r->text = str_from(line, 4);
    smtp_reply_enhanced(r->text, code, r->enhanced); /* none: that of an earlier line stays */
    return line.n > 3 && line.p[3] == '-' ? SMTP_REPLY_LINE : SMTP_REPLY_DONE;
}

enum smtp_reply_event smtp_reply_feed(struct smtp_reply *r, str in, size_t *ret_taken, enum rc *ret_rc)
{
    ptrdiff_t lf = str_chr(in, '\n');
    size_t n = lf < 0 ? in.n : (size_t)lf;
    size_t room = SMTP_REPLY_LINE_MAX - r->line_n;
    size_t kept = n < room ? n : room;
    if (kept)
        memcpy(r->line + r->line_n, in.p, kept);
    r->line_n += kept;
    *ret_taken = lf < 0 ? n : n + 1;
    r->bytes += *ret_taken;
    if (r->bytes > SMTP_REPLY_BYTES_MAX) {
        keep_for_people(r, str_mem(r->line, r->line_n));
        return bad(RC_LIMIT, ret_rc);
    }
    return lf < 0 ? SMTP_REPLY_MORE : end_line(r, ret_rc);
}
