#include "fmt/long_lines.h"

static size_t line_of(str piece)
{
    const char *end = memchr(piece.p, '\n', piece.n);
    return end ? (size_t)(end - piece.p) : piece.n;
}

void long_lines_scan(struct long_lines *l, str piece)
{
    while (piece.n > 0 && !l->any) {
        size_t n = line_of(piece);
        l->column += n;
        l->any = l->column > l->limit;
        if (n < piece.n)
            l->column = 0;
        piece = str_from(piece, n + 1);
    }
}

void long_lines_put(struct long_lines *l, str piece, struct buf *out)
{
    must(l->limit >= LONG_LINES_MIN);
    while (piece.n > 0) {
        size_t n = line_of(piece), room = l->limit - l->column;
        if (n > 0 && room == 0) {
            buf_puts(out, S("\n "));
            l->column = 1;
            continue;
        }
        if (n > room)
            n = room;
        else if (n < piece.n)
            n++; /* with its end */
        buf_puts(out, str_sub(piece, 0, n));
        l->column = piece.p[n - 1] == '\n' ? 0 : l->column + n;
        piece = str_from(piece, n);
    }
}
