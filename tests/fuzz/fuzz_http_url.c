/* fmt/http_url: any bytes; what is an address has nothing that would end a line, and encoding comes back. */
#include "fmt/http_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(3 * size + 1), back = BUF_INIT(size + 1);
    str in = str_mem(data, size);
    struct http_url u;
    if (http_url_parse(in, &u) == RC_OK)
        must(u.host.n > 0 && u.port > 0 && str_chr(in, '\n') < 0 && str_chr(in, ' ') < 0);
    http_url_encode(&text, in);
    if (str_chr(in, '\0') < 0)
        must(http_url_decode(buf_str(&text), &back) == RC_OK && str_eq(buf_str(&back), in));
    return 0;
}
