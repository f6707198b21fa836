/* fmt/socks5: what a proxy says, as net/dial reads it: always towards an end, and within the limit. */
#include "fmt/socks5.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str all = str_mem(data, size);
    size_t missing = 0, n = 0;
    unsigned code = 0;
    enum rc rc;
    (void)!socks5_parse_method(str_sub(all, 0, 2), &missing, &code);
    (void)!socks5_parse_login(str_sub(all, 0, 2), &missing, &code);
    while ((rc = socks5_parse_reply(str_sub(all, 0, n), &missing, &code)) == RC_TEMP) {
        must(missing > 0 && n + missing <= SOCKS5_REPLY_MAX);
        if (n + missing > size)
            return 0;
        n += missing;
    }
    must(rc == RC_INVALID || (code <= 255 && socks5_reply_text(code)[0]));
    return 0;
}
