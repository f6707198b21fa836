/* fmt/milter: any packet either is refused or gives views of itself; a reply has one code and no line end but
 * LF. */
#include "fmt/milter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_within(str part, str whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(4096);
    str packet = str_mem(data, size);
    struct milter_options o;
    struct milter_message m;
    struct milter_reply r;
    size_t n;
    if (size >= 4 && milter_length((const char *)data, &n) == RC_OK)
        must(n > 0 && n <= MILTER_PACKET_MAX);
    if (milter_parse_options(packet, &o) == RC_OK)
        for (int i = 0; i < MILTER_STAGES; i++)
            must(is_within(o.macros[i], packet) && str_chr(o.macros[i], '\0') < 0);
    if (milter_parse_message(packet, &m) == RC_OK)
        must(is_within(m.name, packet) && is_within(m.value, packet) && str_chr(m.name, '\0') < 0 &&
             m.answer == packet.p[0]);
    if (milter_parse_reply(packet, &out, &r) == RC_OK)
        must(r.code >= 400 && r.code <= 599 && (!r.enhanced[0] || r.enhanced[0] == '0' + r.code / 100) &&
             r.text.n <= out.max);
    return 0;
}
