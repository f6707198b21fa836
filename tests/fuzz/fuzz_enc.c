/* Decoders of base/: whatever is accepted must encode back to the same bytes, and what utf8_put_clean writes
 * must be well-formed. */
#include "base/enc.h"
#include "base/num.h"
#include "base/utf8.h"

#define INPUT_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_base64(str in)
{
    struct buf plain = BUF_INIT(INPUT_MAX), again = BUF_INIT(2 * INPUT_MAX);
    if (enc_base64_decode(&plain, in) == RC_OK) {
        enc_base64(&again, buf_str(&plain));
        must(str_eq(buf_str(&again), in));
    } else {
        must(plain.n == 0);
    }
    buf_deinit(&plain);
    buf_deinit(&again);
}

static void fuzz_hex(str in)
{
    struct buf plain = BUF_INIT(INPUT_MAX), again = BUF_INIT(2 * INPUT_MAX);
    if (enc_hex_decode(&plain, in) == RC_OK) {
        enc_hex(&again, buf_str(&plain));
        must(str_ieq(buf_str(&again), in));
    } else {
        must(plain.n == 0);
    }
    buf_deinit(&plain);
    buf_deinit(&again);
}

static void fuzz_num(str in)
{
    uint64_t value, bytes;
    int64_t ms;
    if (num_parse_u64(in, UINT64_MAX, &value) == RC_OK) {
        struct buf again = BUF_INIT(20);
        buf_put_u64(&again, value);
        must(str_ends(in, buf_str(&again)));
        must(num_parse_size(in, &bytes) == RC_OK && bytes == value);
        buf_deinit(&again);
    }
    if (num_parse_duration_ms(in, &ms) == RC_OK)
        must(ms >= 0);
}

static void fuzz_utf8(str in)
{
    struct buf clean = BUF_INIT(3 * INPUT_MAX), again = BUF_INIT(INPUT_MAX);
    utf8_put_clean(&clean, in);
    must(utf8_valid(buf_str(&clean)));
    must(utf8_valid(in) == str_eq(in, buf_str(&clean)));
    must(!utf8_is_ascii(in) || utf8_valid(in));
    uint32_t cp;
    for (str rest = in; rest.n;) {
        size_t n = utf8_decode(rest, &cp);
        if (n)
            utf8_put(&again, cp);
        else
            buf_putc(&again, rest.p[0]);
        rest = str_from(rest, n ? n : 1);
    }
    must(str_eq(buf_str(&again), in));
    buf_deinit(&clean);
    buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size);
    if (size > INPUT_MAX)
        return 0;
    fuzz_base64(in);
    fuzz_hex(in);
    fuzz_num(in);
    fuzz_utf8(in);
    return 0;
}
