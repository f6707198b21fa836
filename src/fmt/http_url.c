#include "fmt/http_url.h"

#include "base/enc.h"
#include "base/num.h"

/*   authority = [ userinfo "@" ] host [ ":" port ] */
static enum rc parse_authority(str s, struct http_url *u)
{
    uint32_t port = u->tls ? 443 : 80;
    ptrdiff_t at = str_rchr(s, '@');
    if (at >= 0) {
        u->user_info = str_sub(s, 0, (size_t)at);
        s = str_from(s, (size_t)at + 1);
    }
    if (str_starts(s, S("["))) {
        s = str_from(s, 1);
        u->host = str_take(&s, ']');
        if (!s.p || (s.n > 0 && s.p[0] != ':'))
            return RC_INVALID;
        s = str_from(s, 1);
    } else {
        u->host = str_take(&s, ':');
        if (str_chr(s, ':') >= 0)
            return RC_INVALID;
    }
    if (s.n > 0 && (num_parse_u32(s, 65535, &port) != RC_OK || port == 0))
        return RC_INVALID;
    u->port = (int)port;
    return u->host.n > 0 ? RC_OK : RC_INVALID;
}

enum rc http_url_parse(str text, struct http_url *ret)
{
    struct http_url u = {.tls = str_istarts(text, S("https://"))};
    if (!u.tls && !str_istarts(text, S("http://")))
        return RC_INVALID;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || text.p[i] >= 0x7f || strchr("\"#<>\\^`{|}", text.p[i]))
            return RC_INVALID;
    str rest = str_from(text, u.tls ? 8 : 7);
    size_t n = 0;
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
        n++;
    u.path = str_from(rest, n);
    if (u.path.n > 0 && u.path.p[0] != '/')
        return RC_INVALID;
    if (parse_authority(str_sub(rest, 0, n), &u) != RC_OK)
        return RC_INVALID;
    *ret = u;
    return RC_OK;
}

enum rc http_url_decode(str text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '%') {
            buf_putc(out, text.p[i]);
            continue;
        }
        size_t before = out->n;
        if (i + 2 >= text.n || enc_hex_decode(out, str_sub(text, i + 1, 2)) != RC_OK ||
            out->p[before] == '\0')
            return RC_INVALID;
        i += 2;
    }
    return out->overflow ? RC_LIMIT : RC_OK;
}

void http_url_encode(struct buf *out, str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (ascii_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~')
            buf_putc(out, c);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}
