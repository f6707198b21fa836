/* The conversion of any message, in LF form and, with a NUL in front, as binary content: the result is 7bit,
 * has the same parts, and each decodes to the same bytes; the pieces that it comes in make no difference;
 * mime_walk finds the parts that mime finds. */
#include "base/utf8.h"
#include "fmt/crlf.h"
#include "fmt/downgrade.h"
#include "fmt/mime.h"
#include "fmt/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void scan(struct downgrade *d, str raw, size_t step)
{
    for (size_t at = 0; at < raw.n; at += step)
        downgrade_scan(d, str_sub(raw, at, step));
    downgrade_scan_end(d);
}

static void convert(struct buf *out, str raw, bool binary, size_t step, struct downgrade_report *ret)
{
    struct downgrade d;
    downgrade_init(&d);
    d.binary = binary;
    scan(&d, raw, step);
    for (size_t at = 0; at < raw.n; at += step)
        downgrade_convert(&d, str_sub(raw, at, step), out);
    downgrade_convert_end(&d, out);
    must(!out->overflow && out->n <= 8 * raw.n + (1 << 20));
    *ret = d.report;
    downgrade_deinit(&d);
}

static bool is_encoded(const struct mime_part *part)
{
    str e = part->encoding;
    return e.n && !str_ieq(e, S("7bit")) && !str_ieq(e, S("8bit")) && !str_ieq(e, S("binary"));
}

/* What a part says on the wire: decoded, line ends as CRLF, but in binary content. */
static void decode(struct buf *out, str raw, const struct mime_part *part, bool binary)
{
    struct buf wire = BUF_INIT(2 * raw.n + 2);
    struct crlf_state state = {.last_cr = false};
    struct transfer_decoder d;
    str body = str_sub(raw, part->body.start, part->body.end - part->body.start);
    if (binary && !is_encoded(part))
        buf_puts(&wire, body);
    else
        crlf_encode(&state, &wire, body);
    transfer_init(&d, transfer_encoding_find(part->encoding));
    transfer_feed(&d, out, buf_str(&wire));
    transfer_finish(&d, out);
    buf_deinit(&wire);
}

static bool is_leaf(const struct mime_part *part)
{
    return part->kind == MIME_LEAF || mime_is(part, S("message"), S("global"));
}

/* What mending may change: white space where a line is broken, and a CR at the end of a line, which our
 * decoder takes for white space. */
static bool is_exact(str raw, const struct mime_part *part)
{
    str body = str_sub(raw, part->body.start, part->body.end - part->body.start);
    if (transfer_encoding_find(part->encoding) != TRANSFER_QP)
        return true;
    while (body.n) {
        str line = str_take(&body, '\n');
        size_t n = body.p && line.n ? line.n - 1 : line.n;
        if (line.n > 900 || str_chr(str_sub(line, 0, n), '\r') >= 0)
            return false;
    }
    return true;
}

static void check_same(str raw, bool binary, const struct mime_part *a, str other, const struct mime_part *b)
{
    must(a->kind == b->kind || is_leaf(a));
    if (is_leaf(a)) {
        struct buf x = BUF_INIT(4 * raw.n + 4), y = BUF_INIT(4 * raw.n + 4);
        decode(&x, raw, a, binary);
        decode(&y, other, b, false);
        must(str_eq(buf_str(&x), buf_str(&y)) || !is_exact(raw, a));
        buf_deinit(&x);
        buf_deinit(&y);
        return;
    }
    const struct mime_part *p = a->child, *q = b->child;
    for (; p && q; p = p->next, q = q->next)
        check_same(raw, binary, p, other, q);
    must(!p && !q);
}

static void check_7bit(str text)
{
    must(utf8_is_ascii(text));
    while (text.n) {
        str line = str_take(&text, '\n');
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        must(line.n <= 998 && str_chr(line, '\r') < 0 && str_chr(line, '\0') < 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool binary = size > 0 && data[0] == '\0';
    str raw = str_mem(data + binary, size - binary);
    struct arena *a = arena_new(256 << 20);
    struct buf out = BUF_INIT(8 * size + (4 << 20)), small = BUF_INIT(8 * size + (4 << 20));
    struct downgrade_report r, again;
    struct mime_part *before, *after;
    convert(&out, raw, binary, size + 1, &r);
    convert(&small, raw, binary, size < 4096 ? 1 : 1021, &again);
    must(str_eq(buf_str(&out), buf_str(&small)) && memcmp(&r, &again, sizeof r) == 0);
    must(r.needed || str_eq(buf_str(&out), raw));
    must(!r.breaks_signed || r.needed);
    if (mime_parse(raw, a, NULL, &before) == RC_OK && mime_parse(buf_str(&out), a, NULL, &after) == RC_OK)
        check_same(raw, binary, before, buf_str(&out), after);
    if (!r.header_8bit && !r.header_long && !r.impossible)
        check_7bit(buf_str(&out));
    buf_reset(&small); /* what was converted needs it no more */
    convert(&small, buf_str(&out), binary, size + 1, &again);
    must(again.converted == 0 && (!again.needed || r.header_8bit || r.header_long));
    buf_deinit(&out);
    buf_deinit(&small);
    arena_free(a);
    return 0;
}
