/* The JSON writer: any bytes give a string of printable UTF-8 whose quotation marks are only at the ends. */
#include "base/utf8.h"
#include "fmt/json.h"

#define INPUT_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out = BUF_INIT(6 * INPUT_MAX + 2);
    if (size > INPUT_MAX)
        return 0;
    json_quote(&out, str_mem(data, size));
    must(!out.overflow && out.n >= 2 && utf8_valid(buf_str(&out)));
    must(out.p[0] == '"' && out.p[out.n - 1] == '"');
    for (size_t i = 1; i + 1 < out.n; i++) {
        must((unsigned char)out.p[i] >= 0x20 && out.p[i] != '"');
        i += out.p[i] == '\\';
    }
    buf_deinit(&out);
    return 0;
}
