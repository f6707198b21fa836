/* buf: the growing byte buffer. Room doubles from 64 bytes up to max + 1 (the NUL); the common put is one
 * comparison and one memcpy. Running out of memory ends the process: every buffer has its maximum first. */
#include "base/buf.h"

#include "base/num.h"

#define BUF_ROOM_MIN 64
#define U64_DIGITS   20

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf)BUF_INIT(max);
}

void buf_deinit(struct buf *b)
{
    free(b->p);
    buf_init(b, b->max);
}

void buf_wipe(struct buf *b)
{
    if (b->p)
        explicit_bzero(b->p, b->cap);
    buf_deinit(b);
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->overflow = false;
    if (b->p)
        b->p[0] = '\0';
}

/* Makes cap at least b->n + n + 1, or sets overflow and returns false. */
static bool buf_grow(struct buf *b, size_t n)
{
    size_t need;
    if (b->overflow || n > b->max - b->n || !num_add(b->n + n, 1, &need)) {
        b->overflow = true;
        return false;
    }
    if (need <= b->cap)
        return true;
    size_t cap = b->cap < BUF_ROOM_MIN / 2 ? BUF_ROOM_MIN : b->cap > SIZE_MAX / 2 ? SIZE_MAX : b->cap * 2;
    if (cap < need)
        cap = need;
    if (cap - 1 > b->max)
        cap = b->max + 1;
    char *p = realloc(b->p, cap);
    must(p);
    b->p = p;
    b->cap = cap;
    return true;
}

/* Whether n bytes and the NUL fit without growing; a buffer that overflowed takes the slow way. */
static inline bool fits(const struct buf *b, size_t n)
{
    return n < b->cap - b->n && !b->overflow;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
    if (n == 0 || (!fits(b, n) && !buf_grow(b, n)))
        return;
    memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_puts(struct buf *b, str s)
{
    buf_put(b, s.p, s.n);
}

void buf_putc(struct buf *b, char c)
{
    if (!fits(b, 1) && !buf_grow(b, 1))
        return;
    b->p[b->n++] = c;
    b->p[b->n] = '\0';
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    if (b->overflow)
        return;
    va_list again;
    va_copy(again, ap);
    size_t room = b->cap - b->n;
    int n = vsnprintf(room ? b->p + b->n : NULL, room, fmt, ap);
    must(n >= 0);
    if ((size_t)n >= room) {
        if (room)
            b->p[b->n] = '\0';
        if (buf_grow(b, (size_t)n))
            vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    if (!b->overflow)
        b->n += (size_t)n;
}

void buf_put_u64(struct buf *b, uint64_t v)
{
    char digits[U64_DIGITS];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_put(b, digits + at, sizeof digits - at);
}

char *buf_room(struct buf *b, size_t n)
{
    return fits(b, n) || buf_grow(b, n) ? b->p + b->n : NULL;
}

void buf_added(struct buf *b, size_t n)
{
    must(n < b->cap - b->n);
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_drop(struct buf *b, size_t n)
{
    must(n <= b->n);
    if (n == 0)
        return;
    b->n -= n;
    memmove(b->p, b->p + n, b->n + 1);
}

void buf_truncate(struct buf *b, size_t n)
{
    if (n >= b->n)
        return;
    b->n = n;
    b->p[n] = '\0';
}

const char *buf_cstr(struct buf *b)
{
    return b->n ? b->p : "";
}
