#include "role/convert.h"

#include "fmt/downgrade.h"
#include "fmt/long_lines.h"

#include <unistd.h>

enum { PIECE = 64 << 10 };

/* Calls fn for the message in pieces. */
static enum rc each_piece(const struct convert_source *from,
                          void (*fn)(void *state, str piece, struct buf *out), void *state, struct buf *out)
{
    char piece[PIECE];
    fn(state, from->header, out);
    if (from->fd < 0) {
        for (size_t at = (size_t)from->skip; at < from->content.n; at += PIECE)
            fn(state, str_sub(from->content, at, PIECE), out);
        return RC_OK;
    }
    for (uint64_t at = from->skip; at < from->size;) {
        ssize_t n = pread(from->fd, piece, sizeof piece, (off_t)at);
        if (n <= 0)
            return RC_TEMP;
        fn(state, str_mem(piece, (size_t)n), out);
        at += (uint64_t)n;
    }
    return RC_OK;
}

static void scan(void *d, str piece, struct buf *out)
{
    downgrade_scan(d, piece);
}

static void convert(void *d, str piece, struct buf *out)
{
    downgrade_convert(d, piece, out);
}

/* CRLF becomes LF; a CR that stands alone was encoded, or is a header's. */
static void drop_cr(struct buf *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++)
        if (b->p[i] != '\r' || i + 1 == b->n || b->p[i + 1] != '\n')
            b->p[n++] = b->p[i];
    b->n = n;
}

enum rc convert_to_7bit(const struct convert_source *from, bool keep_header, struct buf *ret)
{
    struct downgrade d;
    downgrade_init(&d);
    d.binary = from->binary;
    enum rc rc = each_piece(from, scan, &d, NULL);
    downgrade_scan_end(&d);
    if (rc == RC_OK && (d.report.impossible || (d.report.header_8bit && !keep_header)))
        rc = RC_PERM;
    if (rc == RC_OK)
        rc = each_piece(from, convert, &d, ret);
    if (rc == RC_OK)
        downgrade_convert_end(&d, ret);
    downgrade_deinit(&d);
    if (rc == RC_OK && from->binary)
        drop_cr(ret);
    return rc == RC_OK && ret->overflow ? RC_TEMP : rc;
}

static void scan_lines(void *l, str piece, struct buf *out)
{
    long_lines_scan(l, piece);
}

static void put_lines(void *l, str piece, struct buf *out)
{
    long_lines_put(l, piece, out);
}

enum rc convert_long_lines(const struct convert_source *from, size_t limit, struct buf *ret)
{
    struct long_lines seen = {.limit = limit}, put = {.limit = limit};
    enum rc rc = each_piece(from, scan_lines, &seen, NULL);
    if (rc == RC_OK && !seen.any)
        return RC_GONE;
    if (rc == RC_OK)
        rc = each_piece(from, put_lines, &put, ret);
    return rc == RC_OK && ret->overflow ? RC_TEMP : rc;
}
