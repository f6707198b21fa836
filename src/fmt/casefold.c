/* Case folding for searches through libunistring; the only file that includes its headers. ASCII runs are folded here:
 * folding never looks across them, since what follows an ASCII letter only ever combines when composed. */
#include "fmt/casefold.h"

#include "base/utf8.h"

#include <unicase.h>
#include <uninorm.h>

static size_t ascii_run(str s)
{
    size_t n = 0;
    while (n < s.n && !(s.p[n] & 0x80))
        n++;
    return n;
}

static size_t non_ascii_run(str s)
{
    size_t n = 0;
    while (n < s.n && (s.p[n] & 0x80))
        n++;
    return n;
}

static void put_ascii(struct buf *out, str s)
{
    char *p = buf_room(out, s.n);
    if (!p)
        return;
    for (size_t i = 0; i < s.n; i++)
        p[i] = ascii_lower(s.p[i]);
    buf_added(out, s.n);
}

/* False when s is not valid UTF-8. */
static bool put_folded(struct buf *out, str s)
{
    uint8_t room[512];
    size_t n = sizeof room;
    uint8_t *folded = u8_casefold((const uint8_t *)s.p, s.n, NULL, UNINORM_NFKD, room, &n);
    if (!folded)
        return false;
    buf_put(out, folded, n);
    if (folded != room)
        free(folded);
    return true;
}

static void put_other(struct buf *out, str s)
{
    if (put_folded(out, s))
        return;
    struct buf clean = BUF_INIT(3 * s.n);
    utf8_put_clean(&clean, s);
    (void)put_folded(out, buf_str(&clean));
    buf_deinit(&clean);
}

void casefold_put(struct buf *out, str utf8)
{
    while (utf8.n) {
        size_t n = ascii_run(utf8);
        put_ascii(out, str_sub(utf8, 0, n));
        utf8 = str_from(utf8, n);
        n = non_ascii_run(utf8);
        if (n)
            put_other(out, str_sub(utf8, 0, n));
        utf8 = str_from(utf8, n);
    }
}
