/* Message bytes cut anywhere: decoding in pieces gives what decoding at once gives, and both agree with a
 * plain byte-by-byte reading of RFC 5321 §4.5.2; binary content comes out as it is. The first byte chooses
 * the form, the second how the input is cut. */
#include "fmt/dotstream.h"
#include "fmt/headscan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
    struct dotstream d;
    struct headscan head;
    char *out;
    size_t n, taken;
    bool end;
};

static void decode(struct result *r, str in, size_t piece, bool dots, bool binary)
{
    *r = (struct result){.out = malloc(in.n + 4)};
    must(r->out);
    headscan_init(&r->head);
    if (binary)
        dotstream_init_binary(&r->d);
    else if (dots)
        dotstream_init_dots(&r->d);
    else
        dotstream_init_counted(&r->d);
    for (size_t at = 0; at < in.n && !r->end; at += piece) {
        size_t n;
        r->taken += dotstream_feed(&r->d, str_sub(in, at, piece), r->out + r->n, &n, &r->end);
        headscan_feed(&r->head, str_mem(r->out + r->n, n));
        r->n += n;
    }
    if (!dots)
        r->n += dotstream_finish(&r->d, r->out + r->n);
    must(r->n == r->d.content_bytes && r->n <= in.n + 2);
}

/* Where the message ends by the letter of the RFC: CRLF "." CRLF, or "." CRLF at the start. Its length, 0
 * when it does not. */
static size_t find_end(str in)
{
    if (str_starts(in, S(".\r\n")))
        return 3;
    ptrdiff_t at = str_find(in, S("\r\n.\r\n"));
    return at < 0 ? 0 : (size_t)at + 5;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    str in = str_mem(data + 2, size - 2);
    bool binary = (data[0] & 3) == 2, dots = data[0] & 1;
    struct result whole, cut;
    decode(&whole, in, in.n ? in.n : 1, dots, binary);
    decode(&cut, in, (size_t)data[1] % 64 + 1, dots, binary);
    must(whole.end == cut.end && whole.taken == cut.taken);
    must(str_eq(str_mem(whole.out, whole.n), str_mem(cut.out, cut.n)));
    must(whole.d.bare_cr == cut.d.bare_cr && whole.d.bare_lf == cut.d.bare_lf &&
         whole.d.lines == cut.d.lines);
    must(whole.head.fields == cut.head.fields && whole.head.received == cut.head.received &&
         whole.head.bytes == cut.head.bytes);
    must(!binary || str_eq(str_mem(whole.out, whole.n), in));
    if (dots)
        must(whole.end ? whole.taken == find_end(in) : find_end(in) == 0);
    free(whole.out);
    free(cut.out);
    return 0;
}
