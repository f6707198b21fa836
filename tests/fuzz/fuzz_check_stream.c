/* A message in pieces: the same units as in one piece, which have all of its bytes in order, and an empty
 * line in front of what is no field of a header. */
#include "fmt/check_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct buf all, units;
};

static void take(void *ctx, const struct check_stream_unit *u)
{
    struct seen *s = ctx;
    bool body = u->kind == CHECK_STREAM_BODY;
    must(u->text.n <= (body ? CHECK_STREAM_LINE_MAX : CHECK_STREAM_FIELD_MAX));
    must(body ? str_chr(u->text, '\n') < 0 && !u->is_rest : u->is_rest || mime_walk_name_size(u->text) > 0);
    buf_puts(&s->all, u->text);
    buf_puts(&s->all, u->ends_line ? S("\n") : S(""));
    buf_printf(&s->units, "%d %zu %llu,", (int)u->kind, u->text.n, (unsigned long long)u->offset);
}

static void feed(struct seen *s, str raw, size_t step)
{
    struct check_stream c;
    buf_init(&s->all, 3 * raw.n + 1);
    buf_init(&s->units, 120 * raw.n + 100);
    check_stream_init(&c, take, s);
    for (size_t at = 0; at < raw.n; at += step)
        check_stream_feed(&c, str_sub(raw, at, step));
    check_stream_finish(&c);
    check_stream_deinit(&c);
}

/* Nothing is lost but white space in front of colons, and nothing is there twice. */
static void compare(str raw, str all)
{
    size_t at = 0;
    for (size_t i = 0; i < all.n; i++) {
        bool empty_line = all.p[i] == '\n' && (i == 0 || all.p[i - 1] == '\n');
        if (empty_line && at < raw.n && raw.p[at] != '\n')
            continue;
        while (at < raw.n && raw.p[at] != all.p[i] && all.p[i] == ':' &&
               (raw.p[at] == ' ' || raw.p[at] == '\t'))
            at++;
        must(at < raw.n && raw.p[at++] == all.p[i]);
    }
    must(at == raw.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str raw = str_mem(data, size);
    struct seen whole, pieces;
    feed(&whole, raw, size + 1);
    feed(&pieces, raw, size < 4096 ? 1 : 1021);
    compare(raw, buf_str(&whole.all));
    must(str_eq(buf_str(&whole.all), buf_str(&pieces.all)));
    must(str_eq(buf_str(&whole.units), buf_str(&pieces.units)));
    buf_deinit(&whole.all);
    buf_deinit(&whole.units);
    buf_deinit(&pieces.all);
    buf_deinit(&pieces.units);
    return 0;
}
