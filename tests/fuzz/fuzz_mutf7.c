/* Mailbox names: what decodes must encode back to the same bytes, and the other way round. */
#include "base/utf8.h"
#include "fmt/mutf7.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size);
    struct buf a = BUF_INIT(8 << 20), b = BUF_INIT(8 << 20);
    if (mutf7_decode(in, &a) == RC_OK) {
        must(utf8_valid(buf_str(&a)));
        must(mutf7_encode(buf_str(&a), &b) == RC_OK && str_eq(buf_str(&b), in));
    }
    buf_reset(&a);
    buf_reset(&b);
    if (mutf7_encode(in, &a) == RC_OK)
        must(mutf7_decode(buf_str(&a), &b) == RC_OK && str_eq(buf_str(&b), in));
    buf_deinit(&a);
    buf_deinit(&b);
    return 0;
}
