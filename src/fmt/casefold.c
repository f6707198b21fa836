/* Case folding for searches; Unicode's part is in unicode.c. ASCII runs are folded here and cut the rest into
 * pieces: decomposed text never combines with an ASCII letter in front of it. */
#include "fmt/casefold.h"

#include "base/utf8.h"
#include "fmt/unicode.h"

enum { BLOCK = 64 };

static size_t non_ascii_run(str s)
{
    size_t n = 0;
    while (n < s.n && (s.p[n] & 0x80))
        n++;
    return n;
}

/* Blocks of a fixed size are what compilers turn into vector code. */
static void put_ascii(struct buf *out, str s)
{
    char *p = buf_room(out, s.n);
    size_t i = 0;
    if (!p)
        return;
    if (s.n)
        memcpy(p, s.p, s.n);
    for (; i + BLOCK <= s.n; i += BLOCK)
        for (size_t k = 0; k < BLOCK; k++)
            p[i + k] = ascii_lower(p[i + k]);
    for (; i < s.n; i++)
        p[i] = ascii_lower(p[i]);
    buf_added(out, s.n);
}

static void put_other(struct buf *out, str s)
{
    if (unicode_searchfold(s, out) != RC_INVALID) /* an overflow stays visible in out */
        return;
    struct buf clean = BUF_INIT(3 * s.n);
    utf8_put_clean(&clean, s);
    must(unicode_searchfold(buf_str(&clean), out) != RC_INVALID);
    buf_deinit(&clean);
}

void casefold_put(struct buf *out, str utf8)
{
    while (utf8.n) {
        size_t n = utf8_ascii_run(utf8);
        put_ascii(out, str_sub(utf8, 0, n));
        utf8 = str_from(utf8, n);
        n = non_ascii_run(utf8);
        if (n)
            put_other(out, str_sub(utf8, 0, n));
        utf8 = str_from(utf8, n);
    }
}
