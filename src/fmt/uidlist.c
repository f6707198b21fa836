/* uidlist: see the header for the grammar, which is Dovecot's (maildir-uidlist.c, version 3). */
#include "fmt/uidlist.h"

#include "base/num.h"

static bool take_line(str *text, str *ret)
{
    ptrdiff_t lf = str_chr(*text, '\n');
    if (lf < 0) {
        *text = STR_NONE;
        return false;
    }
    *ret = str_sub(*text, 0, (size_t)lf);
    *text = str_from(*text, (size_t)lf + 1);
    return true;
}

str uidlist_field(str fields, char key)
{
    while (fields.n) {
        str f = str_take(&fields, ' ');
        if (f.n > 0 && f.p[0] == key)
            return str_from(f, 1);
    }
    return STR_NONE;
}

/* "1 <uidvalidity> <uidnext>" */
static enum rc parse_header_v1(str line, struct uidlist_header *h)
{
    str validity = str_take(&line, ' '), next = str_take(&line, ' ');
    if (num_parse_u32(validity, UINT32_MAX, &h->uidvalidity) != RC_OK ||
        num_parse_u32(next, UINT32_MAX, &h->uidnext) != RC_OK)
        return RC_INVALID;
    return RC_OK;
}

static enum rc parse_header_v3(str line, struct uidlist_header *h)
{
    h->other = STR_NONE;
    while (line.n) {
        str f = str_take(&line, ' '), value = str_from(f, 1);
        enum rc rc = RC_OK;
        if (f.n == 0)
            continue;
        if (f.p[0] == 'V') {
            rc = num_parse_u32(value, UINT32_MAX, &h->uidvalidity);
        } else if (f.p[0] == 'N') {
            rc = num_parse_u32(value, UINT32_MAX, &h->uidnext);
        } else if (f.p[0] == 'G') {
            h->guid = value;
        } else {
            /* unknown keys stand behind the known ones, so the rest of the line is theirs */
            h->other = str_mem(f.p, f.n + (line.n ? line.n + 1 : 0));
            break;
        }
        if (rc != RC_OK)
            return RC_INVALID;
    }
    return RC_OK;
}

enum rc uidlist_parse_header(str *text, struct uidlist_header *ret)
{
    struct uidlist_header h = {0};
    str line;
    if (!take_line(text, &line))
        return RC_INVALID;
    str version = str_take(&line, ' ');
    if (num_parse_u32(version, 3, &h.version) != RC_OK || (h.version != 1 && h.version != 3))
        return RC_INVALID;
    enum rc rc = h.version == 1 ? parse_header_v1(line, &h) : parse_header_v3(line, &h);
    if (rc != RC_OK || h.uidvalidity == 0 || h.uidnext == 0)
        return RC_INVALID;
    *ret = h;
    return RC_OK;
}

/* The part behind the uid: fields, then ":" base. A field's value has no spaces; a base may have them. */
static enum rc split_v3(str rest, struct uidlist_record *r)
{
    const char *start = rest.p;
    while (rest.n && rest.p[0] != ':') {
        ptrdiff_t space = str_chr(rest, ' ');
        if (space < 0)
            return RC_INVALID;
        rest = str_from(rest, (size_t)space + 1);
    }
    if (rest.n < 2)
        return RC_INVALID;
    r->fields = str_mem(start, rest.p > start ? (size_t)(rest.p - start) - 1 : 0); /* without the space */
    r->base = str_from(rest, 1);
    return RC_OK;
}

enum rc uidlist_parse_record(str *text, unsigned version, struct uidlist_record *ret)
{
    struct uidlist_record r = {0};
    str line;
    if (text->n == 0)
        return RC_GONE;
    if (!take_line(text, &line))
        return RC_INVALID;
    if (num_parse_u32(str_take(&line, ' '), UINT32_MAX - 1, &r.uid) != RC_OK || r.uid == 0)
        return RC_INVALID;
    if (version == 3 && split_v3(line, &r) != RC_OK)
        return RC_INVALID;
    if (version != 3)
        r.base = line;
    ptrdiff_t colon = str_chr(r.base, ':'); /* old versions wrote the flags as well */
    if (colon >= 0)
        r.base = str_sub(r.base, 0, (size_t)colon);
    if (r.base.n == 0 || r.base.p[0] == '.' || str_chr(r.base, '/') >= 0)
        return RC_INVALID;
    r.has_size = num_parse_u64(uidlist_field(r.fields, 'S'), INT64_MAX, &r.size) == RC_OK;
    r.has_crlf_size = num_parse_u64(uidlist_field(r.fields, 'W'), INT64_MAX, &r.crlf_size) == RC_OK;
    r.pop3_uidl = uidlist_field(r.fields, 'P');
    *ret = r;
    return RC_OK;
}

void uidlist_format_header(struct buf *out, const struct uidlist_header *h)
{
    buf_printf(out, "3 V%u N%u", h->uidvalidity, h->uidnext);
    if (h->guid.n) {
        buf_puts(out, S(" G"));
        buf_puts(out, h->guid); /* a damaged file may hold NULs, where printf would stop */
    }
    if (h->other.n) {
        buf_putc(out, ' ');
        buf_puts(out, h->other);
    }
    buf_putc(out, '\n');
}

void uidlist_format_record(struct buf *out, uid32 uid, str fields, str base)
{
    buf_put_u64(out, uid);
    buf_putc(out, ' ');
    if (fields.n) {
        buf_puts(out, fields);
        buf_putc(out, ' ');
    }
    buf_putc(out, ':');
    buf_puts(out, base);
    buf_putc(out, '\n');
}
