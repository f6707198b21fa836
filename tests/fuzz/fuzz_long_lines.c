/* Long lines: none is left, what was not long stays, and taking out the breaks gives the text back. */
#include "fmt/long_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_long(str text, size_t limit)
{
    struct long_lines l = {.limit = limit};
    long_lines_scan(&l, text);
    return l.any;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out = BUF_INIT(4 << 20);
    str text = str_mem(data, size), left = text;
    size_t limit = LONG_LINES_MIN + (size ? data[0] % 64 : 0), half = size / 2;
    struct long_lines l = {.limit = limit};
    long_lines_put(&l, str_sub(text, 0, half), &out);
    long_lines_put(&l, str_from(text, half), &out);
    must(!out.overflow && !is_long(buf_str(&out), limit));
    must(is_long(text, limit) ? out.n > size : str_eq(buf_str(&out), text));
    for (size_t i = 0; i < out.n; i++) {
        if (left.n > 0 && out.p[i] == left.p[0])
            left = str_from(left, 1);
        else
            must(out.p[i] == '\n' && i + 1 < out.n && out.p[++i] == ' ');
    }
    must(left.n == 0);
    buf_deinit(&out);
    return 0;
}
