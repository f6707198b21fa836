/* Names of DNS lists, and names of hosts. */
#include "fmt/dnsbl.h"
#include "fmt/helo_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str text = str_mem(data, size);
    struct dnsbl list;
    struct ip_net ip;
    must(!(helo_name_is_valid(text) && helo_name_is_literal(text)));
    if (dnsbl_parse(text, &list) != RC_OK)
        return 0;
    AUTO(buf_deinit) struct buf name = BUF_INIT(400);
    must(list.domain.n > 0 && str_starts(text, list.domain));
    must(ip_parse(S("192.0.2.1"), &ip) == RC_OK);
    dnsbl_put_address(&name, &list, &ip);
    must(str_starts(buf_str(&name), S("1.2.0.192.")) && str_ends(buf_str(&name), list.domain));
    bool any = false;
    for (unsigned n = 0; n < 256; n++) {
        bool all = true;
        for (size_t i = 0; i < 4; i++)
            all = all && list.matches[i][n / 8] >> n % 8 & 1;
        const uint8_t same[4] = {(uint8_t)n, (uint8_t)n, (uint8_t)n, (uint8_t)n};
        must(dnsbl_counts(&list, str_mem(same, 4)) == (all || !list.filtered));
        any = any || list.matches[3][n / 8] >> n % 8 & 1;
    }
    must(any == list.filtered);
    return 0;
}
