/* Names of the DNS: text made from the wire has the size that its contract promises; a host's name may be
 * asked for; any 16 bytes have a reverse name. */
#include "fmt/dns_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str in = str_mem(data, size);
    struct buf text = BUF_INIT(DNS_NAME_TEXT_MAX);
    if (dns_name_from_wire(in, &text) == RC_OK)
        must(text.n > 0 && size <= 255 && str_chr(buf_str(&text), '\0') < 0);
    else
        must(text.n == 0 && !text.overflow);
    must(!dns_name_is_host(in) || dns_name_is_valid(in));
    if (size >= sizeof(struct ip_net){0}.addr) {
        struct ip_net ip = {.bits = 128};
        memcpy(ip.addr, data, sizeof ip.addr);
        buf_reset(&text);
        dns_name_put_reverse(&text, &ip);
        must(dns_name_is_host(buf_str(&text)) && text.n <= DNS_NAME_MAX);
    }
    buf_deinit(&text);
    return 0;
}
