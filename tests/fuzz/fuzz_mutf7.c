/* Modified UTF-7: all of UTF-8 can be written and nothing else, and only the one canonical form is read. */
#include "base/utf8.h"
#include "fmt/mutf7.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size);
    struct buf text = BUF_INIT(6 * size + 16), back = BUF_INIT(6 * size + 16), tiny = BUF_INIT(4);
    enum rc rc = mutf7_encode(in, &text);
    must(rc == (utf8_valid(in) ? RC_OK : RC_INVALID) && (rc == RC_OK || text.n == 0));
    if (rc == RC_OK) {
        must(utf8_is_ascii(buf_str(&text)));
        must(mutf7_decode(buf_str(&text), &back) == RC_OK && str_eq(buf_str(&back), in));
        must((mutf7_encode(in, &tiny) == RC_OK) == (text.n <= 4));
    }
    buf_reset(&text);
    buf_reset(&back);
    rc = mutf7_decode(in, &back);
    must(rc == RC_OK || (rc == RC_INVALID && back.n == 0));
    if (rc == RC_OK) {
        must(utf8_valid(buf_str(&back)));
        must(mutf7_encode(buf_str(&back), &text) == RC_OK && str_eq(buf_str(&text), in));
    }
    buf_deinit(&text);
    buf_deinit(&back);
    buf_deinit(&tiny);
    return 0;
}
