/* fmt/nexthop: whatever the text, the result lies within it. */
#include "fmt/nexthop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nexthop hop;
    str text = str_mem(data, size);
    if (nexthop_parse(text, &hop) != RC_OK)
        return 0;
    must(hop.host.n > 0 && hop.host.p >= text.p && hop.host.p + hop.host.n <= text.p + text.n);
    must(hop.port >= 0 && hop.port <= 65535);
    must(!hop.is_address || !hop.mx);
    return 0;
}
