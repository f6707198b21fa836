/* Records of the DNS as text: one line of bytes that can be printed, or nothing. The first byte is the type.
 */
#include "fmt/dns_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out = BUF_INIT(DNS_RECORD_TEXT_MAX);
    if (size == 0)
        return 0;
    if (dns_record_put(&out, S("example"), (enum dns_type)data[0], 60, str_mem(data + 1, size - 1)) ==
        RC_OK) {
        must(!out.overflow && str_starts(buf_str(&out), S("example. 60 IN ")));
        for (size_t i = 0; i < out.n; i++)
            must((unsigned char)out.p[i] >= ' ' && out.p[i] != 0x7f);
    } else {
        must(out.n == 0);
    }
    buf_deinit(&out);
    return 0;
}
