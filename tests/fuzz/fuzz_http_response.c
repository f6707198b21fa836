/* fmt/http_response: an answer that is complete stays the same whatever follows, unless it lasts to the end.
 */
#include "fmt/http_response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_deinit) struct buf body = BUF_INIT(4096), same = BUF_INIT(4096);
    struct http_response r, again;
    str bytes = str_mem(data, size);
    if (http_response_parse(bytes, false, &body, &r) != RC_OK) {
        must(http_response_parse(bytes, true, &body, &r) != RC_TEMP);
        return 0;
    }
    must(r.status >= 200 && r.status <= 599 && body.n <= 4096);
    must(http_response_parse(bytes, true, &same, &again) == RC_OK && again.status == r.status);
    must(str_eq(buf_str(&body), buf_str(&same)));
    return 0;
}
