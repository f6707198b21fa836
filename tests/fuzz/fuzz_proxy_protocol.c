/* fmt/proxy_protocol: what a proxy says, as role/proxied reads it: always towards an end, and within the
 * limit. */
#include "fmt/proxy_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str all = str_mem(data, size);
    struct proxy_header h;
    size_t missing = 0, n = 0;
    enum rc rc;
    while ((rc = proxy_protocol_parse(str_sub(all, 0, n), &missing, &h)) == RC_TEMP) {
        must(missing > 0 && n + missing <= PROXY_PROTOCOL_MAX);
        if (n + missing > size)
            return 0;
        n += missing;
    }
    must(rc == RC_OK || rc == RC_INVALID || rc == RC_LIMIT);
    return 0;
}
