/* mutf7: RFC 3501 §5.1.3 in both directions; see the header. */
#include "fmt/mutf7.h"

#include "base/utf8.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* Bits on their way between 16-bit units and 6-bit letters. */
struct shifter {
    uint32_t bits;
    unsigned n;
};

static void put_unit(struct shifter *sh, uint32_t unit, struct buf *out)
{
    sh->bits = sh->bits << 16 | unit;
    sh->n += 16;
    while (sh->n >= 6) {
        sh->n -= 6;
        buf_putc(out, alphabet[sh->bits >> sh->n & 63]);
    }
    sh->bits &= (1u << sh->n) - 1;
}

static void put_code_point(struct shifter *sh, uint32_t cp, struct buf *out)
{
    if (cp >= 0x10000) {
        put_unit(sh, 0xd800 + ((cp - 0x10000) >> 10), out);
        put_unit(sh, 0xdc00 + (cp & 0x3ff), out);
    } else {
        put_unit(sh, cp, out);
    }
}

static void end_shift(struct shifter *sh, struct buf *out)
{
    if (sh->n)
        buf_putc(out, alphabet[sh->bits << (6 - sh->n) & 63]);
    buf_putc(out, '-');
    *sh = (struct shifter){0};
}

enum rc mutf7_encode(str s, struct buf *out)
{
    size_t start = out->n;
    struct shifter sh = {0};
    bool shifted = false;
    while (s.n) {
        uint32_t cp;
        size_t len = utf8_decode(s, &cp);
        if (len == 0) {
            buf_truncate(out, start);
            return RC_INVALID;
        }
        s = str_from(s, len);
        bool direct = cp >= 0x20 && cp <= 0x7e;
        if (direct && shifted)
            end_shift(&sh, out);
        if (!direct && !shifted)
            buf_putc(out, '&');
        shifted = !direct;
        if (!direct)
            put_code_point(&sh, cp, out);
        else if (cp == '&')
            buf_puts(out, S("&-"));
        else
            buf_putc(out, (char)cp);
    }
    if (shifted)
        end_shift(&sh, out);
    return out->overflow ? RC_LIMIT : RC_OK;
}

/* Adds a UTF-16 unit; *high is the surrogate that waits for its second half, or 0. */
static enum rc take_unit(uint32_t unit, uint32_t *high, struct buf *out)
{
    if (*high) {
        if (unit < 0xdc00 || unit > 0xdfff)
            return RC_INVALID;
        utf8_put(out, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
        *high = 0;
    } else if (unit >= 0xd800 && unit <= 0xdbff) {
        *high = unit;
    } else if ((unit >= 0xdc00 && unit <= 0xdfff) || (unit >= 0x20 && unit <= 0x7e)) {
        return RC_INVALID; /* half a pair, or a character that stands for itself */
    } else {
        utf8_put(out, unit);
    }
    return RC_OK;
}

/* The letters between "&" and "-"; at least one. */
static enum rc decode_shift(str letters, struct buf *out)
{
    struct shifter sh = {0};
    uint32_t high = 0;
    for (size_t i = 0; i < letters.n; i++) {
        const char *at = letters.p[i] ? strchr(alphabet, letters.p[i]) : NULL;
        if (!at)
            return RC_INVALID;
        sh.bits = sh.bits << 6 | (uint32_t)(at - alphabet);
        sh.n += 6;
        if (sh.n >= 16) {
            sh.n -= 16;
            if (take_unit(sh.bits >> sh.n & 0xffff, &high, out) != RC_OK)
                return RC_INVALID;
            sh.bits &= (1u << sh.n) - 1;
        }
    }
    return high || sh.n >= 6 || sh.bits ? RC_INVALID : RC_OK;
}

static enum rc decode_all(str s, struct buf *out)
{
    bool after_shift = false;
    while (s.n) {
        char c = s.p[0];
        if (c < 0x20 || c > 0x7e)
            return RC_INVALID;
        if (c != '&') {
            buf_putc(out, c);
            s = str_from(s, 1);
            after_shift = false;
            continue;
        }
        ptrdiff_t end = str_chr(s, '-');
        if (end < 0)
            return RC_INVALID;
        if (end == 1)
            buf_putc(out, '&');
        else if (after_shift || decode_shift(str_sub(s, 1, (size_t)end - 1), out) != RC_OK)
            return RC_INVALID; /* two shifts in a row should have been one */
        after_shift = end > 1;
        s = str_from(s, (size_t)end + 1);
    }
    return out->overflow ? RC_LIMIT : RC_OK;
}

enum rc mutf7_decode(str s, struct buf *out)
{
    size_t start = out->n;
    enum rc rc = decode_all(s, out);
    if (rc != RC_OK)
        buf_truncate(out, start);
    return rc;
}
