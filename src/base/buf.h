/* buf: an owned, growing byte buffer that is created with its maximum.
 * Invariant: n <= cap <= max + 1; the byte behind the content is NUL once anything was put. When a put would
 * pass max, nothing of it is added, `overflow` is set and stays set until buf_reset, and later puts do
 * nothing: writers may check once at the end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

#include <stdarg.h>

struct buf {
    char *p;
    size_t n, cap, max;
    bool overflow;
};

#define BUF_INIT(max_bytes)            \
    {                                  \
        NULL, 0, 0, (max_bytes), false \
    }

void buf_init(struct buf *b, size_t max);
void buf_deinit(struct buf *b); /* frees; b may be used again with the same max */
/* Zeroes the content, then buf_deinit (secrets). Growing leaves copies behind: ask buf_room for all of it
 * first. */
void buf_wipe(struct buf *b);
void buf_reset(struct buf *b);                        /* empties, keeps the memory */
void buf_put(struct buf *b, const void *p, size_t n); /* p must not point into b */
void buf_puts(struct buf *b, str s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) PRINTF(2, 0);
void buf_put_u64(struct buf *b, uint64_t v); /* decimal; faster than printf */
/* Room for n more bytes at the end, or NULL on overflow; buf_added says how many were written there. */
char *buf_room(struct buf *b, size_t n);
void buf_added(struct buf *b, size_t n);
void buf_drop(struct buf *b, size_t n);     /* removes n bytes, at most b->n, from the front */
void buf_truncate(struct buf *b, size_t n); /* keeps the first n bytes; all when there are fewer */
static inline str buf_str(const struct buf *b)
{
    return (str){b->p, b->n};
}
const char *buf_cstr(struct buf *b); /* NUL-terminated content, "" when empty */

#endif
