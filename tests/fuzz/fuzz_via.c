/* What a recipient stands for, from a queue that may be taken over: what parses is written the same again. */
#include "fmt/via.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out = BUF_INIT(2 * VIA_MAX);
    struct via v, again;
    if (via_parse(str_mem(data, size), &v) == RC_OK) {
        must(size <= VIA_MAX && v.name.n > 0 && v.n <= ALIASES_TARGETS_MAX);
        bool whole = v.kind == VIA_ALIAS || v.kind == VIA_FILTER || v.kind == VIA_TRANSPORT;
        must(whole ? v.tag.n == 0 : str_chr(v.name, ':') < 0 && v.name.n <= VIA_USER_MAX);
        via_put(&out, &v);
        must(via_parse(buf_str(&out), &again) == RC_OK);
        must(again.kind == v.kind && again.uid == v.uid && again.n == v.n && again.hash == v.hash);
        must(str_eq(again.name, v.name) && str_eq(again.tag, v.tag));
    }
    buf_deinit(&out);
    return 0;
}
