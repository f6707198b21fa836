/* A header in one piece and in pieces, whose sizes the first byte chooses: the same stays, and what is
 * counted as dropped is what is missing. */
#include "fmt/header_drop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drop(struct header_drop *d, str in, size_t piece, struct buf *out)
{
    static const str names[] = {{"bcc", 3}, {"x", 1}};
    header_drop_init(d, names, 2);
    for (size_t at = 0; at < in.n; at += piece)
        header_drop_feed(d, str_sub(in, at, piece), out);
    header_drop_finish(d, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_deinit) struct buf whole = BUF_INIT(1 << 20), pieces = BUF_INIT(1 << 20);
    struct header_drop d;
    if (size < 1 || size > 100000)
        return 0;
    str in = str_mem(data + 1, size - 1);
    drop(&d, in, in.n ? in.n : 1, &whole);
    drop(&d, in, (size_t)data[0] + 1, &pieces);
    must(str_eq(buf_str(&whole), buf_str(&pieces)));
    must(whole.n + d.bytes == in.n && d.lines <= d.bytes);
    return 0;
}
