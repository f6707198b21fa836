/* Dot-stuffing: a split anywhere changes nothing, the wire form ends for a reader where it ends and nowhere
 * before (smuggling), and undoing it gives the content. The first byte chooses the split. */
#include "fmt/dotstream.h"
#include "fmt/dotstuff.h"

#define INPUT_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void stuff(struct buf *out, str in, size_t split)
{
    struct dotstuff d = {0};
    dotstuff_put(&d, out, str_sub(in, 0, split));
    dotstuff_put(&d, out, str_from(in, split));
    must(out->n <= 2 * in.n + 1);
    dotstuff_finish(&d, out);
}

/* The content as POP3 and SMTP readers see it: CRLF line ends, the last line ended. */
static void put_expected(struct buf *out, str in)
{
    struct crlf_state s = {0};
    crlf_encode(&s, out, in);
    if (in.n && in.p[in.n - 1] != '\n')
        crlf_encode(&s, out, S("\n"));
}

/* RFC 1939 §3, done the plain way: whole lines, one dot less. */
static void undo(struct buf *out, str wire)
{
    while (wire.n) {
        str line = str_sub(wire, 0, (size_t)(str_find(wire, S("\r\n")) + 2));
        wire = str_from(wire, line.n);
        must(!str_eq(line, S(".\r\n")) == (wire.n > 0));
        if (wire.n)
            buf_puts(out, str_from(line, line.p[0] == '.'));
    }
}

static void check_smtp_reader(str wire)
{
    struct dotstream d;
    char *out = malloc(wire.n + 1);
    size_t n;
    bool end;
    must(out);
    dotstream_init_dots(&d);
    must(dotstream_feed(&d, wire, out, &n, &end) == wire.n && end && !d.bare_lf);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > INPUT_MAX)
        return 0;
    str in = str_mem(data + 1, size - 1);
    struct buf whole = BUF_INIT(3 * INPUT_MAX), cut = BUF_INIT(3 * INPUT_MAX);
    struct buf want = BUF_INIT(3 * INPUT_MAX), back = BUF_INIT(3 * INPUT_MAX);
    stuff(&whole, in, 0);
    stuff(&cut, in, data[0] % (in.n + 1));
    must(str_eq(buf_str(&whole), buf_str(&cut)));
    put_expected(&want, in);
    undo(&back, buf_str(&whole));
    must(str_eq(buf_str(&want), buf_str(&back)));
    check_smtp_reader(buf_str(&whole));
    buf_deinit(&whole);
    buf_deinit(&cut);
    buf_deinit(&want);
    buf_deinit(&back);
    return 0;
}
