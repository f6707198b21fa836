/* SASLprep (RFC 4013 §2): map, normalise with NFKC, refuse prohibited output, check directions. */
#include "fmt/saslprep.h"

#include "base/utf8.h"
#include "fmt/unicode.h"

struct range {
    uint32_t first, last;
};

static bool in_ranges(uint32_t cp, const struct range *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (cp >= r[i].first && cp <= r[i].last)
            return true;
    }
    return false;
}
#define IN(cp, table) in_ranges((cp), (table), sizeof(table) / sizeof((table)[0]))

/* RFC 3454 table C.1.2: non-ASCII spaces, mapped to U+0020 (RFC 4013 §2.1) */
static const struct range spaces[] = {
    {0xa0, 0xa0}, {0x1680, 0x1680}, {0x2000, 0x200b}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000},
};

/* RFC 3454 table B.1: commonly mapped to nothing. U+200B is in C.1.2 too, where it counts as a space. */
static const struct range nothing[] = {
    {0xad, 0xad},     {0x34f, 0x34f},   {0x1806, 0x1806}, {0x180b, 0x180d},
    {0x200c, 0x200d}, {0x2060, 0x2060}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
};

/* RFC 4013 §2.3, from RFC 3454 tables C.2.1, C.2.2, C.3, C.4, C.5, C.6, C.7, C.8 and C.9 */
static const struct range prohibited[] = {
    {0x0, 0x1f},        {0x7f, 0x9f},        {0x340, 0x341},     {0x6dd, 0x6dd},     {0x70f, 0x70f},
    {0x180e, 0x180e},   {0x200c, 0x200f},    {0x2028, 0x202e},   {0x2060, 0x2063},   {0x206a, 0x206f},
    {0x2ff0, 0x2ffb},   {0xd800, 0xf8ff},    {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},   {0xfff9, 0xffff},
    {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff},  {0x2fffe, 0x2ffff}, {0x3fffe, 0x3ffff}, {0x4fffe, 0x4ffff},
    {0x5fffe, 0x5ffff}, {0x6fffe, 0x6ffff},  {0x7fffe, 0x7ffff}, {0x8fffe, 0x8ffff}, {0x9fffe, 0x9ffff},
    {0xafffe, 0xaffff}, {0xbfffe, 0xbffff},  {0xcfffe, 0xcffff}, {0xdfffe, 0xdffff}, {0xe0001, 0xe0001},
    {0xe0020, 0xe007f}, {0xefffe, 0x10ffff},
};

static enum rc map_characters(str s, struct buf *out)
{
    while (s.n > 0) {
        uint32_t cp;
        size_t n = utf8_decode(s, &cp);
        if (n == 0)
            return RC_INVALID;
        if (IN(cp, spaces))
            buf_putc(out, ' ');
        else if (!IN(cp, nothing))
            buf_put(out, s.p, n);
        s = str_from(s, n);
    }
    return out->overflow ? RC_LIMIT : RC_OK;
}

/* RFC 3454 §6: with any right-to-left character there is no left-to-right one, and both ends are
 * right-to-left. */
static enum rc check_output(str s, bool stored)
{
    bool any_left = false, any_right = false, first_right = false, last_right = false;
    for (size_t at = 0, n; at < s.n; at += n) {
        uint32_t cp = 0;
        n = utf8_decode(str_from(s, at), &cp);
        if (n == 0 || IN(cp, prohibited) || (stored && !unicode_is_assigned(cp)))
            return RC_INVALID;
        enum unicode_direction dir = unicode_direction(cp);
        last_right = dir == UNICODE_DIR_RIGHT;
        if (at == 0)
            first_right = last_right;
        any_right |= last_right;
        any_left |= dir == UNICODE_DIR_LEFT;
    }
    if (any_right && (any_left || !first_right || !last_right))
        return RC_INVALID;
    return RC_OK;
}

/* ASCII, the common case, only needs its control characters looked at. */
static bool is_plain_ascii(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < 0x20 || s.p[i] > 0x7e)
            return false;
    }
    return true;
}

enum rc saslprep(str s, bool stored, struct buf *out)
{
    if (is_plain_ascii(s)) {
        buf_puts(out, s);
        return out->overflow ? RC_LIMIT : RC_OK;
    }
    AUTO(buf_wipe) struct buf mapped = BUF_INIT(4096);
    AUTO(buf_wipe) struct buf normal = BUF_INIT(16384);
    enum rc rc = map_characters(s, &mapped);
    if (rc == RC_OK)
        rc = unicode_nfkc(buf_str(&mapped), &normal);
    if (rc == RC_OK)
        rc = check_output(buf_str(&normal), stored);
    if (rc != RC_OK)
        return rc;
    buf_puts(out, buf_str(&normal));
    return out->overflow ? RC_LIMIT : RC_OK;
}
