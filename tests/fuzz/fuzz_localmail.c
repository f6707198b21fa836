/* Reading gives the same in one piece and byte by byte; what becomes of a header has no field that must not
 * go out, and no recipient that could end a line of SMTP. */
#include "fmt/header.h"
#include "fmt/localmail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_in(str in, bool dots, size_t piece, struct buf *out)
{
    struct localmail_reader r = {.dot_ends = dots};
    for (size_t at = 0; at < in.n; at += piece)
        localmail_feed(&r, out, str_sub(in, at, piece));
    localmail_finish(&r, out);
    must(out->n == 0 || out->p[out->n - 1] == '\n');
}

static void check_header(str raw)
{
    const struct localmail_header h = {.origin = S("example.org"), .from = S("a@b"), .recipients = true};
    AUTO(arena_freep) struct arena *a = arena_new(64 << 20);
    AUTO(buf_deinit) struct buf out = BUF_INIT(64 << 20);
    struct localmail_addresses rcpts = {0};
    struct header_field f;
    str body;
    if (localmail_put_header(&h, raw, a, &out, &rcpts, &body) != RC_OK)
        return;
    must(str_ends(raw, body) && str_ends(buf_str(&out), S("\n")));
    must(header_size(buf_str(&out)) == out.n); /* one empty line, and it is the last */
    must(!header_find(buf_str(&out), S("Bcc"), 0, &f) && header_find(buf_str(&out), S("From"), 0, &f));
    for (size_t i = 0; i < rcpts.n; i++)
        must(str_chr(rcpts.v[i], '\n') < 0 && str_chr(rcpts.v[i], '\r') < 0 && str_chr(rcpts.v[i], '@') >= 0);
}

static void check_command(str file)
{
    AUTO(arena_freep) struct arena *a = arena_new(4 << 20);
    AUTO(buf_deinit) struct buf again = BUF_INIT(4 << 20);
    char **words;
    size_t n;
    str rest;
    if (localmail_take_command(file, a, &words, &n, &rest) != RC_OK)
        return;
    localmail_put_command(&again, words, n);
    must(words[n] == NULL && str_ends(file, rest) && again.n <= file.n - rest.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 100000)
        return 0;
    check_command(str_mem(data, size));
    bool dots = data[0] & 1;
    str in = str_mem(data + 1, size - 1);
    AUTO(buf_deinit) struct buf whole = BUF_INIT(1 << 20), bytes = BUF_INIT(1 << 20);
    read_in(in, dots, in.n + 1, &whole);
    read_in(in, dots, 1, &bytes);
    must(str_eq(buf_str(&whole), buf_str(&bytes)));
    check_header(buf_str(&whole));
    return 0;
}
