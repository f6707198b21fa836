/* imap_url: reads URLs of messages; see imap_url.h. ";" and "/" split what is still encoded, so an encoded
 * one belongs to a name. */
#include "fmt/imap_url.h"

#include "base/enc.h"
#include "base/num.h"
#include "base/utf8.h"

/* Any character that may stand for itself in a mailbox's name or a section, and "%" (RFC 5092 §11, bchar);
 * more is forgiven, but nothing that ends the part. */
static bool is_name_char(char c)
{
    return c > ' ' && c < 0x7f && !memchr(";?#\"<>\\", c, 7);
}

static str take_name(str *rest)
{
    size_t n = 0;
    while (n < rest->n && is_name_char(rest->p[n]))
        n++;
    str name = str_sub(*rest, 0, n);
    *rest = str_from(*rest, n);
    return name;
}

static bool take(str *rest, str word)
{
    if (!str_istarts(*rest, word))
        return false;
    *rest = str_from(*rest, word.n);
    return true;
}

static enum rc take_number(str *rest, uint64_t min, uint64_t max, uint64_t *ret)
{
    size_t n = 0;
    while (n < rest->n && ascii_digit(rest->p[n]))
        n++;
    if (num_parse_u64(str_sub(*rest, 0, n), max, ret) != RC_OK || *ret < min)
        return RC_INVALID;
    *rest = str_from(*rest, n);
    return RC_OK;
}

static enum rc take_nz_number(str *rest, uint32_t *ret)
{
    uint64_t n;
    enum rc rc = take_number(rest, 1, UINT32_MAX, &n);
    if (rc == RC_OK)
        *ret = (uint32_t)n;
    return rc;
}

/* Percent-decodes; the result is UTF-8 without control characters. */
static enum rc decode(str text, struct arena *a, str *ret)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(IMAP_URL_MAX);
    while (text.n > 0) {
        if (text.p[0] == '%' && (text.n < 3 || enc_hex_decode(&out, str_sub(text, 1, 2)) != RC_OK))
            return RC_INVALID;
        if (text.p[0] != '%')
            buf_putc(&out, text.p[0]);
        text = str_from(text, text.p[0] == '%' ? 3 : 1);
        if ((unsigned char)out.p[out.n - 1] < ' ' || out.p[out.n - 1] == 0x7f)
            return RC_INVALID;
    }
    if (!utf8_valid(buf_str(&out)))
        return RC_INVALID;
    *ret = arena_str(a, buf_str(&out));
    return arena_exhausted(a) ? RC_LIMIT : RC_OK;
}

/* [mailbox [";UIDVALIDITY=" nz-number] "/"]; leaves ";UID=" ahead. A first segment with ":" would be a scheme
 * (RFC 3986 §4.2), two slashes a server. */
static enum rc take_mailbox(str *rest, struct arena *a, struct imap_url *url)
{
    url->absolute = take(rest, S("/"));
    str name = take_name(rest);
    if (name.n == 0)
        return url->absolute ? RC_INVALID : RC_OK;
    ptrdiff_t colon = str_chr(name, ':'), slash = str_chr(name, '/');
    if (slash == 0 || (!url->absolute && colon >= 0 && (slash < 0 || colon < slash)))
        return RC_INVALID;
    if (take(rest, S(";UIDVALIDITY="))) {
        if (take_nz_number(rest, &url->uidvalidity) != RC_OK || !take(rest, S("/")))
            return RC_INVALID;
    } else if (name.p[--name.n] != '/') {
        return RC_INVALID;
    }
    enum rc rc = decode(name, a, &url->mailbox);
    return rc == RC_OK && url->mailbox.n == 0 ? RC_INVALID : rc;
}

/* The section ends at "/;PARTIAL=" or with the text; a "/" of its own stays. */
static enum rc take_section(str *rest, struct arena *a, struct imap_url *url)
{
    str text, name = take_name(rest);
    if (rest->n > 0 && str_ends(name, S("/"))) {
        name.n--;
        *rest = str_mem(rest->p - 1, rest->n + 1);
    }
    enum rc rc = name.n ? decode(name, a, &text) : RC_INVALID;
    return rc == RC_OK ? imap_section_parse(text, a, &url->section) : rc;
}

static enum rc take_partial(str *rest, struct imap_url *url)
{
    struct fetch_section *sec = &url->section;
    sec->partial = true;
    sec->length = UINT64_MAX;
    enum rc rc = take_number(rest, 0, INT64_MAX, &sec->offset);
    if (rc == RC_OK && take(rest, S(".")))
        rc = take_number(rest, 1, INT64_MAX, &sec->length);
    return rc;
}

enum rc imap_url_parse(str text, struct arena *a, struct imap_url *ret)
{
    struct imap_url url = {0};
    if (text.n > IMAP_URL_MAX)
        return RC_LIMIT;
    enum rc rc = take_mailbox(&text, a, &url);
    if (rc == RC_OK)
        rc = take(&text, S(";UID=")) ? take_nz_number(&text, &url.uid) : RC_INVALID;
    if (rc == RC_OK && take(&text, S("/;SECTION=")))
        rc = take_section(&text, a, &url);
    if (rc == RC_OK && take(&text, S("/;PARTIAL=")))
        rc = take_partial(&text, &url);
    if (rc != RC_OK || text.n > 0)
        return rc == RC_LIMIT ? rc : RC_INVALID;
    *ret = url;
    return RC_OK;
}

void imap_url_put(struct buf *out, str url)
{
    for (size_t i = 0; i < url.n; i++) {
        unsigned char c = (unsigned char)url.p[i];
        if (c > ' ' && c < 0x7f && c != ']' && c != '\\' && c != '"')
            buf_putc(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
}
