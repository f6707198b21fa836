/* Words of header fields: the cursor only moves forward and stays inside, words hold no line ends and no more
 * bytes than were read, and a text that was quoted by the rules comes out of its quotes again. */
#include "fmt/lex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_line_end(str s)
{
    return str_chr(s, '\r') >= 0 || str_chr(s, '\n') >= 0;
}

static void step(struct lex *l, struct buf *word)
{
    size_t before = l->i;
    buf_reset(word);
    int c = lex_peek(l);
    bool took = false;
    switch (c) {
    case '"':
        took = lex_quoted(l, word);
        must(took);
        break;
    case '[':
        took = lex_domain_literal(l, word);
        must(took && str_chr(buf_str(word), ' ') < 0);
        break;
    default:
        must((lex_is_atext(c) || c == '.') == lex_dot_run(l, word));
        took = l->i > before || lex_token(l, word);
    }
    must(!has_line_end(buf_str(word)));
    must(took == (l->i > before) && l->i <= l->s.n && word->n <= l->s.n - before);
    if (!took)
        l->i++;
}

static void check_quoted(str in, size_t max)
{
    struct buf text = BUF_INIT(2 * max + 2), word = BUF_INIT(max);
    buf_putc(&text, '"');
    for (size_t i = 0; i < in.n; i++) {
        buf_putc(&text, '\\');
        buf_putc(&text, in.p[i]);
    }
    buf_putc(&text, '"');
    struct lex l = {.s = buf_str(&text)};
    must(lex_quoted(&l, &word) && l.i == text.n && !lex_quoted(&l, &word));
    if (!has_line_end(in))
        must(str_eq(buf_str(&word), in));
    buf_deinit(&text);
    buf_deinit(&word);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size);
    struct buf word = BUF_INIT(size + 1), comment = BUF_INIT(size + 1);
    struct lex l = {.s = in, .comment = &comment};
    while (lex_peek(&l) >= 0) {
        size_t before = l.i;
        lex_cfws(&l);
        must(l.i >= before && l.i <= size && !has_line_end(buf_str(&comment)));
        if (lex_peek(&l) >= 0)
            step(&l, &word);
    }
    must(!word.overflow && !comment.overflow);
    check_quoted(in, size + 1);
    buf_deinit(&word);
    buf_deinit(&comment);
    return 0;
}
