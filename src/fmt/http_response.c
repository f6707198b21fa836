#include "fmt/http_response.h"

#include "base/num.h"

enum { LINE_MAX_BYTES = 8192 };

struct head {
    bool chunked, has_length;
    uint32_t length;
};

/* The next line up to its line end; RC_TEMP: it is not complete. RFC 9112 §2.2: LF alone is understood. */
static enum rc take_line(str *rest, str *ret)
{
    ptrdiff_t end = str_chr(*rest, '\n');
    if (end > LINE_MAX_BYTES || (end < 0 && rest->n > LINE_MAX_BYTES))
        return RC_LIMIT;
    if (end < 0)
        return RC_TEMP;
    *ret = str_sub(*rest, 0, (size_t)end);
    if (str_ends(*ret, S("\r")))
        ret->n--;
    *rest = str_from(*rest, (size_t)end + 1);
    return RC_OK;
}

/*   status-line = HTTP-version SP status-code SP [ reason-phrase ] */
static enum rc parse_status(str line, int *ret)
{
    uint32_t status;
    if (!str_starts(line, S("HTTP/1.")) || line.n < 12 || !ascii_digit(line.p[7]) || line.p[8] != ' ' ||
        (line.n > 12 && line.p[12] != ' '))
        return RC_INVALID;
    if (num_parse_u32(str_sub(line, 9, 3), 599, &status) != RC_OK || status < 100)
        return RC_INVALID;
    *ret = (int)status;
    return RC_OK;
}

/*   field-line = field-name ":" OWS field-value OWS */
static enum rc parse_field(str line, struct head *h, struct http_response *r)
{
    ptrdiff_t colon = str_chr(line, ':');
    if (colon < 1 || line.p[colon - 1] == ' ' || line.p[colon - 1] == '\t')
        return RC_INVALID;
    str name = str_sub(line, 0, (size_t)colon), value = str_trim(str_from(line, (size_t)colon + 1));
    if (str_ieq(name, S("Content-Type"))) {
        r->content_type = str_trim(str_take(&value, ';'));
    } else if (str_ieq(name, S("Transfer-Encoding"))) {
        if (h->chunked || !str_ieq(value, S("chunked")))
            return RC_INVALID; /* no other was asked for */
        h->chunked = true;
    } else if (str_ieq(name, S("Content-Length"))) {
        uint32_t length;
        if (num_parse_u32(value, UINT32_MAX, &length) != RC_OK || (h->has_length && h->length != length))
            return RC_INVALID;
        h->has_length = true;
        h->length = length;
    }
    return RC_OK;
}

static enum rc parse_head(str *rest, struct head *h, struct http_response *r)
{
    str line;
    enum rc rc = take_line(rest, &line);
    if (rc == RC_OK)
        rc = parse_status(line, &r->status);
    for (;;) {
        if (rc == RC_OK)
            rc = take_line(rest, &line);
        if (rc != RC_OK || line.n == 0)
            return rc;
        rc = parse_field(line, h, r);
    }
}

/*   chunk-size [ chunk-ext ] */
static enum rc parse_chunk_size(str line, uint32_t *ret)
{
    uint32_t size = 0;
    str digits = str_trim(str_take(&line, ';'));
    if (digits.n == 0 || digits.n > 7)
        return RC_INVALID;
    for (size_t i = 0; i < digits.n; i++) {
        char c = ascii_lower(digits.p[i]);
        if (!ascii_digit(c) && (c < 'a' || c > 'f'))
            return RC_INVALID;
        size = size << 4 | (uint32_t)(ascii_digit(c) ? c - '0' : c - 'a' + 10);
    }
    *ret = size;
    return RC_OK;
}

/* RFC 9112 §7.1; the trailer is read up to its empty line and dropped. */
static enum rc parse_chunks(str rest, struct buf *body)
{
    for (;;) {
        str line;
        uint32_t size;
        enum rc rc = take_line(&rest, &line);
        if (rc == RC_OK)
            rc = parse_chunk_size(line, &size);
        if (rc != RC_OK)
            return rc;
        if (size == 0)
            break;
        buf_puts(body, str_sub(rest, 0, size));
        if (body->overflow)
            return RC_LIMIT;
        if (rest.n < size)
            return RC_TEMP;
        rest = str_from(rest, size);
        rc = take_line(&rest, &line);
        if (rc != RC_OK || line.n > 0)
            return rc == RC_OK ? RC_INVALID : rc;
    }
    for (str line = S("x"); line.n > 0;) {
        enum rc rc = take_line(&rest, &line);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* RFC 9112 §6.3 */
static enum rc parse_body(str rest, const struct head *h, bool ended, const struct http_response *r,
                          struct buf *body)
{
    if (r->status == 204 || r->status == 304)
        return RC_OK;
    if (h->chunked)
        return parse_chunks(rest, body);
    if (h->has_length && h->length > body->max)
        return RC_LIMIT;
    buf_puts(body, h->has_length ? str_sub(rest, 0, h->length) : rest);
    if (body->overflow)
        return RC_LIMIT;
    return (h->has_length ? rest.n >= h->length : ended) ? RC_OK : RC_TEMP;
}

enum rc http_response_parse(str bytes, bool ended, struct buf *body, struct http_response *ret)
{
    struct http_response r;
    struct head h;
    str rest = bytes;
    enum rc rc;
    buf_reset(body);
    do {
        r = (struct http_response){0};
        h = (struct head){0};
        rc = parse_head(&rest, &h, &r);
        if (bytes.n - rest.n > HTTP_HEAD_MAX || (rc == RC_TEMP && bytes.n > HTTP_HEAD_MAX))
            return RC_LIMIT;
    } while (rc == RC_OK && r.status < 200);
    if (rc == RC_OK)
        rc = parse_body(rest, &h, ended, &r, body);
    if (rc == RC_TEMP && ended)
        return RC_INVALID;
    if (rc == RC_OK)
        *ret = r;
    return rc;
}
