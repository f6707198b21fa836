/* Encoded words, charsets, transfer encodings and case folding: what comes out is UTF-8 whatever went in, and
 * chunks change nothing. The first byte chooses the encoding, the charset and the split. */
#include "base/utf8.h"
#include "fmt/casefold.h"
#include "fmt/charset.h"
#include "fmt/rfc2047.h"
#include "fmt/transfer.h"

#define OUTPUT_MAX (16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const charsets[] = {"utf-8",  "iso-8859-1", "iso-2022-jp", "shift_jis",
                                       "gb2312", "utf-16",     "utf-7",       "euc-kr"};

static void transfer(struct buf *out, enum transfer_encoding encoding, str in, size_t split)
{
    struct transfer_decoder d;
    transfer_init(&d, encoding);
    transfer_feed(&d, out, str_sub(in, 0, split));
    transfer_feed(&d, out, str_from(in, split));
    transfer_finish(&d, out);
}

static void charset(struct buf *out, str name, str in, size_t split)
{
    struct charset_decoder d;
    charset_init(&d, name);
    charset_feed(&d, out, str_sub(in, 0, split));
    must(utf8_valid(buf_str(out)));
    charset_feed(&d, out, str_from(in, split));
    charset_finish(&d, out);
    charset_deinit(&d);
    must(utf8_valid(buf_str(out)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 1 << 16)
        return 0;
    str in = str_mem(data + 1, size - 1);
    size_t split = (data[0] * 7) % (in.n + 1);
    struct buf a = BUF_INIT(OUTPUT_MAX), b = BUF_INIT(OUTPUT_MAX);
    rfc2047_decode(&a, in);
    must(utf8_valid(buf_str(&a)) && !a.overflow);
    casefold_put(&b, buf_str(&a));
    must(utf8_valid(buf_str(&b)) && !b.overflow);
    buf_reset(&a);
    buf_reset(&b);
    transfer(&a, (enum transfer_encoding)(data[0] % 3), in, in.n);
    transfer(&b, (enum transfer_encoding)(data[0] % 3), in, split);
    must(str_eq(buf_str(&a), buf_str(&b)) && a.n <= in.n);
    buf_reset(&a);
    buf_reset(&b);
    charset(&a, str_c(charsets[data[0] % 8]), in, in.n);
    charset(&b, str_c(charsets[data[0] % 8]), in, split);
    must(str_eq(buf_str(&a), buf_str(&b)));
    buf_deinit(&a);
    buf_deinit(&b);
    return 0;
}
