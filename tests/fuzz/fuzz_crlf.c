/* Line-end conversion: a split anywhere changes nothing, encode then decode gives what decode alone gives,
 * the sizes that are computed are those that come out, and a range equals the same bytes of the whole. The
 * first two bytes choose the split and the range. */
#include "fmt/crlf.h"

#define INPUT_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(struct buf *out, str in, size_t split)
{
    struct crlf_state s = {0};
    crlf_encode(&s, out, str_sub(in, 0, split));
    crlf_encode(&s, out, str_from(in, split));
}

static void decode(struct buf *out, str in, size_t split)
{
    struct crlf_state s = {0};
    crlf_decode(&s, out, str_sub(in, 0, split));
    crlf_decode(&s, out, str_from(in, split));
    crlf_decode_finish(&s, out);
}

static void check_ranges(str raw, str whole, size_t from, size_t len)
{
    struct buf range = BUF_INIT(2 * INPUT_MAX), slices = BUF_INIT(2 * INPUT_MAX);
    struct crlf_cursor cursor = {0, 0};
    crlf_put_range(&range, raw, from, len, NULL);
    must(str_eq(buf_str(&range), from < whole.n ? str_sub(whole, from, len) : STR_NONE));
    for (size_t at = 0; at < whole.n; at += len + 1)
        crlf_put_range(&slices, raw, at, len + 1, &cursor);
    must(str_eq(buf_str(&slices), whole));
    buf_deinit(&range);
    buf_deinit(&slices);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > INPUT_MAX)
        return 0;
    str raw = str_mem(data + 2, size - 2);
    struct buf whole = BUF_INIT(2 * INPUT_MAX), parts = BUF_INIT(2 * INPUT_MAX);
    struct buf lf = BUF_INIT(INPUT_MAX), again = BUF_INIT(INPUT_MAX);
    encode(&whole, raw, 0);
    encode(&parts, raw, data[0] % (raw.n + 1));
    must(str_eq(buf_str(&whole), buf_str(&parts)));
    must(whole.n == crlf_size(raw) && crlf_lines(raw) == crlf_lines(buf_str(&whole)));
    decode(&lf, raw, data[0] % (raw.n + 1));
    decode(&again, buf_str(&whole), data[1] % (whole.n + 1));
    must(str_eq(buf_str(&lf), buf_str(&again)));
    check_ranges(raw, buf_str(&whole), data[0], data[1]);
    buf_deinit(&whole);
    buf_deinit(&parts);
    buf_deinit(&lf);
    buf_deinit(&again);
    return 0;
}
