/* The file maildirsize, line by line. */
#include "fmt/maildirsize.h"

#include "base/num.h"

static enum rc limits_parse(str line, struct quota_limits *ret)
{
    while (line.n) {
        str limit = str_trim(str_take(&line, ','));
        uint64_t n;
        if (limit.n < 2 || num_parse_u64(str_sub(limit, 0, limit.n - 1), INT64_MAX, &n) != RC_OK)
            return RC_INVALID;
        char what = limit.p[limit.n - 1];
        if (what == 'S')
            ret->bytes = n;
        else if (what == 'C')
            ret->messages = n;
        else
            return RC_INVALID;
    }
    return RC_OK;
}

static enum rc number_add(str word, int64_t *sum)
{
    bool minus = str_starts(word, S("-"));
    uint64_t n;
    if (num_parse_u64(minus ? str_from(word, 1) : word, INT64_MAX, &n) != RC_OK ||
        __builtin_add_overflow(*sum, minus ? -(int64_t)n : (int64_t)n, sum))
        return RC_INVALID;
    return RC_OK;
}

enum rc maildirsize_parse(str text, struct maildirsize *ret)
{
    struct maildirsize m = {0};
    if (!str_ends(text, S("\n")) || limits_parse(str_take(&text, '\n'), &m.limits) != RC_OK)
        return RC_INVALID;
    while (text.n) {
        str line = str_take(&text, '\n');
        if (number_add(str_word(&line), &m.bytes) != RC_OK ||
            number_add(str_word(&line), &m.messages) != RC_OK || str_word(&line).n)
            return RC_INVALID;
    }
    *ret = m;
    return RC_OK;
}

void maildirsize_put_limits(struct buf *out, const struct quota_limits *l)
{
    if (l->bytes)
        buf_printf(out, "%lluS", (unsigned long long)l->bytes);
    if (l->messages)
        buf_printf(out, "%s%lluC", l->bytes ? "," : "", (unsigned long long)l->messages);
    buf_putc(out, '\n');
}

void maildirsize_put_change(struct buf *out, int64_t bytes, int64_t messages)
{
    buf_printf(out, "%lld %lld\n", (long long)bytes, (long long)messages);
}

void maildirsize_put_total(struct buf *out, const struct quota_limits *l, int64_t bytes, int64_t messages)
{
    size_t begin = out->n;
    maildirsize_put_limits(out, l);
    buf_printf(out, "%lld ", (long long)bytes);
    buf_printf(out, "%-*lld\n", (int)(MAILDIRSIZE_TOTAL_BYTES - 1 - (out->n - begin)), (long long)messages);
}
